-- The catalogue complete: entries for products and lookup keys too, versions that count from a moment on, credits that end.
SET LOCAL ROLE tally_owner;

-- By the defaults, what the release before wrote and still writes keeps its meaning: the newest entry counts, for every
-- purchase, and credits last for ever.
ALTER TABLE catalogue_entry
    ADD COLUMN valid_from timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN expires    text,
    ADD COLUMN priority   smallint    NOT NULL DEFAULT 0,
    ADD CONSTRAINT catalogue_entry_expires CHECK (expires IS NULL OR NOT not_ours) NOT VALID;
COMMENT ON TABLE catalogue_entry IS 'The catalogue: what one of a price is worth, in versions. A purchase counts by the one with the latest valid_from that is not after it; of those by the newest position.';
COMMENT ON COLUMN catalogue_entry.price IS 'What it is for: Stripe''s price_…, a product''s prod_…, or lookup_key:….';
COMMENT ON COLUMN catalogue_entry.valid_from IS 'Purchases that were paid from then on count by it; -infinity: whenever.';
COMMENT ON COLUMN catalogue_entry.expires IS 'How long the credits last: an ISO 8601 duration from the moment that the purchase was paid, or period_end; null: for ever.';
COMMENT ON COLUMN catalogue_entry.priority IS 'Priority of the grants; lower is drawn first.';

ALTER TABLE payment_leg
    ADD COLUMN expires_at timestamptz NOT NULL DEFAULT 'infinity',
    ADD COLUMN priority   smallint    NOT NULL DEFAULT 0;
COMMENT ON COLUMN payment_leg.expires_at IS 'When the credits of the line end; infinity: never. Grants of the line have the same.';
COMMENT ON COLUMN payment_leg.priority IS 'Priority of the line''s grants; lower is drawn first.';

RESET ROLE;
