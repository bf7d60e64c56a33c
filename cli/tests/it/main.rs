//! The program as people start it: its words, its exit codes, what it leaves behind.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails the test")]

mod config;
mod demo;
mod help;
mod program;
mod resolution;
mod serve;
mod up;
