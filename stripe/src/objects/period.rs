//! A span of time that was paid for.

use super::UnsupportedShape;
use super::fields::Fields;

/// From when until when, in seconds since 1970. The two are equal where nothing lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its first second.
    pub start: i64,
    /// The first second after it.
    pub end: i64,
}

impl Period {
    /// The period whose ends stand in two fields; none unless both do.
    pub(super) fn of(
        fields: &Fields<'_>,
        start: &str,
        end: &str,
    ) -> Result<Option<Self>, UnsupportedShape> {
        let ends = fields.integer(start)?.zip(fields.integer(end)?);
        Ok(ends.map(|(start, end)| Self { start, end }))
    }
}
