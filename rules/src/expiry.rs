//! When bought credits end: so long after the purchase was paid, by the calendar in UTC, or with the billing period.

use std::fmt;
use std::str::FromStr;

use jiff::civil::date;
use jiff::fmt::temporal::SpanParser;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Says that credits end with the billing period.
const PERIOD_END: &str = "period_end";

/// Longest time that credits last: what is to last longer is to last for ever.
const MAX_YEARS: i16 = 100;

/// How long credits last.
#[derive(Clone, Debug)]
pub enum Expiry {
    /// So long from the moment that the purchase was paid: by the calendar, so that a month after the last of January is the
    /// last of February.
    After(Span),
    /// Until the end of the period that the invoice's line bills.
    PeriodEnd,
}

/// Why the end cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEnd {
    /// What was bought has no billing period.
    NoPeriod,
    /// The calendar, which begins with 1970 here, does not reach so far.
    BeyondCalendar,
}

/// A text that is neither a duration nor `period_end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is neither an ISO 8601 duration of whole units up to {MAX_YEARS} years, such as P1M, P30D or P1Y, nor {PERIOD_END}"
)]
pub struct NoExpiry;

impl Expiry {
    /// The end of what was paid at this moment and bills a period until `period_end`, in seconds since 1970.
    pub fn ends_at(&self, paid_at: Timestamp, period_end: Option<i64>) -> Result<Timestamp, NoEnd> {
        let end = match self {
            Self::After(span) => {
                let end = paid_at.to_zoned(TimeZone::UTC).checked_add(*span);
                end.map(|end| end.timestamp())
            }
            Self::PeriodEnd => Timestamp::from_second(period_end.ok_or(NoEnd::NoPeriod)?),
        };
        end.ok().filter(|end| *end >= Timestamp::UNIX_EPOCH).ok_or(NoEnd::BeyondCalendar)
    }
}

impl FromStr for Expiry {
    type Err = NoExpiry;

    fn from_str(text: &str) -> Result<Self, NoExpiry> {
        if text == PERIOD_END {
            return Ok(Self::PeriodEnd);
        }
        let is_whole = !text.contains(['.', ',', '-', '+']);
        let span = SpanParser::new().parse_span(text).ok().filter(|_| is_whole);
        span.filter(|span| !span.is_zero() && is_short(span)).map(Self::After).ok_or(NoExpiry)
    }
}

/// Whether it is no longer than credits may last.
fn is_short(span: &Span) -> bool {
    let start = date(2000, 1, 1).to_datetime(jiff::civil::Time::midnight());
    let longest = start.checked_add(Span::new().years(MAX_YEARS));
    start.checked_add(*span).is_ok_and(|end| longest.is_ok_and(|longest| end <= longest))
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(span) => write!(f, "{span}"),
            Self::PeriodEnd => f.write_str(PERIOD_END),
        }
    }
}

/// By the text: `P1M` and `P30D` are not the same.
impl PartialEq for Expiry {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Expiry {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expires: &str, paid_at: &str, end: &str) {
        let expiry: Expiry = expires.parse().unwrap();
        let ends_at = expiry.ends_at(paid_at.parse().unwrap(), None);
        assert_eq!(ends_at, Ok(end.parse().unwrap()), "{expires} from {paid_at}");
    }

    #[test]
    fn a_month_is_a_month_of_the_calendar() {
        check("P1M", "2027-01-31T12:34:56Z", "2027-02-28T12:34:56Z");
        check("P1M", "2028-01-31T12:34:56Z", "2028-02-29T12:34:56Z");
        check("P1M", "2027-01-28T00:00:00Z", "2027-02-28T00:00:00Z");
        check("P1M", "2027-02-28T00:00:00Z", "2027-03-28T00:00:00Z");
        check("P1M", "2027-03-31T23:59:59Z", "2027-04-30T23:59:59Z");
        check("P1M", "2026-12-31T23:59:59Z", "2027-01-31T23:59:59Z");
        check("P3M", "2026-11-30T00:00:00Z", "2027-02-28T00:00:00Z");
        check("P12M", "2028-02-29T00:00:00Z", "2029-02-28T00:00:00Z");
    }

    #[test]
    fn a_year_is_a_year_of_the_calendar() {
        check("P1Y", "2028-02-29T08:00:00Z", "2029-02-28T08:00:00Z");
        check("P4Y", "2028-02-29T08:00:00Z", "2032-02-29T08:00:00Z");
        check("P1Y", "2027-02-28T08:00:00Z", "2028-02-28T08:00:00Z");
        check("P1Y", "2099-03-01T00:00:00Z", "2100-03-01T00:00:00Z");
        check("P1Y", "2096-02-29T00:00:00Z", "2097-02-28T00:00:00Z");
        // 2100 is no leap year.
        check("P4Y", "2096-02-29T00:00:00Z", "2100-02-28T00:00:00Z");
    }

    #[test]
    fn days_weeks_and_hours_are_counted() {
        check("P30D", "2027-01-31T12:00:00Z", "2027-03-02T12:00:00Z");
        check("P30D", "2028-01-31T12:00:00Z", "2028-03-01T12:00:00Z");
        check("P2W", "2028-02-20T00:00:00Z", "2028-03-05T00:00:00Z");
        check("PT24H", "2027-03-28T00:30:00Z", "2027-03-29T00:30:00Z");
        check("P1D", "2027-03-28T00:30:00Z", "2027-03-29T00:30:00Z");
        // Months first, then days.
        check("P1M1D", "2027-01-31T00:00:00Z", "2027-03-01T00:00:00Z");
        check("P1Y1M1DT1H1M1S", "2027-12-31T23:59:59Z", "2029-02-02T01:01:00Z");
    }

    #[test]
    fn a_period_ends_when_the_line_says() {
        let expiry: Expiry = "period_end".parse().unwrap();
        let paid_at = Timestamp::from_second(1_700_000_000).unwrap();
        let end = Timestamp::from_second(1_702_592_000).unwrap();
        assert_eq!(expiry.ends_at(paid_at, Some(1_702_592_000)), Ok(end));
        assert_eq!(expiry.ends_at(paid_at, None), Err(NoEnd::NoPeriod));
        assert_eq!(expiry.ends_at(paid_at, Some(i64::MAX)), Err(NoEnd::BeyondCalendar));
    }

    #[test]
    fn the_calendar_has_an_end() {
        let expiry: Expiry = "P100Y".parse().unwrap();
        let last: Timestamp = "9990-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(expiry.ends_at(last, None), Err(NoEnd::BeyondCalendar));
        let first: Timestamp = "1800-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(expiry.ends_at(first, None), Err(NoEnd::BeyondCalendar));
    }

    #[test]
    fn texts_are_read_and_written() {
        for text in
            ["P1M", "P30D", "P1Y", "P2W", "P1Y2M3DT4H5M6S", "P100Y", "P36500D", "period_end"]
        {
            assert_eq!(text.parse::<Expiry>().map(|expiry| expiry.to_string()), Ok(text.into()));
        }
        for text in [
            "",
            "P",
            "P0D",
            "PT0S",
            "-P1M",
            "+P1M",
            "P-1M",
            "1M",
            "1 month",
            "P1.5D",
            "PT0.5S",
            "PT1,5H",
            "P101Y",
            "P36526D",
            "P1M ",
            "P1S",
            "period end",
            "never",
            "99999999999999999999D",
            "P99999Y",
        ] {
            assert_eq!(text.parse::<Expiry>().map(|_| ()), Err(NoExpiry), "{text}");
        }
        assert_ne!("P1M".parse::<Expiry>(), "P30D".parse::<Expiry>());
    }
}
