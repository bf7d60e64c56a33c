-- Pulling: what open cases want to know from Stripe's API is read by ingest, which asks there and appends the answer.
SET LOCAL ROLE tally_owner;

GRANT SELECT ON case_wait TO tally_ingest;
COMMENT ON COLUMN case_wait.key IS 'user:…, customer:…, price:…, payment:… or pull:… (a path of Stripe''s API).';

RESET ROLE;
