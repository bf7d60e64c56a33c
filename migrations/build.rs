//! Compiles the crate anew when a migration is added: `sqlx::migrate!` embeds the files, and Cargo does not see that.

#![expect(clippy::print_stdout, reason = "a build script talks to Cargo on stdout")]

fn main() {
    println!("cargo:rerun-if-changed=sql");
}
