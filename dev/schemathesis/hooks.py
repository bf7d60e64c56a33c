"""What a schema cannot say, said to schemathesis."""

import uuid

import schemathesis

# Integers of 64 bits end before it.
INTEGER_LIMIT = 2**63


@schemathesis.hook
def map_body(context, body):
    """Writes whole numbers without a point: to JSON Schema 5.0 is an integer, to the API it is none."""
    if isinstance(body, dict):
        return {name: map_body(context, value) for name, value in body.items()}
    if isinstance(body, list):
        return [map_body(context, value) for value in body]
    if isinstance(body, float) and body.is_integer() and abs(body) < INTEGER_LIMIT:
        return int(body)
    return body


@schemathesis.hook
def before_call(context, case, kwargs):
    """Takes a new Idempotency-Key for each request that is to succeed; a second request under one is refused."""
    is_to_succeed = case.meta is not None and case.meta.generation.mode.is_positive
    if is_to_succeed and case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
