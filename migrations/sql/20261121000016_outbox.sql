-- The outbox in the order in which it is told. Its ids are derived, so they fall all over an index of their own; each posting,
-- command and version of a case tells once, so none of them needs to be compared with all that were ever written.
SET LOCAL ROLE tally_owner;

-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX outbox_told ON outbox (tenant_id, created_at, id);
ALTER TABLE outbox
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT outbox_pkey,
    ADD CONSTRAINT outbox_pkey PRIMARY KEY USING INDEX outbox_told;
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX outbox_order;
COMMENT ON COLUMN outbox.id IS 'Derived from its cause, so that who hears it twice can tell. The cause is there once, and so is what it tells.';

RESET ROLE;
