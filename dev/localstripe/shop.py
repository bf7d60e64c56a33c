"""Buys and pays at localstripe, whose webhooks go to Tallystick, and checks what became of them.

localstripe speaks a mixture of versions (it says 2017-08-15): plans for prices, `invoice.payment_succeeded` alone,
whole objects for references. It has no webhook for refunds, so the script delivers the charge as localstripe has it.
"""

import contextlib
import hashlib
import hmac
import json
import pathlib
import socket
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tally_up import WAIT_LIMIT_SECONDS, WEBHOOK_SECRET, ask, expect, free_port, process, tally_up  # noqa: E402

# The bin folder of the virtual environment that this runs in.
BIN = pathlib.Path(sys.executable).parent

CARD = {
    "type": "card",
    "card[number]": "4242424242424242",
    "card[exp_month]": "12",
    "card[exp_year]": "2030",
    "card[cvc]": "123",
}


class LocalStripe:
    def __init__(self, url):
        self.url = url

    def get(self, path):
        return ask("GET", self.url + path, {"Authorization": "Bearer sk_test_12345"})

    def post(self, path, **form):
        headers = {"Authorization": "Bearer sk_test_12345", "Content-Type": "application/x-www-form-urlencoded"}
        return ask("POST", self.url + path, headers, urllib.parse.urlencode(form))

    def customer(self, user):
        """A customer with a card, whose metadata names the user."""
        customer = self.post("/v1/customers", **{"metadata[user_id]": user})["id"]
        card = self.post("/v1/payment_methods", **CARD)["id"]
        self.post(f"/v1/payment_methods/{card}/attach", customer=customer)
        self.post(f"/v1/customers/{customer}", **{"invoice_settings[default_payment_method]": card})
        return customer


@contextlib.contextmanager
def local_stripe(port):
    def is_ready(running):
        deadline = time.monotonic() + WAIT_LIMIT_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return LocalStripe(f"http://127.0.0.1:{port}")
            if running.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("localstripe does not answer")
            time.sleep(0.05)

    with process([str(BIN / "localstripe"), "--port", str(port), "--from-scratch"], None, is_ready) as stripe:
        yield stripe


def deliver(tally, kind, thing):
    """Signs and delivers an event about an object."""
    now = int(time.time())
    event = {"id": f"evt_{kind}_{thing['id']}", "object": "event", "api_version": "2017-08-15", "created": now}
    event |= {"type": kind, "livemode": False, "pending_webhooks": 1, "request": None, "data": {"object": thing}}
    body = json.dumps(event, indent=2)
    mac = hmac.new(WEBHOOK_SECRET.encode(), f"{now}.{body}".encode(), hashlib.sha256).hexdigest()
    ask("POST", tally.webhook, {"Content-Type": "application/json", "Stripe-Signature": f"t={now},v1={mac}"}, body)


def pay_and_refund(stripe, tally):
    card = stripe.post("/v1/payment_methods", **CARD)["id"]
    names = {"metadata[user_id]": "ada", "metadata[credits]": "100"}
    intent = stripe.post(
        "/v1/payment_intents", amount="1000", currency="usd", payment_method=card, confirm="true", **names
    )
    expect("ada paid", lambda: tally.balance("ada"), {"available": 100})
    stripe.post("/v1/refunds", payment_intent=intent["id"], amount="400")
    deliver(tally, "charge.refunded", stripe.get(f"/v1/charges/{intent['latest_charge']['id']}"))
    expect("ada got 40 % back", lambda: tally.balance("ada"), {"available": 60})


def subscribe_and_renew(stripe, tally):
    """The plan is the price, and the customer says whose it is. A second invoice is the next period's."""
    tally.put("/v1/catalogue/credits-monthly", {"credits": 30}, "ADMIN")
    plan = {"id": "credits-monthly", "amount": "2500", "currency": "usd", "interval": "month"}
    stripe.post("/v1/plans", **plan, **{"product[name]": "Credits"})
    customer = stripe.customer("bea")
    form = {"items[0][plan]": "credits-monthly", "items[0][quantity]": "2"}
    subscription = stripe.post("/v1/subscriptions", customer=customer, **form)["id"]
    expect("bea subscribed to two", lambda: tally.balance("bea"), {"available": 60})
    invoice = stripe.post("/v1/invoices", customer=customer, subscription=subscription)["id"]
    stripe.post(f"/v1/invoices/{invoice}/pay")
    expect("bea paid another invoice", lambda: tally.balance("bea"), {"available": 120})


def main():
    port = free_port()
    with local_stripe(port) as stripe, tally_up(stripe.url) as tally:
        stripe.post("/_config/webhooks/tally", url=tally.webhook, secret=WEBHOOK_SECRET)
        tally.register("ada", "bea")
        pay_and_refund(stripe, tally)
        subscribe_and_renew(stripe, tally)
        events = {event["id"] for event in stripe.get("/v1/events?limit=100")["data"]}
        expect("events that did not come", lambda: events - tally.events(), set())
        expect("cases left open", tally.open_cases, [])
        print(f"localstripe: all {len(events)} events are stored, and the balances are right")


if __name__ == "__main__":
    main()
