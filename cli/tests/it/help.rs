//! What it says of itself.

use crate::program::{run, tally};

#[test]
fn every_command_is_listed_and_explained() {
    let help = run(&mut tally(&["--help"]));
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for command in [
        "demo",
        "up",
        "serve",
        "migrate",
        "doctor",
        "config",
        "healthcheck",
        "simulate",
        "completions",
        "man",
    ] {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{command} in {}", help.stdout);
        let own = run(&mut tally(&[command, "--help"]));
        assert!(own.code == Some(0) && own.stdout.contains("--json"), "{command}: {}", own.stdout);
    }
}

#[test]
fn shells_and_readers_are_served() {
    for shell in ["bash", "zsh", "fish"] {
        let completions = run(&mut tally(&["completions", shell]));
        assert!(completions.code == Some(0) && completions.stdout.contains("simulate"), "{shell}");
    }
    let page = run(&mut tally(&["man"]));
    assert!(page.code == Some(0) && page.stdout.starts_with(".ie"), "{}", page.stdout);
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in
        [&["serve", "--role", "relay"][..], &["simulate", "nothing"], &["nothing"], &[]]
    {
        let refused = run(&mut tally(arguments));
        assert_eq!(refused.code, Some(2), "{arguments:?}: {}", refused.stderr);
    }
    let relay = run(&mut tally(&["serve", "--role", "ingest,relay"]));
    assert!(relay.stderr.contains("nothing relays the outbox yet"), "{}", relay.stderr);
}
