//! What the business chose: which names mean a user, and what may suffice.

use std::collections::BTreeSet;

use ledger::account::ClawbackPolicy;

use crate::reference::TenantKeys;

/// Seconds that a bare payment intent or charge waits for the session or invoice that makes it ours (DESIGN, section 5).
pub const WAIT_FOR_SESSION_SECONDS: i64 = 15 * 60;

/// The policy of one tenant.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Metadata keys that name a user (rank 3). All of them are read; those that differ are a conflict.
    pub user_id_keys: Vec<String>,
    /// Metadata keys that hold an e-mail (rank 5).
    pub email_keys: Vec<String>,
    /// Whether an unsigned `client_reference_id` suffices (rank 4). Anyone can edit it in a payment link's URL.
    pub accept_unsigned_reference: bool,
    /// What signed references are verified by (rank 1); without keys none of them proves anything.
    pub signing_keys: Option<TenantKeys>,
    /// Whether a user whom the directory does not know is added to it when evidence of the ranks 1 to 3 names him.
    pub create_users: bool,
    /// The connected accounts whose metadata one's own server sets. What others put there names users no better than an
    /// unsigned reference does, and says nothing of what was bought. `None`: those of all accounts are one's own.
    pub trusted_accounts: Option<BTreeSet<String>>,
    /// Whether lines that adjust a period count by their share of it; otherwise they give and take nothing.
    pub prorates: bool,
    /// What becomes of credits that are taken back after they were spent.
    pub clawback: ClawbackPolicy,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            user_id_keys: ["user_id", "user_id_backup", "session_user_id"]
                .map(str::to_owned)
                .to_vec(),
            email_keys: ["user_email", "session_email", "email"].map(str::to_owned).to_vec(),
            accept_unsigned_reference: false,
            signing_keys: None,
            create_users: false,
            trusted_accounts: None,
            prorates: true,
            clawback: ClawbackPolicy::default(),
        }
    }
}
