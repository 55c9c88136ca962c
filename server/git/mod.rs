//! Repositories on disk: serving by the git program, refs, checkout, browsing by libgit2.
//!
//! The only room that knows git2 and the git program. It never decides who may do what (that is the
//! door's) and never writes an event: a push hands its ref updates to the caller's `settle`, which
//! makes them durable before the pusher is told of success.
//!
//! ```text
//! repositories  the folder of all repositories: create, delete, locks         clean    what a crash left
//! program       one builder for every git child: argv, environment, settings  durable  fsync of what git does not
//! packet        pkt-lines and side bands                                      exchange body in, answer out
//! serve         advertisement and fetch          receive  push                inflate  gzip bodies
//! commands      head of a push                 report, settle  answer of a push, and what comes before it
//! refs, stamp   refs read straight from files    objects, history, resolve, sound   browsing through libgit2
//! candidates    files of a commit by name
//! checkout      a commit into a fresh folder     mirror   remote repositories check    fsck
//! dotgit        the `.git` of such a folder      laid     its index           textual  scripts and pointers
//! modules       which submodules a commit has
//! ```

mod candidates;
mod check;
mod checkout;
mod clean;
mod commands;
mod definition;
mod dotgit;
mod durable;
mod exchange;
mod gate;
mod history;
mod inflate;
mod laid;
mod mirror;
mod modules;
mod objects;
mod packet;
mod program;
mod push;
mod receive;
mod refs;
mod report;
mod repositories;
mod resolve;
mod serve;
mod settle;
mod sound;
mod stamp;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod textual;

pub use clean::Cleaned;
pub use dotgit::Head;
pub use gate::UpdateGuard;
pub use history::{Branch, Change, ChangeKind, Changes, CommitInfo, Tag};
pub use inflate::{UPLOAD_PACK_LIMIT, inflate};
pub use laid::Laid;
pub use mirror::{Credentials, Fetched, RemoteUrl};
pub use modules::Submodule;
pub use objects::{Blob, EntryKind, Listing, OpenRepository, TreeEntry};
pub use program::Protocol;
pub use push::{Push, Receive, RefUpdate, Say, Settle};
pub use refs::RefList;
pub use repositories::Repositories;
pub use resolve::Resolved;
pub use serve::Service;
pub use stamp::RefsStamp;
