//! Units: which kinds of credits a tenant has, remembered for a moment.

use std::sync::Arc;
use std::time::Duration;

use ledger::DEFAULT_UNIT;
use ledger::ids::Owner;
use moka::future::Cache;
use rules::worth::is_unit;
use service::problem::Problem;
use store::read::balance::account_unit_list;
use store::units::{Unit, unit_list};

use crate::error::{RouteError, invalid};
use crate::state::ApiState;

pub(crate) mod list;

/// How long a list is remembered: it changes when a process starts with another configuration.
const REMEMBERED: Duration = Duration::from_secs(5);

/// The units of the tenants.
pub(crate) struct Units {
    remembered: Cache<i32, Arc<[Unit]>>,
}

impl Default for Units {
    fn default() -> Self {
        Self { remembered: Cache::builder().time_to_live(REMEMBERED).build() }
    }
}

impl ApiState {
    /// What the tenant lists, by name; nothing if it lists none.
    pub(crate) async fn units(&self, tenant_id: i32) -> Result<Arc<[Unit]>, RouteError> {
        // Of those who need it at once one looks it up.
        let read = async { unit_list(&self.store.get().await?, tenant_id).await.map(Arc::from) };
        Ok(self.units.remembered.try_get_with(tenant_id, read).await?)
    }

    /// The unit that a request names, or the tenant's default one; refused if the tenant lists its units and this is none
    /// of them.
    pub(crate) async fn unit(
        &self,
        tenant_id: i32,
        named: Option<&str>,
    ) -> Result<Unit, RouteError> {
        Ok(choose(&self.units(tenant_id).await?, named)?)
    }

    /// The units in which a user is told what he has: those that the tenant lists; where it lists none, those that he has, or
    /// the default one. They are few. Whoever asks holds no connection meanwhile: it may take one.
    pub(crate) async fn units_of(
        &self,
        tenant_id: i32,
        user: &str,
    ) -> Result<Vec<Unit>, RouteError> {
        let mut units = self.units(tenant_id).await?.to_vec();
        if units.is_empty() {
            let account = Owner::User(user.to_owned()).account_id();
            let names = account_unit_list(&self.client().await?, tenant_id, account).await?;
            for name in names {
                units.push(self.unit(tenant_id, Some(&name)).await?);
            }
        }
        if units.is_empty() {
            units.push(self.unit(tenant_id, None).await?);
        }
        Ok(units)
    }
}

fn choose(units: &[Unit], named: Option<&str>) -> Result<Unit, Problem> {
    let unit = match named {
        Some(name) => units.iter().find(|unit| unit.name == name),
        None => units.iter().find(|unit| unit.is_default),
    };
    match (unit, named) {
        (Some(unit), _) => Ok(unit.clone()),
        (None, Some(name)) if !is_unit(name) => {
            Err(invalid("unit", "It is not the name of a unit."))
        }
        (None, named) if units.is_empty() => {
            let name = named.unwrap_or(DEFAULT_UNIT).to_owned();
            Ok(Unit { name, scale: 0, is_default: named.is_none() })
        }
        (None, _) => {
            let names: Vec<_> = units.iter().map(|unit| unit.name.as_str()).collect();
            Err(invalid("unit", format!("It is not one of the units: {}.", names.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(name: &str, scale: u8, is_default: bool) -> Unit {
        Unit { name: name.to_owned(), scale, is_default }
    }

    #[test]
    fn any_name_is_a_unit_where_none_is_listed() {
        assert_eq!(choose(&[], None).unwrap(), unit("credits", 0, true));
        assert_eq!(choose(&[], Some("seats")).unwrap(), unit("seats", 0, false));
        assert!(choose(&[], Some("two words")).is_err());
        assert!(choose(&[], Some("")).is_err());
    }

    #[test]
    fn where_some_are_listed_no_other_is_one() {
        let listed = [unit("eur", 2, true), unit("gpu", 3, false)];
        assert_eq!(choose(&listed, None).unwrap(), listed[0]);
        assert_eq!(choose(&listed, Some("gpu")).unwrap(), listed[1]);
        let refused = choose(&listed, Some("credits")).unwrap_err();
        assert_eq!(refused.param.as_deref(), Some("unit"));
        assert_eq!(refused.detail.as_deref(), Some("It is not one of the units: eur, gpu."));
    }
}
