//! Through the door with the real git client and a real HTTP client; the trigger loop's part is played by
//! the test, so that each says what it expects to be decided.

mod git;
mod kit;
mod people;
mod runs;
