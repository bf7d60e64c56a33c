//! The processes: a private Postgres with durable commits, and any number of services, which can be killed and come back
//! at the same addresses.

use std::fs::{self, File, OpenOptions};
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use private_postgres::{Options, Server};
use store::keys::{KeyRole, NewKey};
use store::log::{NewEvent, append};
use store::statement::{Statement, query};
use store::{PgUrl, Role, Store};
use tempfile::TempDir;
use testkit::wait_for;
use tokio::process::{Child, Command};

/// What a server for this work is set to: connections for all processes, and memory and log that fit a small machine of
/// today; Postgres's own defaults fit the smallest one.
const SETTINGS: [(&str, &str); 3] =
    [("max_connections", "150"), ("shared_buffers", "512MB"), ("max_wal_size", "4GB")];

/// Pause before something is tried again that a crash broke.
pub(crate) const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// The tenant of a configuration without a file.
const TENANT: &str = "default";

/// What the server writes to its log when a client vanishes in the middle of a transaction: it is rolled back then.
const VANISHED: &str = "on client connection with an open transaction";

const ANALYZE: Statement = Statement {
    sql: "-- chaos.analyze
VACUUM ANALYZE",
    params: &[],
    columns: &[],
};

/// Postgres and the processes around it.
pub(crate) struct Cluster {
    pub(crate) processes: Vec<Process>,
    pub(crate) url: String,
    pub(crate) store: Store,
    pub(crate) tenant_id: i32,
    /// The server's logs of the runs before this one.
    past_logs: String,
    folder: TempDir,
    // Last: what is connected to it ends before.
    server: Server,
}

/// A service.
pub(crate) struct Process {
    role: &'static str,
    /// Where it takes deliveries, if its role does.
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    child: Child,
}

impl Cluster {
    /// Starts Postgres and so many processes of each role.
    pub(crate) async fn start(ingests: usize, projectors: usize) -> Self {
        let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let options = Options { settings, ..Options::default() };
        let server = tokio::task::block_in_place(|| Server::start(&options)).unwrap();
        let url = server.url("postgres");
        let _all = migrations::run(&url).await.unwrap();
        let store = Store::connect(&PgUrl::parse(&url).unwrap(), Role::Login, 8).unwrap();
        let tenant = store::tenant::ensure(&store, TENANT, false, Timestamp::UNIX_EPOCH).await;
        let folder = tempfile::tempdir().unwrap();
        let mut cluster = Self {
            processes: Vec::new(),
            url,
            store,
            tenant_id: tenant.unwrap().tenant_id,
            past_logs: String::new(),
            folder,
            server,
        };
        let roles = [("ingest", ingests), ("projector", projectors)];
        for (role, count) in roles {
            for _ in 0..count {
                cluster.start_one(role);
            }
        }
        cluster
    }

    /// Starts a process that serves the API; where it does, once it does.
    pub(crate) async fn start_api(&mut self) -> SocketAddr {
        let address = self.start_one("api");
        wait_for("the API", async || tokio::net::TcpStream::connect(address).await.ok()).await;
        address
    }

    /// Starts another process of this role; where it will serve, if it does.
    pub(crate) fn start_one(&mut self, role: &'static str) -> SocketAddr {
        let (address, admin) = (free_address(), free_address());
        let child = self.spawn(role, address, admin);
        self.processes.push(Process { role, address, admin, child });
        address
    }

    /// A key of the API for the app.
    pub(crate) async fn key(&self) -> String {
        let new = NewKey {
            tenant_id: self.tenant_id,
            livemode: false,
            role: KeyRole::App,
            scopes: None,
            name: "app".to_owned(),
            expires_at: None,
        };
        let made = store::keys::create(&self.store, &new, Timestamp::UNIX_EPOCH).await;
        made.unwrap().1.expose().to_owned()
    }

    /// Has Postgres look at its tables, as it does by itself from time to time.
    pub(crate) async fn analyze(&self) {
        let client = self.store.get().await.unwrap();
        query(&client, &ANALYZE, &[]).await.unwrap();
    }

    /// Where deliveries can go.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses_of("ingest")
    }

    /// Where the processes of this role serve.
    pub(crate) fn addresses_of(&self, role: &str) -> Vec<SocketAddr> {
        let those = self.processes.iter().filter(|process| process.role == role);
        those.map(|process| process.address).collect()
    }

    /// Kills these processes at once, each a bit of `victims`, and starts them again.
    pub(crate) async fn kill_processes(&mut self, victims: u32) {
        let is_victim = |number: &usize| victims >> number & 1 == 1;
        let numbers: Vec<usize> = (0..self.processes.len()).filter(is_victim).collect();
        for number in &numbers {
            self.processes[*number].child.start_kill().unwrap();
        }
        for number in numbers {
            self.processes[number].child.wait().await.unwrap();
            let Process { role, address, admin, .. } = self.processes[number];
            self.processes[number].child = self.spawn(role, address, admin);
        }
    }

    /// Kills every process of Postgres at once, and starts it again.
    pub(crate) fn kill_postgres(&mut self) {
        tokio::task::block_in_place(|| {
            self.server.kill().unwrap();
            self.past_logs += &fs::read_to_string(self.server.log()).unwrap();
            self.server.restart().unwrap();
        });
    }

    /// Everything that the server ever wrote to its log.
    pub(crate) fn server_log(&self) -> String {
        self.past_logs.clone() + &fs::read_to_string(self.server.log()).unwrap()
    }

    /// How many transactions the server rolled back because their process was killed.
    pub(crate) fn rolled_back_by_kills(&self) -> usize {
        self.server_log().lines().filter(|line| line.contains(VANISHED)).count()
    }

    /// Ends with the processes' own words if one of them ended by itself.
    pub(crate) fn assert_all_running(&mut self) {
        for number in 0..self.processes.len() {
            let ended = self.processes[number].child.try_wait().unwrap();
            assert_eq!(ended, None, "a process ended by itself:\n{}", self.words());
        }
    }

    /// What the processes said: warnings and errors.
    pub(crate) fn words(&self) -> String {
        fs::read_to_string(self.folder.path().join("words")).unwrap_or_default()
    }

    /// Runs a command of `tally`, and returns its exit code.
    pub(crate) async fn tally(&self, arguments: &[&str]) -> Option<i32> {
        self.tally_in(arguments, &[]).await
    }

    /// Runs a command of `tally` with these variables, and returns its exit code.
    pub(crate) async fn tally_in(
        &self,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Option<i32> {
        let mut command = self.command();
        command.args(arguments).envs(variables.iter().copied()).stdout(self.open_words());
        command.status().await.unwrap().code()
    }

    /// Appends facts of our own, as often as it takes.
    pub(crate) async fn tell(&self, events: &[NewEvent]) {
        while let Err(error) = append(&self.store, self.tenant_id, events).await {
            assert!(error.is_transient(), "cannot append: {error}");
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    fn spawn(&self, role: &str, address: SocketAddr, admin: SocketAddr) -> Child {
        let mut command = self.command();
        command.args(["serve", "--role", role]).stdout(Stdio::null());
        command.env("TALLY_LISTEN", address.to_string());
        command.env("TALLY_ADMIN_LISTEN", admin.to_string());
        command.spawn().unwrap()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tally"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.path()).env("DATABASE_URL", &self.url);
        command.env("TALLY_MODE", "test").env("RUST_LOG", "warn");
        command.env("STRIPE_WEBHOOK_SECRET", testkit::delivery::SECRET);
        command.stdin(Stdio::null()).stderr(self.open_words()).kill_on_drop(true);
        command
    }

    fn open_words(&self) -> File {
        let path = self.folder.path().join("words");
        OpenOptions::new().create(true).append(true).open(path).unwrap()
    }
}

/// An address that nobody listens at now.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
