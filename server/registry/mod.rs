//! The `/v2/` client for registries.
