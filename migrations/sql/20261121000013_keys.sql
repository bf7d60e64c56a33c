-- Keys that may do less than their role, and keys that take another's place.
SET LOCAL ROLE tally_owner;

-- writers: keys commands, api (last_used_at)
ALTER TABLE api_key
    ADD COLUMN scopes text[] CONSTRAINT api_key_scopes_some CHECK (cardinality(scopes) > 0),
    ADD COLUMN replaces text;
COMMENT ON COLUMN api_key.scopes IS 'What the key is narrowed to (balance:read, …); null: all that its role may.';
COMMENT ON COLUMN api_key.replaces IS 'The key that this one was made to replace, which ended some time later; null: none.';

RESET ROLE;
