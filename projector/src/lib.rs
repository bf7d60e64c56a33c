//! The worker around rules: read, lock, decide, commit.
