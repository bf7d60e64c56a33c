-- Reassigning: staff move a credited payment to its right user, and the links that it made with it.
SET LOCAL ROLE tally_owner;

COMMENT ON COLUMN payment.version IS 'Counts up with each change of owner_account; who reassigns the payment names the version that was seen.';

-- A link can be ended, never edited. The release before did neither.
REVOKE UPDATE ON customer_link FROM tally_projector;
GRANT UPDATE (to_pos) ON customer_link TO tally_projector;
COMMENT ON COLUMN customer_link.customer IS 'Stripe''s cus_… or sub_….';
COMMENT ON COLUMN customer_link.to_pos IS 'Position of what ended it; null while it holds.';

RESET ROLE;
