//! Every Rust file opens by saying what it is.

use super::{File, Finding};

pub(super) fn check(file: &File) -> Option<Finding> {
    let opens = ["//! ", "#![doc = include_str!("];
    if !file.has_extension("rs") || opens.iter().any(|opening| file.text.starts_with(opening)) {
        return None;
    }
    let what = "the file does not open with `//!`: say in a sentence what it is and who uses it";
    Some(Finding::new(&file.path, 1, what))
}

#[cfg(test)]
mod tests {
    use super::super::testing::file;
    use super::check;

    #[test]
    fn a_rust_file_opens_with_what_it_is() {
        assert_eq!(check(&file("store/src/lib.rs", "//! Postgres.\n")), None);
        assert_eq!(
            check(&file("store/src/lib.rs", "#![doc = include_str!(\"../README.md\")]\n")),
            None
        );
        assert_eq!(check(&file("store/README.md", "# Postgres\n")), None);
        for bad in ["use std::fmt;\n", "// Postgres.\n", "//!\n", "\n//! Postgres.\n", ""] {
            assert!(check(&file("store/src/lib.rs", bad)).is_some(), "{bad:?}");
        }
    }
}
