-- Checkout parameters: whoever is sent to Stripe's checkout again is to be the same customer there.
SET LOCAL ROLE tally_owner;

-- Without CONCURRENTLY, which a transaction does not allow: there is one row for each customer, and it is made in seconds.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX customer_link_user ON customer_link (tenant_id, user_id, from_pos) WHERE to_pos IS NULL;

COMMENT ON COLUMN app_user.first_pos IS 'Position of the registration, or of the payment that added the user.';
COMMENT ON COLUMN app_user.pos IS 'Position of the newest change by the app; 0 while a payment added the user and the app told nothing.';

RESET ROLE;
