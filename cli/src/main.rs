//! The one executable, `tally`.
fn main() {}
