-- Units: the kinds of credits that a tenant has, as its configuration lists them.
SET LOCAL ROLE tally_owner;

-- writers: keeper (as the configuration has them, when a process that projects starts)
CREATE TABLE unit (
    tenant_id  int      NOT NULL,
    name       text     NOT NULL,
    scale      smallint NOT NULL CONSTRAINT unit_scale_bounds CHECK (scale BETWEEN 0 AND 18),
    is_default boolean  NOT NULL,
    CONSTRAINT unit_pkey PRIMARY KEY (tenant_id, name)
);
COMMENT ON TABLE unit IS 'Kinds of credits. A tenant without any row has not listed its own: every name is a unit then, with scale 0.';
COMMENT ON COLUMN unit.tenant_id IS 'Whose.';
COMMENT ON COLUMN unit.name IS 'Its name, as accounts have it.';
COMMENT ON COLUMN unit.scale IS 'Digits behind the point where amounts are shown to people. Amounts are integers of the smallest part everywhere.';
COMMENT ON COLUMN unit.is_default IS 'Whether it is meant where none is named; one of a tenant''s units is.';
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX unit_default ON unit (tenant_id) WHERE is_default;

GRANT SELECT ON unit TO tally_projector, tally_api, tally_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON unit TO tally_keeper;

RESET ROLE;
