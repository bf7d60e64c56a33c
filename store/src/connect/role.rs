//! Which Postgres role a connection takes on, and the settings that go with it.

use std::time::Duration;

/// Longest statement of a running process. Its statements are small; one that takes longer is stuck.
const PROCESS_STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest statement of a person's command: `verify` reads whole tables.
const COMMAND_STATEMENT_TIMEOUT: Duration = Duration::from_mins(10);

/// Longest wait for a lock, so that a stuck holder shows as an error and not as a standstill.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest silence inside a transaction. A process that is stopped in the middle loses its locks to the others after it.
const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);

/// Whom a connection acts as: the process's own role, which has exactly the verbs that the process needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The login itself, without SET ROLE: for administration.
    Login,
    /// Appends deliveries.
    Ingest,
    /// Decides and posts.
    Projector,
    /// Clockwork.
    Keeper,
    /// Sends the outbox.
    Relay,
    /// Serves the app and staff.
    Api,
    /// May call the erasure function, and nothing else.
    Eraser,
    /// May read everything but keys.
    Reader,
}

impl Role {
    /// The role's name in Postgres; none for the login itself.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Login => None,
            Self::Ingest => Some("tally_ingest"),
            Self::Projector => Some("tally_projector"),
            Self::Keeper => Some("tally_keeper"),
            Self::Relay => Some("tally_relay"),
            Self::Api => Some("tally_api"),
            Self::Eraser => Some("tally_eraser"),
            Self::Reader => Some("tally_reader"),
        }
    }

    /// What its sessions call themselves in `pg_stat_activity`.
    pub(super) fn application_name(self) -> &'static str {
        self.name().unwrap_or("tally_login")
    }

    fn statement_timeout(self) -> Duration {
        match self {
            Self::Login | Self::Eraser | Self::Reader => COMMAND_STATEMENT_TIMEOUT,
            Self::Ingest | Self::Projector | Self::Keeper | Self::Relay | Self::Api => {
                PROCESS_STATEMENT_TIMEOUT
            }
        }
    }

    /// A process looks up a bounded list of keys, each by an index. While a table grows faster than its statistics are
    /// renewed, the planner would rather read it whole, or into a hash table, under the locks of an append; so it is told
    /// not to. Nor does a plan that is kept sort, where an index has the order: the order leads it to the index.
    fn planning(self, plans: Plans, set: &str) -> String {
        let sort = match plans {
            Plans::Fresh => String::new(),
            Plans::Kept => format!("; {set} enable_sort = off"),
        };
        match self {
            Self::Login | Self::Eraser | Self::Reader => String::new(),
            Self::Ingest | Self::Projector | Self::Keeper | Self::Relay | Self::Api => format!(
                "; {set} enable_seqscan = off; {set} enable_hashjoin = off; \
                 {set} enable_mergejoin = off; {set} jit = off{sort}"
            ),
        }
    }

    /// The statements that make a session, or with `SET LOCAL` a transaction, act as this role.
    pub(super) fn settings(self, plans: Plans, set: &str) -> String {
        let role = self.name().map(|name| format!("{set} ROLE {name}; ")).unwrap_or_default();
        format!(
            "{role}\
             {set} search_path = tally; \
             {set} statement_timeout = {statement}; \
             {set} lock_timeout = {lock}; \
             {set} idle_in_transaction_session_timeout = {idle}; \
             {set} plan_cache_mode = {plan_cache_mode}{planning}",
            plan_cache_mode = plans.cache_mode(),
            planning = self.planning(plans, set),
            statement = self.statement_timeout().as_millis(),
            lock = LOCK_TIMEOUT.as_millis(),
            idle = IDLE_IN_TRANSACTION_TIMEOUT.as_millis(),
        )
    }
}

/// What becomes of the plan of a statement that was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plans {
    /// Every execution is planned for the tables as they are now. A plan that was kept from when the tables were empty
    /// reads them from end to end once they are large, until the statistics are renewed.
    Fresh,
    /// It is planned once for all values: for statements that are written so that there is only one way to go.
    Kept,
}

impl Plans {
    const fn cache_mode(self) -> &'static str {
        match self {
            Self::Fresh => "force_custom_plan",
            Self::Kept => "force_generic_plan",
        }
    }
}
