//! Purchases from the bytes of their events to the balances, in memory: given what is known, when events come, then this
//! is decided, posted and asked of people.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test that meets what cannot be has failed"
)]
#![expect(clippy::needless_pass_by_value, reason = "bodies are made where they are told")]

mod bodies;
mod books;
mod convergence;
mod engine;
mod evidence;
mod healing;
mod held;
mod histories;
mod merging;
mod model;
mod staff;
mod waiting;
mod worth;
