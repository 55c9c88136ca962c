//! The house through its front door: real git, a real Docker Engine, a real Distribution registry, a real
//! browser. One binary, so that it links once. Nothing sleeps: a test waits on the store's bell.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "a test tells its story in order, and says so when it cannot go on"
)]

mod bodies;
mod browser_live;
mod browser_pages;
mod browser_run;
mod build_config;
mod cases_events;
mod cases_hooks;
mod cases_openshift;
mod cases_workspace;
mod cli;
mod disk;
mod endpoints;
mod engine;
mod guide;
mod hooks;
mod hooks_hub;
mod hooks_kill;
mod hostile;
mod hostile_registry;
mod kit;
mod large_logs;
mod live_page;
mod main_job;
mod pages;
mod pins;
mod pushes;
mod recovery;
mod registry;
mod runs;
mod schema1;
mod start;
mod streams;
mod variables;
mod watching;
