//! Repositories on disk: serving by the git program, refs, checkout, browsing by libgit2.
