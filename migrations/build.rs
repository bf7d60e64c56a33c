//! Compiles the crate anew when a migration is added: `sqlx::migrate!` embeds the files, and Cargo
//! does not see that.

fn main() {
    println!("cargo:rerun-if-changed=sql");
}
