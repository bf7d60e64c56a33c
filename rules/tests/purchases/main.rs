//! Purchases from the bytes of their events to the balances, in memory: given what is known, when events come, then this
//! is decided, posted and asked of people.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test that meets what cannot be has failed"
)]
#![expect(clippy::needless_pass_by_value, reason = "bodies are made where they are told")]

mod admission;
mod amounts;
mod bodies;
mod books;
mod catalogue;
mod convergence;
mod disputes;
mod doors;
mod engine;
mod evidence;
mod fetched;
mod healing;
mod held;
mod histories;
mod imported;
mod invoices;
mod known_mistakes;
mod lines;
mod merging;
mod model;
mod numbers;
mod reassign;
mod references;
mod reversals;
mod shared;
mod staff;
mod waiting;
mod worth;
