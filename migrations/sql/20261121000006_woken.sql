-- Healing in bounded steps: a fact records what it satisfies, and the cases that waited for it are marked and decided later.
SET LOCAL ROLE tally_owner;

-- writers: projector
CREATE TABLE woken (
    tenant_id int    NOT NULL,
    nr        bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    key       text   NOT NULL,
    pos       bigint NOT NULL,
    after     uuid   NOT NULL,
    CONSTRAINT woken_pkey PRIMARY KEY (tenant_id, nr)
);
COMMENT ON TABLE woken IS 'Facts whose waiting cases are still to be marked as due. A row goes once all of them are.';
COMMENT ON COLUMN woken.tenant_id IS 'Whose.';
COMMENT ON COLUMN woken.nr IS 'A number of its own. Higher ones are taken first, which is fair to who came last; nothing else rests on their order.';
COMMENT ON COLUMN woken.key IS 'What the fact satisfies: a key of case_wait.';
COMMENT ON COLUMN woken.pos IS 'Position of the fact.';
COMMENT ON COLUMN woken.after IS 'The last case that was marked, in the order of their ids; all zeros before the first.';

GRANT SELECT, INSERT, UPDATE, DELETE ON woken TO tally_projector;
GRANT SELECT ON woken TO tally_keeper, tally_api, tally_reader;

-- Deferred events are walked through in position order, whichever version of the rules deferred them.
-- Without CONCURRENTLY, which a transaction does not allow: the index is partial, and few events are deferred.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX decision_deferred;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX decision_deferred ON decision (tenant_id, pos) WHERE outcome = 3;

RESET ROLE;
