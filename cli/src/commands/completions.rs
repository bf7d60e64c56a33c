//! `tally completions`: what a shell needs to complete our commands.

use std::io;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Tally;
use crate::exit::Exit;

/// Print the completions for a shell
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Tally::command(), "tally", &mut text);
        io::Write::write_all(&mut io::stdout().lock(), &text)?;
        Ok(Exit::Fine)
    }
}
