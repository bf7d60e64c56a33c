//! Amounts as people read them: with the digits behind the point that their unit has.

use serde::Deserialize;

use super::paging::List;
use super::remote::Remote;

/// A kind of credits, as the service lists it.
#[derive(Debug, Deserialize)]
pub(crate) struct Unit {
    name: String,
    scale: u8,
    default: bool,
}

/// An amount of the unit's smallest part, written with as many digits behind the point.
pub(crate) fn decimal(amount: i64, scale: u8) -> String {
    let width = usize::from(scale).saturating_add(1);
    let digits = format!("{:0>width$}", amount.unsigned_abs());
    let sign = if amount < 0 { "-" } else { "" };
    let (whole, part) = digits.split_at(digits.len().saturating_sub(usize::from(scale)));
    let point = if scale == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{part}")
}

/// The scale of the unit that is named, or of the default one.
pub(crate) async fn scale_of(service: &Remote, named: Option<&str>) -> anyhow::Result<u8> {
    let units: List<Unit> = service.get(&["units"], &[]).await?.read()?;
    let meant = |unit: &&Unit| named.map_or(unit.default, |name| unit.name == name);
    // The service lists none of its own where any name is a unit: those have no digits behind the point.
    Ok(units.data.iter().find(meant).map_or(0, |unit| unit.scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_point_stands_where_the_scale_says() {
        for (amount, scale, text) in [
            (0, 0, "0"),
            (1234, 0, "1234"),
            (1234, 2, "12.34"),
            (-1234, 2, "-12.34"),
            (5, 2, "0.05"),
            (-5, 3, "-0.005"),
            (0, 2, "0.00"),
            (i64::MIN, 18, "-9.223372036854775808"),
        ] {
            assert_eq!(decimal(amount, scale), text);
        }
    }
}
