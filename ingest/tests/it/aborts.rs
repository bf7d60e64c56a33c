//! Clients that leave in the middle, which is normal traffic.

use tokio::io::AsyncWriteExt as _;

use crate::support::*;

/// How many leave.
const ABORTS: usize = 1000;

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_leave_at_any_byte_leave_nothing_behind() {
    let world = World::new().await;
    let aborting = (0..ABORTS).map(|n| {
        let body = event_body(&format!("evt_{n}"));
        let header = signature(SECRET, NOW, body.as_bytes());
        let head = format!("Stripe-Signature: {header}\r\nContent-Length: {}\r\n", body.len());
        let request = wire(&head, &body);
        // From nothing to everything.
        let sent = request.len() * n / (ABORTS - 1);
        let connecting = world.connect();
        async move {
            let mut stream = connecting.await;
            stream.set_zero_linger().unwrap();
            stream.write_all(&request.as_bytes()[..sent]).await.unwrap();
        }
    });
    for abort in aborting {
        abort.await;
    }
    let open = "SELECT pid::text FROM pg_stat_activity
                WHERE state LIKE 'idle in transaction%' AND datname = current_database()";
    for n in 0..100 {
        assert_eq!(answer(world.post(event_body(&format!("evt_next_{n}")))).await.0, 200);
        assert!(world.texts(open).await.is_empty());
    }
    let sql = "SELECT (max(pos) - count(*))::text FROM event WHERE tenant_id = 1";
    assert_eq!(world.texts(sql).await, ["0"], "positions are dense");
}
