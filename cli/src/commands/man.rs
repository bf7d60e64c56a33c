//! `tally man`: the manual page.

use std::io;

use clap::{Args, CommandFactory as _};
use clap_mangen::Man as Page;

use super::Tally;
use crate::exit::Exit;

/// Print the manual page
///
/// `tally man | man -l -` shows it.
#[derive(Debug, Args)]
pub(crate) struct Man;

impl Man {
    pub(crate) fn run() -> anyhow::Result<Exit> {
        Page::new(Tally::command()).render(&mut io::stdout().lock())?;
        Ok(Exit::Fine)
    }
}
