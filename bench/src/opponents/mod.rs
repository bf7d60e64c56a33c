//! What ours is compared with, each written as well as can be by hand and driven by `pgbench`.

pub(crate) mod insert;
pub(crate) mod read;
pub(crate) mod spend;
