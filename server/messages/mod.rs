//! The message catalogue: keys to sentences in four languages.
