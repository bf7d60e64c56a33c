//! Between them: translate, resolve, value, decide. The only crate that sees both vocabularies.
