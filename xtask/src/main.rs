//! Automation: tidy.
fn main() {}
