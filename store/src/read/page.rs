//! Pages of a list, newest first: by key, never by offset, so that a page does not shift while rows are added.

/// Where a page begins. `K` is the key that the list is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From<K> {
    /// At the newest row.
    Newest,
    /// Behind this row: those that are older.
    After(K),
    /// In front of this row: those that are newer, up to it.
    Before(K),
}

/// One page that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    /// Where it begins.
    pub from: From<K>,
    /// How many rows it has at most.
    pub limit: u8,
}

/// One page that was found, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// Its rows.
    pub rows: Vec<T>,
    /// Whether there are more in the direction that was asked for.
    pub has_more: bool,
}

impl<K> Page<K> {
    /// How many rows to ask the database for: one more than is shown tells whether there are more.
    pub(crate) fn rows_to_ask(&self) -> i64 {
        i64::from(self.limit).saturating_add(1)
    }

    /// True if the statement walks from older to newer.
    pub(crate) const fn is_upward(&self) -> bool {
        matches!(self.from, From::Before(_))
    }

    /// The page out of the rows that the database gave, in the order in which the statement walked.
    pub(crate) fn cut<T>(&self, mut rows: Vec<T>) -> Found<T> {
        let limit = usize::from(self.limit);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        if self.is_upward() {
            rows.reverse();
        }
        Found { rows, has_more }
    }
}

impl Page<i64> {
    /// The key that the statement compares with: below it, or above it if the walk is upward.
    pub(crate) const fn key(&self) -> i64 {
        match self.from {
            From::Newest => i64::MAX,
            From::After(key) | From::Before(key) => key,
        }
    }
}

impl Page<String> {
    /// The same for keys that are walked in the order of their bytes; all of them come after the empty text.
    pub(crate) fn text(&self) -> &str {
        match &self.from {
            From::Newest => "",
            From::After(key) | From::Before(key) => key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_newest_first_whichever_way_it_was_walked() {
        let older = Page { from: From::After(10), limit: 2 };
        assert_eq!(older.rows_to_ask(), 3);
        assert_eq!(older.cut(vec![9, 8, 7]), Found { rows: vec![9, 8], has_more: true });
        let newer = Page { from: From::Before(6), limit: 2 };
        assert_eq!(newer.cut(vec![7, 8, 9]), Found { rows: vec![8, 7], has_more: true });
        assert_eq!(newer.cut(vec![7]), Found { rows: vec![7], has_more: false });
        assert_eq!(Page { from: From::Newest, limit: 1 }.key(), i64::MAX);
    }
}
