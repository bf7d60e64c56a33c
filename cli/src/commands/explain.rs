//! `tally explain`: the story of anything, for whoever has to answer "where are my credits?".

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;
use store::keys::KeyRole;

use super::remote::Remote;
use super::text::{paragraph, when};
use crate::exit::Exit;
use crate::output::Format;

/// Tell the story of anything: where credits came from, or what they wait for
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A user, an event or its position, a payment or any of its objects (cs_…, pi_…, ch_…), a case, a posting, a grant
    id: String,
}

#[derive(Debug, Deserialize)]
struct Explanation {
    title: String,
    story: Vec<Beat>,
    now: String,
}

#[derive(Debug, Deserialize)]
struct Beat {
    at: Timestamp,
    text: String,
    /// Which signed bytes, or which posting, show it.
    proof: Option<String>,
}

/// Puts a proof under the text that it belongs to: as wide as a time and two spaces.
const PROOF_INDENT: &str = "                     ";

impl Explain {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let service = Remote::new(KeyRole::Support)?;
        service.get(&["explain", &self.id], &[]).await?.show(format, tell)?;
        Ok(Exit::Fine)
    }
}

fn tell(explanation: &Explanation) -> String {
    let beats: String = explanation
        .story
        .iter()
        .map(|beat| {
            let proof =
                beat.proof.as_ref().map(|proof| paragraph(PROOF_INDENT, &format!("[{proof}]")));
            paragraph(&format!("{}  ", when(beat.at)), &beat.text) + &proof.unwrap_or_default()
        })
        .collect();
    let title = paragraph("", &explanation.title);
    let now = paragraph("Now:  ", &explanation.now);
    let parts = [title, beats, now];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_reads_from_top_to_bottom() {
        let beat = Beat {
            at: "2026-11-21T10:00:00Z".parse().unwrap(),
            text: "Stripe told us that a checkout was completed.".into(),
            proof: Some("event evt_1, position 4".into()),
        };
        let told = tell(&Explanation {
            title: "Payment pi_1 of 9.90 EUR: 50 credits credited to user u_1".into(),
            story: vec![beat],
            now: "Settled.".into(),
        });
        let expected = "Payment pi_1 of 9.90 EUR: 50 credits credited to user u_1\n\n\
                        2026-11-21 10:00:00  Stripe told us that a checkout was completed.\n                     [event evt_1, position 4]\n\nNow:  Settled.\n";
        assert_eq!(told, expected);
    }
}
