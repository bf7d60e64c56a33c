//! A naive model of one account, written from DESIGN section 7 and the guides, and from nothing of the program: what is free
//! of each grant, what each hold reserves, what is owed. Commands go in one after the other; out comes what each did.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::told::{Balance, Expiring, Told};

/// A grant's place in the order of drawing. One without an end expires at the end of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    priority: i16,
    expires_at: Timestamp,
    grant: i64,
}

/// Credits by the grant that they are of, in the order of drawing.
type Credits = BTreeMap<Place, i64>;

#[derive(Debug)]
struct Hold {
    amount: i64,
    deadline: Timestamp,
    reserved: Credits,
}

#[derive(Debug)]
struct Spend {
    drawn: Credits,
    /// What no grant covered.
    bare: i64,
}

/// Under which terms credits are given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) priority: i16,
    pub(super) expires_at: Timestamp,
}

/// What is done to an account. Holds and spends are named as answers name them, grants by their number.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Spend {
        id: String,
        amount: i64,
    },
    Hold {
        id: String,
        amount: i64,
        deadline: Timestamp,
    },
    Capture {
        hold: String,
        amount: Option<i64>,
        spend: String,
    },
    Release {
        hold: String,
    },
    ExpireHold {
        hold: String,
    },
    Grant {
        grant: i64,
        amount: i64,
        terms: Terms,
    },
    ExpireGrant {
        grant: i64,
    },
    Reverse {
        spend: String,
        is_renewed: bool,
        grant: i64,
        terms: Terms,
    },
    /// A payment was credited; it never expires.
    Buy {
        payment: String,
        grant: i64,
        amount: i64,
    },
    /// It was taken back.
    TakeBack {
        payment: String,
        amount: i64,
    },
}

/// An account.
#[derive(Debug, Default)]
pub(super) struct Account {
    free: Credits,
    /// Those that are open.
    holds: BTreeMap<String, Hold>,
    /// Those that were not given back.
    spends: BTreeMap<String, Spend>,
    grants: BTreeMap<i64, Place>,
    payments: BTreeMap<String, Place>,
    owed: i64,
}

impl Place {
    fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }
}

impl Account {
    /// Does it; what there is to tell of it, or why it cannot be.
    pub(super) fn apply(&mut self, deed: Deed, now: Timestamp) -> Result<Told, String> {
        match deed {
            Deed::Spend { id, amount } => {
                self.require(amount, now)?;
                let drawn = self.draw(amount, now);
                let told = Told { amount, grants: by_grant(&drawn.drawn), ..Told::default() };
                self.spends.insert(id, drawn);
                Ok(told)
            }
            Deed::Hold { id, amount, deadline } => self.hold(id, amount, deadline, now),
            Deed::Capture { hold, amount, spend } => self.capture(&hold, amount, spend, now),
            Deed::Release { hold } => self.let_go(&hold, "released", now),
            Deed::ExpireHold { hold } => {
                let is_due = self.holds.get(&hold).is_none_or(|hold| hold.deadline <= now);
                if is_due { self.let_go(&hold, "expired", now) } else { Err(not_due(&hold)) }
            }
            Deed::Grant { grant, amount, terms } => {
                if terms.expires_at <= now {
                    return Err("a grant that ends before it begins".to_owned());
                }
                let remaining = self.grant(grant, amount, terms);
                Ok(Told { amount, remaining, ..Told::default() })
            }
            Deed::ExpireGrant { grant } => {
                let place = self.grants.get(&grant).filter(|place| place.has_expired(now));
                let place = place.ok_or_else(|| not_due(&grant.to_string()))?;
                let gone = self.free.remove(place).ok_or("a grant with nothing left ends")?;
                Ok(Told { amount: gone, ..Told::default() })
            }
            Deed::Reverse { spend, is_renewed, grant, terms } => {
                self.reverse(&spend, is_renewed, (grant, terms), now)
            }
            Deed::Buy { payment, grant, amount } => {
                let terms = Terms { priority: 0, expires_at: Timestamp::MAX };
                let remaining = self.grant(grant, amount, terms);
                self.payments.insert(payment, self.grants[&grant]);
                Ok(Told { amount, remaining, ..Told::default() })
            }
            Deed::TakeBack { payment, amount } => {
                self.free_overdue(now);
                let own = self.payments.get(&payment).ok_or("a payment that was never credited")?;
                let taken = take(&mut self.free, *own, amount);
                self.draw(amount - taken, now);
                Ok(Told { amount, ..Told::default() })
            }
        }
    }

    /// What the account has at an instant. Holds are over at their deadline, grants at their end, done or not.
    pub(super) fn balance(&self, now: Timestamp) -> Balance {
        let held: i64 = self.open_holds(now).map(|hold| hold.amount).sum();
        let reserved: i64 = self.open_holds(now).flat_map(|hold| hold.reserved.values()).sum();
        let usable: i64 = self.usable(now).values().sum();
        let posted = usable + reserved - self.owed;
        let (available, debt) = ((posted - held).max(0), (-posted).max(0));
        Balance { available, held, posted, debt }
    }

    /// What of it runs out next.
    pub(super) fn expiring_next(&self, now: Timestamp) -> Option<Expiring> {
        let usable = self.usable(now);
        let at = usable.keys().map(|place| place.expires_at).min()?;
        let first = usable.iter().filter(|(place, _)| place.expires_at == at);
        let amount: i64 = first.map(|(_, credits)| credits).sum();
        let amount = amount.min(self.balance(now).available);
        (at < Timestamp::MAX && amount > 0).then_some(Expiring { amount, at })
    }

    fn open_holds(&self, now: Timestamp) -> impl Iterator<Item = &Hold> {
        self.holds.values().filter(move |hold| hold.deadline > now)
    }

    /// Credits that are free at an instant.
    fn usable(&self, now: Timestamp) -> Credits {
        let mut usable = self.free.clone();
        let over = self.holds.values().filter(|hold| hold.deadline <= now);
        for (place, credits) in over.flat_map(|hold| &hold.reserved) {
            *usable.entry(*place).or_default() += credits;
        }
        usable.retain(|place, _| !place.has_expired(now));
        usable
    }

    fn require(&self, amount: i64, now: Timestamp) -> Result<(), String> {
        let available = self.balance(now).available;
        let has_enough = (1..=available).contains(&amount);
        has_enough.then_some(()).ok_or_else(|| format!("{amount} of {available} available"))
    }

    /// Draws from what is free in its order, then from what holds reserve: of each grant, the hold with the longest to go
    /// loses first. What is not there is owed.
    fn draw(&mut self, amount: i64, now: Timestamp) -> Spend {
        let mut drawn = self.draw_free(amount, now);
        let mut held = Vec::new();
        if drawn.bare > 0 {
            for (id, hold) in &self.holds {
                let order = Reverse((hold.deadline, id.clone()));
                held.extend(hold.reserved.keys().map(|place| (*place, order.clone())));
            }
            held.sort();
        }
        for (place, Reverse((_, id))) in held {
            let hold = self.holds.get_mut(&id).unwrap();
            let taken = take(&mut hold.reserved, place, drawn.bare);
            drawn.bare -= taken;
            add(&mut drawn.drawn, place, taken);
        }
        self.owed += drawn.bare;
        drawn
    }

    fn draw_free(&mut self, amount: i64, now: Timestamp) -> Spend {
        let mut spend = Spend { drawn: Credits::new(), bare: amount };
        let places: Vec<Place> = self.free.keys().copied().collect();
        for place in places.into_iter().filter(|place| !place.has_expired(now)) {
            let taken = take(&mut self.free, place, spend.bare);
            spend.bare -= taken;
            add(&mut spend.drawn, place, taken);
        }
        spend
    }

    fn hold(
        &mut self,
        id: String,
        amount: i64,
        deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Told, String> {
        self.require(amount, now)?;
        let reserved = self.draw_free(amount, now).drawn;
        let told = Told {
            amount,
            status: "open".to_owned(),
            grants: by_grant(&reserved),
            ..Told::default()
        };
        self.holds.insert(id, Hold { amount, deadline, reserved });
        Ok(told)
    }

    fn capture(
        &mut self,
        hold: &str,
        amount: Option<i64>,
        spend: String,
        now: Timestamp,
    ) -> Result<Told, String> {
        let open = self.holds.get(hold).filter(|open| open.deadline > now);
        let held = open.ok_or_else(|| not_open(hold))?.amount;
        let captured = amount.unwrap_or(held);
        if !(1..=held).contains(&captured) {
            return Err(format!("{captured} of {hold}, which holds {held}"));
        }
        let mut open = self.holds.remove(hold).unwrap();
        let mut drawn = Spend { drawn: Credits::new(), bare: captured };
        for place in open.reserved.keys().copied().collect::<Vec<_>>() {
            let taken = take(&mut open.reserved, place, drawn.bare);
            drawn.bare -= taken;
            add(&mut drawn.drawn, place, taken);
        }
        self.free_again(open.reserved, now);
        let rest = self.draw(drawn.bare, now);
        rest.drawn.into_iter().for_each(|(place, taken)| add(&mut drawn.drawn, place, taken));
        drawn.bare = rest.bare;
        let grants = by_grant(&drawn.drawn);
        self.spends.insert(spend, drawn);
        let status = "captured".to_owned();
        Ok(Told { amount: held, captured, status, grants, ..Told::default() })
    }

    fn let_go(&mut self, hold: &str, status: &str, now: Timestamp) -> Result<Told, String> {
        let open = self.holds.remove(hold).ok_or_else(|| not_open(hold))?;
        self.free_again(open.reserved, now);
        Ok(Told { amount: open.amount, status: status.to_owned(), ..Told::default() })
    }

    /// What a hold lets go is free again, unless its grant has ended meanwhile. How much of it has.
    fn free_again(&mut self, credits: Credits, now: Timestamp) -> i64 {
        let mut lapsed = 0;
        for (place, credits) in credits {
            if place.has_expired(now) {
                lapsed += credits;
            } else {
                add(&mut self.free, place, credits);
            }
        }
        lapsed
    }

    /// What holds reserve that are over is free, though nobody has closed them yet; what of it has ended is still to be posted.
    fn free_overdue(&mut self, now: Timestamp) {
        for hold in self.holds.values_mut().filter(|hold| hold.deadline <= now) {
            for (place, credits) in std::mem::take(&mut hold.reserved) {
                add(&mut self.free, place, credits);
            }
        }
    }

    /// Gives a spend back. What is owed is paid first.
    fn reverse(
        &mut self,
        spend: &str,
        is_renewed: bool,
        (grant, terms): (i64, Terms),
        now: Timestamp,
    ) -> Result<Told, String> {
        let Spend { mut drawn, bare } =
            self.spends.remove(spend).ok_or_else(|| format!("{spend} is not to be given back"))?;
        let amount = bare + drawn.values().sum::<i64>();
        let mut anew = bare - self.pay(bare);
        for credits in drawn.values_mut() {
            *credits -= self.pay(*credits);
        }
        drawn.retain(|_, credits| *credits > 0);
        if is_renewed {
            let ended = drawn.extract_if(.., |place, _| place.has_expired(now));
            anew += ended.map(|(_, credits)| credits).sum::<i64>();
        }
        let mut grants = by_grant(&drawn);
        let lapsed = self.free_again(drawn, now);
        if anew > 0 {
            self.grant(grant, anew, terms);
            grants.insert(grant, anew);
        }
        Ok(Told { amount, lapsed, grants, ..Told::default() })
    }

    /// Gives credits, of which a debt is paid first; what remains.
    fn grant(&mut self, grant: i64, amount: i64, terms: Terms) -> i64 {
        let place = Place { priority: terms.priority, expires_at: terms.expires_at, grant };
        self.grants.insert(grant, place);
        let remaining = amount - self.pay(amount);
        add(&mut self.free, place, remaining);
        remaining
    }

    /// Pays what is owed out of so much; how much that took.
    fn pay(&mut self, most: i64) -> i64 {
        let paid = most.min(self.owed);
        self.owed -= paid;
        paid
    }
}

/// Takes of a grant's credits, at most so many; how many.
fn take(credits: &mut Credits, place: Place, most: i64) -> i64 {
    let taken = credits.get(&place).copied().unwrap_or_default().min(most);
    add(credits, place, -taken);
    taken
}

fn add(credits: &mut Credits, place: Place, amount: i64) {
    let sum = credits.get(&place).copied().unwrap_or_default() + amount;
    if sum == 0 {
        credits.remove(&place)
    } else {
        credits.insert(place, sum)
    };
}

fn by_grant(credits: &Credits) -> BTreeMap<i64, i64> {
    credits.iter().map(|(place, credits)| (place.grant, *credits)).collect()
}

fn not_open(hold: &str) -> String {
    format!("{hold} is not open")
}

fn not_due(what: &str) -> String {
    format!("{what} is not due")
}
