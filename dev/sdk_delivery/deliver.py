"""Signs deliveries with the PyPI package `stripe`, sends them, and checks the answers.

Takes TALLY_URL and STRIPE_WEBHOOK_SECRET from the environment; run.sh starts what they lead to.
"""

import json
import os
import time
import urllib.error
import urllib.request
import uuid

import stripe

URL = os.environ["TALLY_URL"] + "/v1/webhooks/stripe"
SECRET = os.environ["STRIPE_WEBHOOK_SECRET"]
REFUSED = (400, {"error": "invalid_signature"})


def make_payload():
    """An event as text, pretty-printed as it comes over the wire."""
    event = {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": stripe.api_version or "2026-10-28.endive",
        "created": int(time.time()),
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "customer.created",
        "data": {"object": {"id": "cus_py", "object": "customer", "name": "Zoë Ångström", "metadata": {}}},
    }
    return json.dumps(event, indent=2, ensure_ascii=False)


def sign(payload, timestamp=None):
    return stripe.WebhookSignature.generate_signature_header(payload, SECRET, timestamp)


def deliver(payload, header):
    """POSTs the payload; gives status and parsed body, whatever the status."""
    request = urllib.request.Request(
        URL,
        data=payload.encode(),
        headers={"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": header},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def expect(answer, expected):
    if answer != expected:
        raise SystemExit(f"expected {expected}, got {answer}")


def main():
    payload = make_payload()
    # What the library signs, the library accepts: otherwise the rest would prove nothing.
    stripe.Webhook.construct_event(payload, sign(payload), SECRET)

    status, first = deliver(payload, sign(payload))
    position = first.get("position")
    if not isinstance(position, int) or position < 1:
        raise SystemExit(f"expected a position, got {status} {first}")
    expect((status, first), (200, {"received": True, "status": "stored", "position": position}))
    again = (200, {"received": True, "status": "duplicate", "position": position})
    expect(deliver(payload, sign(payload)), again)
    expect(deliver(payload.replace("false", "true"), sign(payload)), REFUSED)
    expect(deliver(payload, sign(payload, int(time.time()) - 3600)), REFUSED)
    print(f"PyPI stripe {stripe.VERSION}: stored, recognised, refused, as they should be")


main()
