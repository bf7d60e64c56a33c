//! What became of a file, or would.

use serde::Serialize;

use super::line::Line;

/// Lines that are told of because they could not be imported; where there are more, these suffice to begin with.
const ERRORS_MAX: usize = 100;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was imported; in a dry run: it would be.
    Imported,
    /// It is there: it was imported before.
    Already,
    /// A dry run: it would be imported, and Stripe told of the payment before.
    Told,
}

/// The report.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Nothing was written.
    pub(super) dry_run: bool,
    balances: Counts,
    payments: Counts,
    /// All balances of the file that are there now, or would be.
    opened: Vec<Opened>,
    /// Lines that could not be imported.
    pub(super) failed: u64,
    /// Which, in the order of their numbers.
    errors: Vec<Refused>,
}

/// Lines of one kind.
#[derive(Debug, Default, Serialize)]
struct Counts {
    imported: u64,
    already: u64,
    /// Payments of which Stripe told before; known to a dry run only.
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<u64>,
}

/// The sum of balances in one unit.
#[derive(Debug, Serialize)]
struct Opened {
    /// Null for the tenant's default one.
    unit: Option<String>,
    amount: i64,
}

/// A line that could not be imported.
#[derive(Debug, Serialize)]
struct Refused {
    /// Its number, from 1.
    line: u64,
    /// Why.
    error: String,
}

impl Report {
    pub(super) fn new(dry_run: bool) -> Self {
        let payments = Counts { told: dry_run.then_some(0), ..Counts::default() };
        Self { dry_run, payments, ..Self::default() }
    }

    /// Notes what became of a line.
    pub(super) fn add(&mut self, line: &Line, outcome: Outcome) {
        let counts = match line {
            Line::Balance(balance) => {
                self.open(line.unit(), balance.amount);
                &mut self.balances
            }
            Line::Payment(_) => &mut self.payments,
        };
        let count = match outcome {
            Outcome::Imported => &mut counts.imported,
            Outcome::Already => &mut counts.already,
            Outcome::Told => {
                counts.told = counts.told.map(|told| told.saturating_add(1));
                &mut counts.imported
            }
        };
        *count = count.saturating_add(1);
    }

    fn open(&mut self, unit: Option<&str>, amount: i64) {
        match self.opened.iter_mut().find(|opened| opened.unit.as_deref() == unit) {
            Some(opened) => opened.amount = opened.amount.saturating_add(amount),
            None => self.opened.push(Opened { unit: unit.map(str::to_owned), amount }),
        }
    }

    /// Notes that the line with this number cannot be imported.
    pub(super) fn refuse(&mut self, line: u64, error: String) {
        self.failed = self.failed.saturating_add(1);
        self.errors.push(Refused { line, error });
        self.errors.sort_by_key(|refused| refused.line);
        self.errors.truncate(ERRORS_MAX);
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let errors = self.errors.iter().map(|one| format!("line {}: {}\n", one.line, one.error));
        let verb = if self.dry_run { "to import" } else { "imported" };
        let counts = |what: &str, counts: &Counts| {
            let told = counts.told.filter(|told| *told > 0);
            let told = told.map(|told| format!(" ({told} of them Stripe told of before)"));
            let Counts { imported, already, .. } = counts;
            let told = told.unwrap_or_default();
            format!("{what}: {imported} {verb}{told}, {already} there already\n")
        };
        let sums = self.opened.iter().map(|Opened { unit, amount }| {
            let unit = unit.as_deref().unwrap_or("in the default unit");
            format!("opening balances: {amount} {unit}\n")
        });
        let failed = format!("{} lines that cannot be imported", self.failed);
        let counted = [counts("balances", &self.balances), counts("payments", &self.payments)];
        errors.chain(counted).chain(sums).chain([failed]).collect()
    }
}
