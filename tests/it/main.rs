//! The house through its front door: real git, a real Docker Engine, a real Distribution registry, a real
//! browser. One binary, so that it links once. Nothing sleeps: a test waits on the store's bell.

mod kit;
mod main_job;
mod pages;
mod pushes;
mod recovery;
mod runs;
mod watching;
