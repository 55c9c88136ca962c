//! The door with real clients: HTTP on a free port, git against it, hostile requests.
