//! A batch being carried out on accounts that are locked: what is due first, then each account's requests in the order in
//! which they arrived.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use ledger::account::{Account, Act, Cause, Effects, Operation, Refusal, Row, Spend};
use ledger::ids::{HoldId, derive_uuid};

use super::find::Target;
use super::outcome::{After, Done, Outcome};
use super::request::{AccountKey, Command, Note, Request};
use crate::books::load;
use crate::books::open::{Accounts, Opened, Place};

/// Who asks for what is due.
const CLOCK: &str = "keeper";

/// One command on its way.
pub(super) struct Item<'a> {
    /// What is asked.
    pub(super) request: Cow<'a, Request>,
    /// Which of the batch's requests it is; `None`: the clock's.
    pub(super) place: Option<usize>,
    /// What the app said of it.
    pub(super) note: Note,
}

/// A command that was carried out, as it is recorded.
pub(super) struct Step<'a> {
    /// What was asked.
    pub(super) item: Item<'a>,
    /// Its account.
    pub(super) account: Place,
    /// Postings of the account before it, and with it.
    pub(super) versions: (i64, i64),
    /// What it did.
    pub(super) done: Done,
}

/// The requests of one account.
struct Queue<'a> {
    user: String,
    items: VecDeque<Item<'a>>,
}

/// A batch being carried out.
pub(super) struct Turn<'a> {
    tenant_id: i32,
    now: Timestamp,
    queues: BTreeMap<Place, Queue<'a>>,
    /// What was carried out, each account's in its order.
    pub(super) steps: Vec<Step<'a>>,
    /// What was refused.
    pub(super) refused: Vec<(usize, Outcome)>,
}

impl<'a> Turn<'a> {
    /// Queues the requests, each account's in the order of the batch, and what is due before them.
    pub(super) fn new(
        tenant_id: i32,
        now: Timestamp,
        requests: Vec<(usize, &'a Request, Target)>,
        accounts: &Accounts,
    ) -> Self {
        let mut queues: BTreeMap<Place, Queue<'a>> = BTreeMap::new();
        for (place, request, target) in requests {
            let item =
                Item { request: Cow::Borrowed(request), place: Some(place), note: target.note };
            let queue = queues.entry(target.place);
            let empty = Queue { user: target.user, items: VecDeque::new() };
            queue.or_insert(empty).items.push_back(item);
        }
        for (place, queue) in &mut queues {
            let Some(opened) = accounts.get(place) else { continue };
            let asked = std::mem::take(&mut queue.items);
            queue.items = with_due(opened, now, (&queue.user, place), asked);
        }
        Self { tenant_id, now, queues, steps: Vec::new(), refused: Vec::new() }
    }

    /// Carries out what it can. Accounts that have to be loaded as a whole before it can go on.
    pub(super) fn run(&mut self, accounts: &mut Accounts) -> Vec<Place> {
        let mut stuck = Vec::new();
        for (account, queue) in &mut self.queues {
            let Some(opened) = accounts.get_mut(account) else { continue };
            while let Some(item) = queue.items.pop_front() {
                let before = opened.account.version;
                match evaluate(opened, self.tenant_id, self.now, &item.request) {
                    Ok(effects) => {
                        let done = done(opened, &item, &queue.user, effects);
                        let (account, versions) =
                            (account.clone(), (before, opened.account.version));
                        self.steps.push(Step { item, account, versions, done });
                    }
                    Err(Refusal::NotLoaded) => {
                        queue.items.push_front(item);
                        stuck.push(account.clone());
                        break;
                    }
                    Err(refusal) => {
                        let told = item.place.map(|place| (place, Outcome::Refused(refusal)));
                        self.refused.extend(told);
                    }
                }
            }
        }
        stuck
    }
}

/// Puts what is due on an account before what is asked of it, so that what is held and what can be spent is true to the
/// instant. Where the same is asked for, it is that request which is carried out. Where more may be due than was loaded,
/// the rest of what is asked is left for another round.
fn with_due<'a>(
    opened: &Opened,
    now: Timestamp,
    (user, place): (&str, &Place),
    mut asked: VecDeque<Item<'a>>,
) -> VecDeque<Item<'a>> {
    let (account, at) = (&opened.account, opened.instant(now));
    let key = || AccountKey { user: user.to_owned(), unit: place.1.clone() };
    let grants = account.grants.iter().filter(|grant| grant.has_expired(at) && grant.unheld() > 0);
    let grants = grants.map(|grant| {
        let grant_id = grant.grant_id;
        (grant.terms.expires_at, Command::ExpireGrant { account: key(), grant_id })
    });
    let holds = account.holds.iter().filter(|hold| hold.is_open() && hold.expires_at <= at);
    let holds =
        holds.map(|hold| (Some(hold.expires_at), Command::ExpireHold { hold_id: hold.hold_id }));
    let mut due: Vec<(Option<Timestamp>, Command)> = holds.collect();
    let is_all = i64::try_from(due.len()).is_ok_and(|number| number < load::DUE_HOLDS_MAX);
    due.extend(grants);
    due.sort_by_key(|(at, command)| (*at, command.kind(), what_ends(command)));
    let mut items = VecDeque::with_capacity(due.len().saturating_add(asked.len()));
    for (_, command) in due {
        let same = asked.iter().position(|item| item.request.command == command);
        let item = same.and_then(|same| asked.remove(same));
        items.push_back(item.unwrap_or_else(|| of_the_clock(command, place, account.version)));
    }
    if is_all {
        items.extend(asked);
    }
    items
}

/// The number of the grant, or of the hold, so that what ends at one instant ends in one order.
fn what_ends(command: &Command) -> Option<u128> {
    let grant = command.grant().map(|grant_id| u128::from(grant_id.unsigned_abs()));
    command.hold().map(|hold_id| hold_id.0.as_u128()).or(grant)
}

/// A command of the clock's. Its id follows from what it does and when: a grant that ends, and whose credits come back and
/// end once more, has another version of its account then.
fn of_the_clock<'a>(command: Command, (account, unit): &Place, version: i64) -> Item<'a> {
    let (kind, what) = (command.name(), command.body(&Note::default()).to_string());
    let (account, version) = (account.to_string(), version.to_string());
    let command_id = derive_uuid(&["tally.command.v1", kind, &account, unit, &what, &version]);
    let request = Request { command_id, idempotency: None, actor: CLOCK.to_owned(), command };
    Item { request: Cow::Owned(request), place: None, note: Note::default() }
}

fn evaluate(
    opened: &mut Opened,
    tenant_id: i32,
    now: Timestamp,
    request: &Request,
) -> Result<Effects, Refusal> {
    let operation = request.command.operation(request.command_id);
    if let Operation::ExpireGrant { grant_id } = operation
        && opened.account.grant_of(grant_id).is_some_and(|grant| grant.unheld() == 0)
    {
        // Another was faster: what would do nothing is not recorded.
        return Err(Refusal::NotDue);
    }
    let cause = Cause::Command(request.command_id);
    // It takes effect when it is recorded: whoever evaluates it anew knows nothing of a clock that was behind.
    let now = opened.instant(now);
    let act = Act { tenant_id, cause, effective_at: now, recorded_at: now };
    opened.evaluate(&act, &operation)
}

/// What a command did that was just evaluated; counts it.
fn done(opened: &mut Opened, item: &Item<'_>, user: &str, effects: Effects) -> Done {
    opened.steps = opened.steps.saturating_add(1);
    let (account, command) = (&opened.account, &item.request.command);
    let recorded_at = account.last_at.unwrap_or(Timestamp::UNIX_EPOCH);
    let mut made = effects.grants.into_values().filter(|row| matches!(row, Row::New(_)));
    let made_hold = account.hold_of(HoldId(item.request.command_id));
    let hold = command.hold().and_then(|hold_id| account.hold_of(hold_id)).or(made_hold);
    let of_it = |spend: &&Spend| Some(spend.spend_id) == command.spend();
    Done {
        command_id: item.request.command_id,
        user: user.to_owned(),
        unit: account.unit.clone(),
        step: opened.steps,
        recorded_at,
        postings: effects.postings,
        hold: hold.cloned(),
        grant: made.next().map(|row| row.get().clone()),
        reversed: account.spends.iter().find(of_it).cloned(),
        note: item.note.clone(),
        after: after(account, recorded_at),
    }
}

/// How an account stands. Its sums stayed in range through every operation.
fn after(account: &Account, now: Timestamp) -> After {
    After {
        available: account.available(now).unwrap_or_default(),
        held: account.held,
        debt: account.debt(now).unwrap_or_default(),
        posted: account.posted_at(now).unwrap_or(account.posted),
    }
}
