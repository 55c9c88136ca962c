//! Append-only log files per stage: append with masking, follow and read by byte offset.
