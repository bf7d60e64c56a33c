//! The receiving side: a connection of its own that listens, and connects again for as long as it takes.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, pending, select};
use futures_util::stream::{TryStreamExt, poll_fn};
use tokio::sync::broadcast;
use tokio_postgres::{AsyncMessage, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Background, DECIDED_CHANNEL, EVENT_CHANNEL, Hint};
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

/// Receives hints. It needs a connection of its own to the server: poolers in transaction mode do not pass them on.
pub struct Listener {
    hints: broadcast::Sender<Hint>,
    _task: Background,
}

impl Listener {
    /// Starts to listen; ends when it is dropped. The database may be down. Must be called within a Tokio runtime.
    pub fn start(direct_url: &PgUrl) -> Result<Self, Error> {
        let config = client_config(direct_url, APPLICATION_NAME);
        let (hints, _) = broadcast::channel(BACKLOG);
        let task = tokio::spawn(listen(config, connector(direct_url)?, hints.clone()));
        Ok(Self { hints, _task: Background(task) })
    }

    /// A receiver of all hints from now on. `Lagged` means the same to it as [`Hint::Reconnected`].
    pub fn subscribe(&self) -> broadcast::Receiver<Hint> {
        self.hints.subscribe()
    }
}

async fn listen(config: Config, tls: MakeRustlsConnect, hints: broadcast::Sender<Hint>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let mut listening = false;
        let ended = session(&config, tls.clone(), &hints, &mut listening).await;
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
    config: &Config,
    tls: MakeRustlsConnect,
    hints: &broadcast::Sender<Hint>,
    listening: &mut bool,
) -> Result<(), Error> {
    let connecting = tokio::time::timeout(CONNECT_TIMEOUT, config.connect(tls)).await;
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
        let sql = format!("LISTEN {EVENT_CHANNEL}; LISTEN {DECIDED_CHANNEL}");
        client.batch_execute(&sql).await?;
        *listening = true;
        let _ = hints.send(Hint::Reconnected);
        pending().await
    };
    match select(pin!(forward), pin!(register)).await {
        Either::Left((ended, _)) | Either::Right((ended, _)) => ended.map_err(failed),
    }
}
