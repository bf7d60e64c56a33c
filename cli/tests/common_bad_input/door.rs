//! The webhook that all rows go to, and what is compared.

use std::fmt::Write as _;
use std::time::Duration;

use ingest::Tenants;
use projector::Tenant;
use store::Role;
use testkit::delivery::sign;

use super::bodies::Broken;
use super::wire::{Reply, exchange, header};
use crate::common_webhook::{NOW, Webhook, endpoint, patient, store_as, tenant};

/// The endpoint without a name: test mode, two secrets.
pub(crate) const PATH: &str = "/v1/webhooks/stripe";
pub(crate) const SECRET: &str = "whsec_5f0c2a9be41d4c7c8a36e1f7";
pub(crate) const ROLLED_SECRET: &str = "whsec_0b7d93c2e85f4a61b3c4d2f9";
/// Of the endpoint `live`, whose mode is the other one.
pub(crate) const LIVE_SECRET: &str = "whsec_9a1e4c7f2b8d4053a6f1c0e8";

/// What is to come back.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// 200, and the event stands at the next position.
    Stored,
    /// So many of these.
    AllStored(i64),
    /// 200, and the event stood at this position before.
    DuplicateOf(i64),
    /// This status and error.
    Refused(u16, &'static str),
    /// This status and no body.
    Bare(u16),
    /// The connection ends without an answer.
    Closed,
}

/// The one answer to whatever is wrong with a signature.
pub(crate) const INVALID: Answer = Answer::Refused(400, "invalid_signature");

/// A request and its answer.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) request: Vec<u8>,
    pub(crate) answer: Answer,
}

/// A webhook with the tenants of both modes.
pub(crate) struct Door {
    webhook: Webhook,
    test: Tenant,
}

impl Door {
    /// A new one; with other limits of time for headers and bodies, if they are to be waited for.
    pub(crate) async fn open(patience: Option<Duration>) -> Self {
        let database = testkit::database().await;
        let login = store_as(&database, Role::Login);
        let test = tenant(&login, "shop", false).await;
        let live = tenant(&login, "shop", true).await;
        let both = Tenants::Live { live: live.tenant_id, test: test.tenant_id };
        let endpoints = vec![
            endpoint(None, Tenants::Test(test.tenant_id), &[SECRET, ROLLED_SECRET]),
            endpoint(Some("live"), both, &[LIVE_SECRET]),
        ];
        let (mut limits, mut http) = (patient(), service::http::Limits::default());
        if let Some(patience) = patience {
            limits.body_timeout = patience;
            http.header_read_timeout = patience;
        }
        let webhook = Webhook::serve(database, endpoints, limits, http).await;
        Self { webhook, test }
    }

    /// Sends all rows, fails with a table of all wrong answers, and returns how many events were stored.
    pub(crate) async fn check(&self, rows: Vec<Row>) -> i64 {
        let (mut wrong, mut stored) = (String::new(), 0);
        for row in rows {
            let replies = exchange(self.webhook.address, &row.request).await;
            let expected = expected(row.answer, &mut stored);
            let came: Vec<(u16, String)> =
                replies.iter().map(|reply| (reply.status, reply.body.clone())).collect();
            if came != expected || !replies.iter().all(is_well_formed) {
                let name = row.name;
                writeln!(wrong, "{name}\n    expected {expected:?}\n    came     {replies:?}")
                    .unwrap();
            }
        }
        assert!(wrong.is_empty(), "\n{wrong}");
        stored
    }

    /// Decides everything, and holds the log, the decisions and the cases to what was delivered.
    pub(crate) async fn check_log(&self, broken: &[Broken]) {
        let tenant = self.test.tenant_id;
        projector::drain(&self.webhook.projector, &self.test).await.unwrap();
        let sql = self.webhook.database.superuser().await;
        let rows = sql
            .query(
                "SELECT body, nullif(source_id, 'sha256:' || encode(sha256(body), 'hex'))
                 FROM event WHERE tenant_id = $1 ORDER BY pos",
                &[&tenant],
            )
            .await
            .unwrap();
        assert_eq!(rows.len(), broken.len(), "each stands in the log once");
        let mut wrong = String::new();
        for ((pos, broken), row) in (1..).zip(broken).zip(&rows) {
            let became = self.webhook.verdict(tenant, pos).await;
            let id: Option<&str> = row.get(1);
            let same = row.get::<_, &[u8]>(0) == broken.bytes;
            if became != broken.verdict || id != broken.id || !same {
                let (name, expected) = (broken.name, (broken.verdict, broken.id));
                writeln!(wrong, "{name}\n    expected {expected:?}\n    became   {became:?}, {id:?}, same bytes: {same}")
                    .unwrap();
            }
        }
        assert!(wrong.is_empty(), "\n{wrong}");
        let cases = "SELECT count(*) FROM review_case WHERE tenant_id = $1 AND state = 1";
        let open: i64 = sql.query_one(cases, &[&tenant]).await.unwrap().get(0);
        let held = broken.iter().filter(|one| one.verdict.starts_with("in_review")).count();
        assert_eq!(usize::try_from(open).unwrap(), held, "one open case for each in review");
    }

    /// Shows that it still answers, and that nothing is stored but what should be.
    pub(crate) async fn close(self, stored: i64) {
        let last = signed(&event("evt_last"));
        let replies = exchange(self.webhook.address, &last).await;
        let position = stored + 1;
        let body = format!(r#"{{"received":true,"status":"stored","position":{position}}}"#);
        let [Reply { status: 200, body: got, .. }] = &replies[..] else { panic!("{replies:?}") };
        assert_eq!(*got, body);
        let sql = self.webhook.database.superuser().await;
        let count = "SELECT count(*), count(*) FILTER (WHERE tenant_id = $1) FROM event";
        let row = sql.query_one(count, &[&self.test.tenant_id]).await.unwrap();
        assert_eq!(
            (row.get(0), row.get(1)),
            (position, position),
            "events in all and of test mode"
        );
        drop(sql);
        self.webhook.stop().await;
    }
}

/// Statuses and bodies as CONTRACT, section 4, has them.
fn expected(answer: Answer, stored: &mut i64) -> Vec<(u16, String)> {
    let received = |status, position| {
        (200, format!(r#"{{"received":true,"status":"{status}","position":{position}}}"#))
    };
    let mut next = || {
        *stored += 1;
        received("stored", *stored)
    };
    match answer {
        Answer::Stored => vec![next()],
        Answer::AllStored(count) => (0..count).map(|_| next()).collect(),
        Answer::DuplicateOf(position) => vec![received("duplicate", position)],
        Answer::Refused(status, error) => vec![(status, format!(r#"{{"error":"{error}"}}"#))],
        Answer::Bare(status) => vec![(status, String::new())],
        Answer::Closed => Vec::new(),
    }
}

/// What every answer that has a body has besides.
fn is_well_formed(reply: &Reply) -> bool {
    let allow = header(&reply.head, "allow");
    (reply.body.is_empty() || header(&reply.head, "content-type") == Some("application/json"))
        && (reply.status != 405 || allow == Some("post"))
}

/// A request with these lines of headers and a body of this length.
pub(crate) fn request(headers: &[u8], body: &[u8]) -> Vec<u8> {
    let line = format!("POST {PATH} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    let len = format!("Content-Length: {}\r\n", body.len());
    [line.as_bytes(), len.as_bytes(), headers, b"\r\n", body].concat()
}

/// The same, signed as it should be.
pub(crate) fn signed(body: &[u8]) -> Vec<u8> {
    request(signature_line(body).as_bytes(), body)
}

/// The line of the right signature.
pub(crate) fn signature_line(body: &[u8]) -> String {
    format!("Stripe-Signature: {}\r\n", sign(SECRET, NOW, body))
}

/// A small event.
pub(crate) fn event(id: &str) -> Vec<u8> {
    format!(r#"{{"id":"{id}","object":"event","type":"ping","data":{{"object":{{}}}}}}"#)
        .into_bytes()
}
