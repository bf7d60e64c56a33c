//! What is understood of a notification.

use super::*;

#[test]
fn only_our_own_messages_are_read() {
    let events = Some(Hint::Events { tenant_id: 7, slots: 0x8000_0000_0000_0001 });
    let decided = Some(Hint::Decided { tenant_id: 7 });
    let accounts = |accounts: &[u128]| {
        let accounts = accounts.iter().map(|account| AccountId(Uuid::from_u128(*account)));
        Some(Hint::Accounts { tenant_id: 7, accounts: accounts.collect() })
    };
    for (channel, payload, hint) in [
        ("tally_event", "7:8000000000000001", events),
        ("tally_decided", "7", decided),
        ("tally_event", "7", None),
        ("tally_event", "7:", None),
        ("tally_event", "x:1", None),
        ("tally_event", "7:1ffffffffffffffff", None),
        ("tally_decided", "", None),
        ("tally_pressed", "7", Some(Hint::Pressed { tenant_id: 7 })),
        ("tally_pressed", "7:1", None),
        ("tally_account", "7:", accounts(&[])),
        (
            "tally_account",
            "7:00000000000000000000000000000001,00000000-0000-0000-0000-0000000000ff",
            accounts(&[1, 255]),
        ),
        ("tally_account", "7:1", None),
        ("tally_account", "7", None),
        ("other", "7", None),
    ] {
        assert_eq!(Hint::read(channel, payload), hint, "{channel} {payload}");
    }
}
