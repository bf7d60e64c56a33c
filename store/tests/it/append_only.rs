//! append_only
