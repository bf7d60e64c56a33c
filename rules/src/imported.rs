//! Cutover: payments that another system credited before this one kept the books.
//!
//! What the old system gave stands in its users' opening balances. So an imported payment is bought like any other, and
//! what was given for it is taken off again by a leg of its own ([`LegKind::Carried`](crate::world::LegKind)): together
//! they come to nothing, whether Stripe tells of the purchase before or after, and however often. What goes back later is
//! taken from the user, beyond what the old system had taken back already.

use ledger::decision::Reason;
use ledger::ids::CaseId;
use serde::{Deserialize, Serialize};

use crate::cases::{self, Telling};
use crate::decide::payment;
use crate::news::{Importing, PaymentNews};
use crate::payment::{Facts, StaffDecision, StaffVerdict};
use crate::reversal::Taken;
use crate::settle::Settled;
use crate::world::World;
use crate::worth::{ASSIGNED, Line};

/// How ids of the objects begin by which a payment can be named. A charge that is no card's may be `py_…`.
const OBJECT_PREFIXES: [&str; 5] = ["cs_", "pi_", "ch_", "py_", "in_"];

/// Longest rest of such an id: Stripe's own limit is 255 for the whole.
const OBJECT_MAX_BYTES: usize = 250;

/// What another system did with a payment. Of two, the later position counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Import {
    /// Position of the operator event.
    pub pos: i64,
    /// How many credits of which unit it gave.
    pub worth: (i64, String),
    /// How many of them it took back again.
    pub reversed: i64,
    /// Money paid, in the currency's minor unit: what counts where Stripe does not say it.
    pub paid: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
}

/// Credits of a line that are not to be given here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone {
    /// By refunds.
    pub refunded: i64,
    /// By disputes.
    pub disputed: i64,
    /// They stand in an opening balance.
    pub carried: i64,
}

/// Decides an import. It says whose the payment is, what it is worth and that it is paid; of a user whom nobody knows it
/// says nothing.
pub(crate) fn import(world: &mut World, telling: Telling, said: Importing) -> Option<CaseId> {
    if !world.users.contains_key(&said.user) {
        cases::record(world, None, &Settled::plain(Reason::Stale), Reason::Stale, telling);
        return None;
    }
    let Importing { payment: root_key, user, worth, reversed, paid, currency, paid_at } = said;
    let pos = telling.pos;
    let verdict = StaffVerdict::Assign { user, worth: None };
    let import = Import { pos, worth, reversed, paid, currency };
    let facts = Facts {
        staff: Some(StaffDecision { pos, verdict, overruled: None }),
        imports: [(root_key.clone(), import)].into(),
        paid_at,
        ..Facts::default()
    };
    let objects = [root_key.clone()].into();
    payment(world, telling, PaymentNews { root_key, objects, facts, ..PaymentNews::default() })
}

/// Whether this can be the id of a payment's object: a Checkout session, payment intent, charge or invoice, of a connected
/// account behind its id and a slash.
pub fn is_object_of_payment(id: &str) -> bool {
    let object = id
        .split_once('/')
        .map_or(Some(id), |(account, object)| account.starts_with("acct_").then_some(object));
    let is_word = |rest: &str| {
        (1..=OBJECT_MAX_BYTES).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    object.is_some_and(|object| {
        OBJECT_PREFIXES.iter().any(|prefix| object.strip_prefix(prefix).is_some_and(is_word))
    })
}

impl Facts {
    /// What another system did with it, if one did.
    pub fn imported(&self) -> Option<&Import> {
        self.imports.values().max()
    }

    /// What of a line is gone, where so much of the money went back: at least what the old system took back, by whichever
    /// of the two. The rest of what it gave was carried over.
    pub(crate) fn gone(&self, due: &Line, taken: Taken) -> Gone {
        let (refunded, disputed) = taken.of(due.credits);
        let import =
            self.imported().filter(|import| due.line == ASSIGNED && due.unit == import.worth.1);
        let Some(import) = import else { return Gone { refunded, disputed, carried: 0 } };
        let given = import.worth.0.min(due.credits);
        let reversed = import.reversed.min(given);
        let all = refunded.saturating_add(disputed).max(reversed);
        let refunded = refunded.max(reversed);
        let (disputed, carried) = (all.saturating_sub(refunded), given.saturating_sub(reversed));
        Gone { refunded, disputed, carried }
    }
}
