//! Step containers, networks and clean-up by label, through bollard; the only room that knows the engine.
