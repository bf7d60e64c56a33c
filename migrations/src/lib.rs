//! The database schema, in order, and the program that applies it.
