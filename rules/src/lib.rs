//! Between the two vocabularies: what Stripe's events mean (translate), whose a payment is (resolve), what it is worth
//! (worth), and so what moves (settle, decide). The only crate that sees both sides.
//!
//! Everything here is pure: a [`world::World`] comes in, the events are decided in position order, and what is to be
//! written comes out as [`effects::Effects`]. The same world and the same events give the same effects.
//!
//! | module | what |
//! |---|---|
//! | [`policy`] | what the business chose |
//! | [`hashing`] | keyed hashes of e-mails and names |
//! | [`evidence`] | evidence and its ranks |
//! | [`reference`](mod@reference) | signed checkout references: sign, verify |
//! | [`fetching`] | what has to be fetched from Stripe |
//! | [`news`] | what one event says, translated |
//! | [`translate`] | event → news |
//! | [`payment`] | the payment as a joined state |
//! | [`bought`] | the lines that Stripe lists |
//! | [`reversal`] | refunds and disputes, and what they come to |
//! | [`customer`] | what Stripe says of a customer |
//! | [`resolve`] | whose: the verdict over all evidence |
//! | `admission` | users who are added on the fly |
//! | [`catalogue`] | what one of a price is worth, and since when |
//! | [`expiry`] | when bought credits end |
//! | [`worth`] | how many credits |
//! | [`world`] | what is known, under locks, while a batch is decided |
//! | [`settle`] | one payment: what is due, whom it stands with, which case it needs |
//! | `movement` | what moves |
//! | `links` | whose a customer's next payment is |
//! | `reassign` | a credited payment moves to its right user |
//! | [`imported`] | payments that another system credited before |
//! | [`cases`] | which case a payment needs, and what that changes |
//! | [`decide`] | one event after the other |
//! | [`effects`] | what is to be written |

mod admission;
pub mod bought;
pub mod cases;
pub mod catalogue;
pub mod customer;
pub mod decide;
pub mod effects;
pub mod evidence;
pub mod expiry;
pub mod fetching;
pub mod hashing;
pub mod imported;
mod links;
mod movement;
pub mod news;
pub mod payment;
pub mod policy;
mod reassign;
pub mod reference;
pub mod resolve;
pub mod reversal;
pub mod settle;
pub mod translate;
pub mod world;
pub mod worth;

/// Version of these rules; it stands on each decision. Raise it when a deferred type comes to be understood: deferred
/// events of older versions are then decided anew.
pub const RULES_VERSION: i32 = 2;
