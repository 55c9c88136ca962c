//! Ropewalk: git host, build loop, registry client and dashboard in one server.
//!
//! The map of the house (each room may use only what its line names; `tests/architecture.rs` checks it):
//!
//! ```text
//! model     ->                                     nouns and pure rules
//! config    -> model                               settings of the server
//! messages  -> model                               the catalogue: keys to sentences in four languages
//! store     -> model                               SQLite, the only place with SQL
//! logs      -> model                               append-only log files, masking
//! git       -> model                               repositories on disk
//! docker    -> model                               containers, networks, clean-up by label
//! registry  -> model                               the /v2/ client
//! pipeline  -> model                               definitions into the model
//! pin       -> model store git registry pipeline   the images a run stands on, by digest
//! watch     -> model store git registry            notices: refs and tags against the record
//! trigger   -> model store git pipeline pin        decides: events into queued runs
//! run       -> model messages store logs git docker registry pipeline  does: queued runs to their end
//! health    -> model store git docker registry watch  looks around, mends nothing
//! web       -> model messages store logs git registry pipeline pin  the door for people, git and programs
//! app       -> all                                 opens the rooms, starts and stops the loops
//! cli       -> model config messages store logs git registry pipeline  the door for a terminal
//! ```

pub mod app;
pub mod cli;
pub mod config;
pub mod docker;
pub mod git;
pub mod health;
pub mod logs;
pub mod messages;
pub mod model;
pub mod pin;
pub mod pipeline;
pub mod registry;
pub mod run;
pub mod store;
pub mod trigger;
pub mod watch;
pub mod web;
