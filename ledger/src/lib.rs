//! Our side: credits, accounts, postings, grants. Knows no Stripe.
