//! A webhook at work, deliveries for it, and a look into its log.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, Once};
use std::time::Duration;

use ingest::{Config, Endpoint, Limits, Outside, Tenants};
use jiff::Timestamp;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use service::clock::{Clock, Hands};
use service::shutdown::Shutdown;
use store::notify::Notifier;
use store::tenant::ensure;
use store::{PgUrl, Role, Store};
use stripe::signature::{Secret, sign};
use testkit::TestDatabase;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The time at which every test begins.
pub(crate) const NOW: i64 = 1_700_000_000;

/// The endpoint without a name: test mode, two secrets.
pub(crate) const PATH: &str = "/v1/webhooks/stripe";
/// The endpoint of live secrets.
pub(crate) const LIVE_PATH: &str = "/v1/webhooks/stripe/live";

pub(crate) const SECRET: &str = "whsec_5f0c2a9be41d4c7c8a36e1f7";
pub(crate) const ROLLED_SECRET: &str = "whsec_0b7d93c2e85f4a61b3c4d2f9";
pub(crate) const LIVE_SECRET: &str = "whsec_9a1e4c7f2b8d4053a6f1c0e8";

/// What a test may choose.
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) http: service::http::Limits,
}

impl Default for Setup {
    fn default() -> Self {
        // Tests wait for facts on a machine that may be busy, so answers get more time than in production.
        let limits = Limits { answer_timeout: testkit::WAIT_MAX, ..Limits::default() };
        Self { limits, http: service::http::Limits::default() }
    }
}

/// A webhook that serves, on a database of its own.
pub(crate) struct World {
    pub(crate) database: Option<TestDatabase>,
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    pub(crate) hands: Hands,
    pub(crate) test_tenant: i32,
    pub(crate) live_tenant: i32,
    pub(crate) shutdown: Shutdown,
    /// What the webhook was lent, for whatever else is to run beside it.
    pub(crate) outside: Outside,
    admin: Store,
    url: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        keep_log();
        let database = testkit::database().await;
        let url = database.url.clone();
        Self { database: Some(database), ..Self::at(url, setup).await }
    }

    /// A webhook on a database that the test keeps.
    pub(crate) async fn at(url: String, setup: Setup) -> Self {
        let admin = store_at(&url, Role::Login);
        let tenant =
            async |live| ensure(&admin, "shop", live, Timestamp::UNIX_EPOCH).await.unwrap();
        let (test, live) = (tenant(false).await.tenant_id, tenant(true).await.tenant_id);
        let (clock, hands) = Clock::manual(Timestamp::from_second(NOW).unwrap());
        let outside = Outside {
            store: store_at(&url, Role::Ingest),
            notifier: Notifier::start(&PgUrl::parse(&url).unwrap()).unwrap(),
            clock,
        };
        let config = Config {
            endpoints: vec![
                endpoint(None, Tenants::Test(test), &[SECRET, ROLLED_SECRET]),
                endpoint(Some("live"), Tenants::Live { live, test }, &[LIVE_SECRET]),
            ],
            alias_root: true,
            limits: setup.limits,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let (stop, lent) = (shutdown.clone(), outside.clone());
        shutdown.spawn("ingest", async move {
            ingest::run(listener, config, &lent, setup.http, &stop).await.unwrap();
        });
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let tenants = (test, live);
        Self {
            database: None,
            address,
            client,
            hands,
            test_tenant: tenants.0,
            live_tenant: tenants.1,
            shutdown,
            outside,
            admin,
            url,
        }
    }

    /// A delivery that is signed as Stripe signs.
    pub(crate) fn post(&self, body: impl AsRef<[u8]>) -> RequestBuilder {
        self.post_as(PATH, SECRET, body)
    }

    pub(crate) fn post_as(
        &self,
        path: &str,
        secret: &str,
        body: impl AsRef<[u8]>,
    ) -> RequestBuilder {
        let header = signature(secret, NOW, body.as_ref());
        self.unsigned(path, body).header("Stripe-Signature", header)
    }

    pub(crate) fn unsigned(&self, path: &str, body: impl AsRef<[u8]>) -> RequestBuilder {
        self.client.post(self.to(path)).body(body.as_ref().to_vec())
    }

    pub(crate) fn to(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Everything that comes back for `bytes` until the server closes. It may close while we still write.
    pub(crate) async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        let _closed = stream.write_all(bytes).await;
        read_to_close(&mut stream).await
    }

    /// A session as the superuser.
    pub(crate) async fn superuser(&self) -> tokio_postgres::Client {
        superuser(&self.url).await
    }

    /// Rows of a query that returns text, as the superuser.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let client = self.superuser().await;
        client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// How many events the tenant's log has.
    pub(crate) async fn stored(&self, tenant_id: i32) -> usize {
        let sql = format!("SELECT source_id FROM event WHERE tenant_id = {tenant_id}");
        self.texts(&sql).await.len()
    }

    /// An event of the test tenant.
    pub(crate) async fn event(&self, pos: i64) -> store::log::Event {
        let client = self.admin.get().await.unwrap();
        store::log::event_get(&client, self.test_tenant, pos).await.unwrap().unwrap()
    }

    /// Ends the webhook as a signal would.
    pub(crate) async fn drain(&self) {
        self.shutdown.begin();
        self.shutdown.drained(testkit::WAIT_MAX).await.unwrap();
    }
}

/// The log of all tests of this process, one JSON object a line.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps the log in memory from now on. One subscriber for the process: those of single threads are not told of lines
/// that another thread came across first.
fn keep_log() {
    static KEPT: Once = Once::new();
    KEPT.call_once(|| {
        tracing_subscriber::fmt().json().flatten_event(true).with_writer(|| Log).init();
    });
}

pub(crate) fn log() -> String {
    String::from_utf8(LOG.lock().unwrap().clone()).unwrap()
}

/// A session as the superuser.
pub(crate) async fn superuser(url: &str) -> tokio_postgres::Client {
    let mut config: tokio_postgres::Config = url.parse().unwrap();
    config.options("-c search_path=tally");
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn store_at(url: &str, role: Role) -> Store {
    Store::connect(&PgUrl::parse(url).unwrap(), role, 4).unwrap().allow_unsafe_settings()
}

fn endpoint(name: Option<&str>, tenants: Tenants, secrets: &[&str]) -> Endpoint {
    let secrets = secrets.iter().map(|secret| Secret::parse(secret).unwrap()).collect();
    Endpoint { name: name.map(ToOwned::to_owned), tenants, secrets }
}

/// The value of `Stripe-Signature`.
pub(crate) fn signature(secret: &str, unix_seconds: i64, body: &[u8]) -> String {
    sign(&Secret::parse(secret).unwrap(), unix_seconds, body)
}

/// A small event.
pub(crate) fn event_body(id: &str) -> String {
    event_with(id, &json!({}))
}

/// A small event with more members.
pub(crate) fn event_with(id: &str, members: &Value) -> String {
    let mut event = json!({
        "id": id, "object": "event", "type": "charge.succeeded", "created": NOW - 5, "livemode": false,
        "data": {"object": {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"}},
    });
    for (name, value) in members.as_object().unwrap() {
        event[name] = value.clone();
    }
    event.to_string()
}

/// Status and JSON of an answer, after checking what every answer has.
pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response: Response = request.send().await.unwrap();
    let status = response.status().as_u16();
    assert!(response.headers()["request-id"].to_str().unwrap().starts_with("req_"));
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers().contains_key("retry-after"), status == 503, "{status}");
    (status, response.json().await.unwrap())
}

/// What [`answer`] gives for an event that was stored at `position`.
pub(crate) fn stored_at(position: i64) -> (u16, Value) {
    (200, json!({"received": true, "status": "stored", "position": position}))
}

/// What [`answer`] gives for an event that stood at `position` already.
pub(crate) fn duplicate_of(position: i64) -> (u16, Value) {
    (200, json!({"received": true, "status": "duplicate", "position": position}))
}

/// What [`answer`] gives for a refusal.
pub(crate) fn refused(status: u16, error: &str) -> (u16, Value) {
    (status, json!({"error": error}))
}

/// A request as it goes over the wire.
pub(crate) fn wire(headers: &str, body: &str) -> String {
    format!("POST {PATH} HTTP/1.1\r\nHost: test\r\n{headers}\r\n{body}")
}

pub(crate) async fn read_to_close(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    // The server may have unread bytes of ours when it closes, which shows as a reset behind its answer.
    while let Ok(len @ 1..) = within(stream.read(&mut piece)).await {
        text.extend_from_slice(&piece[..len]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Fails instead of hanging.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(testkit::WAIT_MAX, work).await.expect("an answer within the longest wait")
}

/// A time that is short even on a busy machine.
pub(crate) const SHORT: Duration = Duration::from_millis(200);
