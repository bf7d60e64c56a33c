//! A price, as what was bought names it.

use super::UnsupportedShape;
use super::fields::Fields;

/// The names by which a catalogue may know what was bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// `price_…`; before prices (2020) the id of a plan, which its maker chose.
    pub id: String,
    /// `prod_…`, where the price is told in full.
    pub product: Option<String>,
    /// The name that its maker gave it, where the price is told in full.
    pub lookup_key: Option<String>,
}

impl Price {
    /// The price that an object names in `price`, or in `plan` before there were prices.
    pub(super) fn of(fields: &Fields<'_>) -> Result<Option<Self>, UnsupportedShape> {
        match Self::named(fields, "price")? {
            None => Self::named(fields, "plan"),
            price => Ok(price),
        }
    }

    /// Its id alone, or all of it where it was expanded.
    fn named(fields: &Fields<'_>, name: &str) -> Result<Option<Self>, UnsupportedShape> {
        let Some(id) = fields.reference(name)? else { return Ok(None) };
        let Some(price) = fields.expanded(name) else {
            return Ok(Some(Self { id, product: None, lookup_key: None }));
        };
        let (product, lookup_key) = (price.reference("product")?, price.text("lookup_key")?);
        Ok(Some(Self { id, product, lookup_key }))
    }
}
