//! Ropewalk: git host, build loop, registry client and dashboard in one server.
//!
//! The map of the house (each room may use only what its line names; `tests/architecture.rs` checks it):
//!
//! ```text
//! model     ->                                     nouns and pure rules
//! messages  -> model                               the catalogue: keys to sentences in four languages
//! store     -> model                               SQLite, the only place with SQL
//! logs      -> model                               append-only log files, masking
//! git       -> model                               repositories on disk
//! docker    -> model                               containers, networks, clean-up by label
//! registry  -> model                               the /v2/ client
//! pipeline  -> model                               definitions into the model
//! watch     -> model store git                     notices: refs against the record
//! trigger   -> model store git pipeline            decides: events into queued runs
//! run       -> model store logs git docker registry pipeline   does: queued runs to their end
//! web       -> model messages store logs git registry pipeline the door for people, git and programs
//! cli       -> model messages store pipeline       the door for a terminal
//! app       -> all
//! ```

pub mod cli;
pub mod config;
pub mod docker;
pub mod git;
pub mod logs;
pub mod messages;
pub mod model;
pub mod pipeline;
pub mod registry;
pub mod store;
pub mod web;
