//! The receiving side: a connection of its own that listens, and connects again for as long as it takes.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, pending, select};
use futures_util::stream::{TryStreamExt, poll_fn};
use tokio::sync::broadcast;
use tokio_postgres::{AsyncMessage, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{ACCOUNT_CHANNEL, Background, DECIDED_CHANNEL, EVENT_CHANNEL, Hint, PRESSED_CHANNEL};
use crate::connect::{client_config, connector};
use crate::error::Error;
use crate::url::PgUrl;

/// Hints that a receiver may be behind before it misses some. One that missed some polls everything, which is what it would
/// do with so many hints anyway.
const BACKLOG: usize = 256;

/// Pause before the second attempt to connect; it doubles with each further one, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Longest wait for the connection, login included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What its session calls itself.
const APPLICATION_NAME: &str = "tally_listener";

/// What whoever works behind the scenes listens to.
const CHANNELS: &[&str] = &[EVENT_CHANNEL, DECIDED_CHANNEL, PRESSED_CHANNEL];

/// What whoever shows balances listens to: each change of one as well.
const CHANNELS_WITH_ACCOUNTS: &[&str] = &[EVENT_CHANNEL, DECIDED_CHANNEL, ACCOUNT_CHANNEL];

/// Receives hints. It needs a connection of its own to the server: poolers in transaction mode do not pass them on.
pub struct Listener {
    hints: broadcast::Sender<Hint>,
    _task: Background,
}

impl Listener {
    /// Starts to listen to events and decisions; ends when it is dropped. The database may be down. Must be called within
    /// a Tokio runtime.
    pub fn start(direct_url: &PgUrl) -> Result<Self, Error> {
        Self::start_on(direct_url, CHANNELS)
    }

    /// The same, and to each change of a balance.
    pub fn start_with_accounts(direct_url: &PgUrl) -> Result<Self, Error> {
        Self::start_on(direct_url, CHANNELS_WITH_ACCOUNTS)
    }

    fn start_on(direct_url: &PgUrl, channels: &'static [&'static str]) -> Result<Self, Error> {
        let config = client_config(direct_url, APPLICATION_NAME);
        let (hints, _) = broadcast::channel(BACKLOG);
        let connecting = Connecting { config, tls: connector(direct_url)?, channels };
        let task = tokio::spawn(listen(connecting, hints.clone()));
        Ok(Self { hints, _task: Background(task) })
    }

    /// A receiver of all hints from now on. `Lagged` means the same to it as [`Hint::Reconnected`].
    pub fn subscribe(&self) -> broadcast::Receiver<Hint> {
        self.hints.subscribe()
    }
}

/// How to connect, and what to listen to then.
struct Connecting {
    config: Config,
    tls: MakeRustlsConnect,
    channels: &'static [&'static str],
}

async fn listen(connecting: Connecting, hints: broadcast::Sender<Hint>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let mut listening = false;
        let ended = session(&connecting, &hints, &mut listening).await;
        if listening {
            pause = FIRST_PAUSE;
            tracing::warn!(error = ended.err().map(tracing::field::display), "stopped listening");
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

/// Listens until the connection ends.
async fn session(
    Connecting { config, tls, channels }: &Connecting,
    hints: &broadcast::Sender<Hint>,
    listening: &mut bool,
) -> Result<(), Error> {
    let connecting = tokio::time::timeout(CONNECT_TIMEOUT, config.connect(tls.clone())).await;
    let connecting =
        connecting.map_err(|_| Error::unavailable("listening", "no answer in time"))?;
    let (client, mut connection) = connecting.map_err(|error| Error::connecting(&error))?;
    let failed = |error| Error::postgres("notify.listen", &error);
    // Nobody may be subscribed at the moment: sending then fails, which is fine.
    let mut messages = poll_fn(|context| connection.poll_message(context));
    let forward = async {
        while let Some(message) = messages.try_next().await? {
            if let AsyncMessage::Notification(note) = message
                && let Some(hint) = Hint::read(note.channel(), note.payload())
            {
                let _ = hints.send(hint);
            }
        }
        Ok(())
    };
    let register = async {
        let listen: Vec<_> = channels.iter().map(|channel| format!("LISTEN {channel}")).collect();
        client.batch_execute(&listen.join("; ")).await?;
        *listening = true;
        let _ = hints.send(Hint::Reconnected);
        pending().await
    };
    match select(pin!(forward), pin!(register)).await {
        Either::Left((ended, _)) | Either::Right((ended, _)) => ended.map_err(failed),
    }
}
