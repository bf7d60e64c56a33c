"""Triggers events by Stripe's CLI against the fake Stripe, and checks what became of them.

The CLI makes its own products and prices. So their credits are said afterwards, as by a shop that forgot to: the
catalogue heals the open case.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tally_up import TARGET, WEBHOOK_SECRET, ask, expect, free_port, process, ready_url, tally_up  # noqa: E402

API_KEY = "sk_test_any_key_will_do"

# Stripe's habits: some deliveries come twice, and they overtake each other.
HABITS = ["--duplicate", "30", "--disorder", "40"]


class FakeStripe:
    def __init__(self, url, home):
        self.url = url
        self.home = home

    def get(self, path):
        return ask("GET", self.url + path, {"Authorization": f"Bearer {API_KEY}"})

    def events(self):
        """Ids of all events so far."""
        ids, page = [], self.get("/v1/events?limit=100")
        while page["data"]:
            ids += [event["id"] for event in page["data"]]
            page = self.get(f"/v1/events?limit=100&starting_after={ids[-1]}")
        return ids

    def newest_event(self, kind):
        return self.get(f"/v1/events?type={kind}&limit=1")["data"][0]

    def newest(self, kind):
        """The object of the newest event of a type."""
        return self.newest_event(kind)["data"]["object"]

    def trigger(self, event, *flags):
        """Has the CLI do everything that leads to an event."""
        environment = {"PATH": os.environ["PATH"], "HOME": self.home, "STRIPE_CLI_TELEMETRY_OPTOUT": "1"}
        command = [str(HERE / "node_modules/.bin/stripe"), "trigger", event, *flags]
        command += ["--api-base", self.url, "--api-key", API_KEY]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise SystemExit(f"stripe trigger {event}: {done.stdout}{done.stderr}")


@contextlib.contextmanager
def fake_stripe(port, webhook):
    command = [str(TARGET / "debug/tally"), "simulate", "stripe", "--listen", f"127.0.0.1:{port}", "--to", webhook, *HABITS]
    environment = {**os.environ, "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET}
    with tempfile.TemporaryDirectory() as home, process(command, environment, ready_url) as url:
        yield FakeStripe(url, home)


def names(fixture, **metadata):
    """Flags that give metadata to what a fixture of the trigger makes."""
    return [flag for name, value in metadata.items() for flag in ("--add", f"{fixture}:metadata.{name}={value}")]


def expect_applied(stripe, tally, kind):
    """What is left of a balance says nothing while the event may still be on its way."""
    event = stripe.newest_event(kind)["id"]

    def outcome():
        stored = tally.get(f"/v1/events?type={kind}&limit=100")["data"]
        return [one["outcome"] for one in stored if one["id"] == event]

    expect(f"{kind} was", outcome, ["applied"])


def checkout(stripe, tally):
    """A session names the user; what was bought has to be pulled, and the catalogue is late."""
    stripe.trigger("checkout.session.completed", *names("checkout_session", user_id="ada"))
    expect("ada, before the price has credits", tally.open_cases, ["unknown_price"])
    tally.put(f"/v1/catalogue/{stripe.newest('price.created')['id']}", {"credits": 25}, "ADMIN")
    expect("ada bought two", lambda: tally.balance("ada"), {"available": 50})
    session = stripe.newest("checkout.session.completed")["id"]
    status = tally.get(f"/v1/checkout_sessions/{session}?wait=10", "READ")["status"]
    expect("her session", lambda: status, "credited")


def later(stripe, tally):
    """A bank debit: the session is completed unpaid, and paid afterwards."""
    credits = names("checkout_session", user_id="hal", credits=50)
    stripe.trigger("checkout.session.async_payment_succeeded", *credits)
    expect("hal paid by bank debit", lambda: tally.balance("hal"), {"available": 50})


def refunded(stripe, tally):
    stripe.trigger("charge.refunded", *names("payment_intent", user_id="bea", credits=100))
    expect_applied(stripe, tally, "charge.refunded")
    expect("bea got her money back", lambda: tally.balance("bea"), {})


def disputed(stripe, tally):
    """The trigger's own dispute is an inquiry, which moves nothing; the other one withdraws the funds."""
    stripe.trigger("charge.dispute.created", *names("payment_intent", user_id="cleo", credits=100))
    expect_applied(stripe, tally, "charge.dispute.created")
    expect("cleo was only asked about", lambda: tally.balance("cleo"), {"available": 100})
    card = ["--override", "payment_intent:payment_method=pm_card_createDispute"]
    stripe.trigger("charge.dispute.created", *names("payment_intent", user_id="dan", credits=100), *card)
    expect("dan disputed", lambda: tally.balance("dan"), {"disputed": 100})


def invoiced(stripe, tally):
    """The customer names the user, and the invoice a price that was made for it."""
    stripe.trigger("invoice.paid", *names("customer", user_id="eve"))
    expect("eve, before the price has credits", tally.open_cases, ["unknown_price"])
    line = stripe.newest("invoice.paid")["lines"]["data"][0]
    tally.put(f"/v1/catalogue/{line['pricing']['price_details']['price']}", {"credits": 40}, "ADMIN")
    expect("eve paid an invoice", lambda: tally.balance("eve"), {"available": 40})


def subscribed(stripe, tally):
    stripe.trigger("customer.subscription.created", *names("subscription", user_id="finn"))
    tally.put(f"/v1/catalogue/{stripe.newest('price.created')['id']}", {"credits": 30}, "ADMIN")
    expect("finn subscribed", lambda: tally.balance("finn"), {"available": 30})


def main():
    port = free_port()
    with tally_up(f"http://127.0.0.1:{port}") as tally, fake_stripe(port, tally.webhook) as stripe:
        tally.register("ada", "bea", "cleo", "dan", "eve", "finn", "hal")
        for scenario in (checkout, later, refunded, disputed, invoiced, subscribed):
            scenario(stripe, tally)
        undelivered = "/v1/events?delivery_success=false"
        expect("deliveries that were not accepted", lambda: stripe.get(undelivered)["data"], [])
        events = stripe.events()
        for event in events:
            tally.get(f"/v1/events/{event}")
        for outcome in ("pending", "deferred"):
            path = f"/v1/events?outcome={outcome}"
            expect(f"events that are {outcome}", lambda path=path: tally.get(path)["data"], [])
        expect("cases left open", tally.open_cases, [])
        print(f"stripe trigger: all {len(events)} events are stored, and the balances are right")


if __name__ == "__main__":
    main()
