// Signs deliveries with the npm package `stripe`, sends them, and checks the answers.
// Takes TALLY_URL and STRIPE_WEBHOOK_SECRET from the environment; run.sh starts what they lead to.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import Stripe from 'stripe';

const url = `${process.env.TALLY_URL}/v1/webhooks/stripe`;
const secret = process.env.STRIPE_WEBHOOK_SECRET;

// Pretty-printed, as it comes over the wire.
const payload = JSON.stringify(
  {
    id: `evt_${randomUUID().replaceAll('-', '')}`,
    object: 'event',
    api_version: Stripe.API_VERSION ?? '2026-10-28.endive',
    created: Math.floor(Date.now() / 1000),
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type: 'customer.created',
    data: { object: { id: `cus_${randomUUID().slice(0, 8)}`, object: 'customer', name: 'Zoë Ångström', metadata: {} } },
  },
  null,
  2,
);

async function deliver(body, header) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': header },
    body,
    signal: AbortSignal.timeout(10_000),
  });
  return { status: answer.status, body: await answer.json() };
}

const sign = () => Stripe.webhooks.generateTestHeaderString({ payload, secret });

// What the library signs, the library accepts: otherwise the rest would prove nothing.
Stripe.webhooks.constructEvent(payload, sign(), secret);

const first = await deliver(payload, sign());
assert.equal(first.status, 200, JSON.stringify(first));
assert.equal(first.body.received, true);
assert.equal(first.body.status, 'stored');
assert.ok(Number.isSafeInteger(first.body.position) && first.body.position > 0, JSON.stringify(first));

const second = await deliver(payload, sign());
assert.deepEqual(second, { status: 200, body: { received: true, status: 'duplicate', position: first.body.position } });

const refused = { status: 400, body: { error: 'invalid_signature' } };
assert.deepEqual(await deliver(payload.replace('false', 'true'), sign()), refused);
const stale = Math.floor(Date.now() / 1000) - 3600;
const old = Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: stale });
assert.deepEqual(await deliver(payload, old), refused);

console.log(`npm stripe ${Stripe.PACKAGE_VERSION}: stored, recognised, refused, as they should be`);
