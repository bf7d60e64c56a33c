//! What a reference says, and the bytes that stand for it: one spelling for each meaning, one meaning for each spelling.

use crate::evidence::user_id;
use crate::worth::{MAX_CREDITS, MAX_QUANTITY, MAX_UNIT_BYTES, is_credits, is_unit};

/// Bytes of a nonce: enough that no two random ones are alike.
pub const NONCE_BYTES: usize = 16;

/// Longest tenant or price, in bytes: what the one byte before a field can count.
const MAX_NAME_BYTES: usize = 255;

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Name of the tenant, as the configuration calls it.
    pub tenant: String,
    /// The user who is to have the credits.
    pub user: String,
    /// Price that is bought.
    pub price: String,
    /// How many of it; at least 1.
    pub quantity: i64,
    /// Credits of the whole purchase, in the unit's smallest part; none leaves them to the catalogue.
    pub credits: Option<i64>,
    /// Unit of the credits; none leaves it to the catalogue.
    pub unit: Option<String>,
    /// Last second, since 1970, at which a session may be created with it.
    pub expires_at: i64,
    /// Different for each checkout, so that a second use can be told.
    pub nonce: [u8; NONCE_BYTES],
}

/// Why terms cannot be signed, or, where they are signed already, are not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// Tenant.
    #[error("the tenant is blank, longer than {MAX_NAME_BYTES} bytes, or not plain text")]
    Tenant,
    /// User. Words such as `undefined` are nobody's id.
    #[error("the user is not an id of at most {} bytes", crate::evidence::MAX_USER_ID_BYTES)]
    User,
    /// Price.
    #[error("the price is blank, longer than {MAX_NAME_BYTES} bytes, or not plain text")]
    Price,
    /// Quantity.
    #[error("the quantity is not 1 to {MAX_QUANTITY}")]
    Quantity,
    /// Credits.
    #[error("the credits are not 1 to {MAX_CREDITS}")]
    Credits,
    /// Unit.
    #[error("the unit is blank, longer than {MAX_UNIT_BYTES} bytes, or not plain text")]
    Unit,
    /// Expiry.
    #[error("the expiry is not a time after 1970")]
    Expiry,
    /// User, price, tenant and unit are too long together.
    #[error(
        "a reference with these terms is longer than the {} characters that Stripe's metadata takes; shorten the price, \
         the tenant or the unit",
        super::MAX_METADATA_CHARS
    )]
    TooLong,
    /// Not eight fields as they are written: one missing or too many, a number with zeros in front, no UTF-8, a nonce of
    /// another length.
    #[error("the terms are not the eight fields of a reference")]
    Encoding,
}

impl Terms {
    /// The bytes that are signed.
    pub(super) fn encode(&self) -> Result<Vec<u8>, TermsError> {
        self.check()?;
        let mut bytes = Vec::new();
        push_field(&mut bytes, self.tenant.as_bytes());
        push_field(&mut bytes, self.user.as_bytes());
        push_field(&mut bytes, self.price.as_bytes());
        push_field(&mut bytes, &number(self.quantity));
        push_field(&mut bytes, &self.credits.map(number).unwrap_or_default());
        push_field(&mut bytes, self.unit.as_deref().unwrap_or_default().as_bytes());
        push_field(&mut bytes, &number(self.expires_at));
        push_field(&mut bytes, &self.nonce);
        Ok(bytes)
    }

    /// What these bytes say.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, TermsError> {
        let terms = read(bytes).ok_or(TermsError::Encoding)?;
        terms.check()?;
        Ok(terms)
    }

    fn check(&self) -> Result<(), TermsError> {
        let checks = [
            (is_name(&self.tenant), TermsError::Tenant),
            (user_id(&self.user) == Some(self.user.as_str()), TermsError::User),
            (is_name(&self.price), TermsError::Price),
            ((1..=MAX_QUANTITY).contains(&self.quantity), TermsError::Quantity),
            (self.credits.is_none_or(is_credits), TermsError::Credits),
            (self.unit.as_deref().is_none_or(is_unit), TermsError::Unit),
            (self.expires_at > 0, TermsError::Expiry),
        ];
        let wrong = checks.into_iter().find(|(holds, _)| !holds);
        wrong.map_or(Ok(()), |(_, error)| Err(error))
    }
}

/// Appends a field: one byte that counts its bytes, then these. So no two lists of fields are the same bytes.
///
/// # Panics
/// If it is longer than 255 bytes: whoever writes one has checked that.
pub(super) fn push_field(bytes: &mut Vec<u8>, field: &[u8]) {
    bytes.push(u8::try_from(field.len()).expect("a field has at most 255 bytes"));
    bytes.extend(field);
}

fn read(mut bytes: &[u8]) -> Option<Terms> {
    let mut fields = [[].as_slice(); 8];
    for field in &mut fields {
        let (length, rest) = bytes.split_first()?;
        (*field, bytes) = rest.split_at_checked(usize::from(*length))?;
    }
    let [tenant, user, price, quantity, credits, unit, expires_at, nonce] = fields;
    if !bytes.is_empty() {
        return None;
    }
    Some(Terms {
        tenant: text(tenant)?,
        user: text(user)?,
        price: text(price)?,
        quantity: read_number(quantity)?,
        credits: if credits.is_empty() { None } else { Some(read_number(credits)?) },
        unit: if unit.is_empty() { None } else { Some(text(unit)?) },
        expires_at: read_number(expires_at)?,
        nonce: nonce.try_into().ok()?,
    })
}

/// Big-endian, without zeros in front: no bytes at all for zero.
fn number(value: i64) -> Vec<u8> {
    value.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

fn read_number(field: &[u8]) -> Option<i64> {
    if field.first() == Some(&0) {
        return None;
    }
    field
        .iter()
        .try_fold(0_i64, |value, byte| value.checked_mul(256)?.checked_add(i64::from(*byte)))
}

fn text(field: &[u8]) -> Option<String> {
    str::from_utf8(field).ok().map(str::to_owned)
}

fn is_name(text: &str) -> bool {
    let is_plain = text.trim() == text && !text.contains(char::is_control);
    !text.is_empty() && text.len() <= MAX_NAME_BYTES && is_plain
}
