//! Stripe's side: signatures, the event envelope, tolerant views of its objects. Knows no credits.
