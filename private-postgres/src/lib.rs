#![doc = include_str!("../README.md")]

mod access;
mod binaries;
mod error;
mod folders;
mod os_user;
mod postmaster;
mod process;
mod server;
mod watchdog;

pub use error::Error;
pub use folders::is_reachable;
pub use server::{Options, Server};
