//! Clockwork: what is due by time, and what is looked up on a beat.
