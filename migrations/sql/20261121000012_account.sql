-- The account: what the app, staff and the clock command; holds, reversals, debt.
SET LOCAL ROLE tally_owner;

-- No release before this one carried out a command, held or reversed anything: these tables are empty.

-- A looser check holds for every row that is there.
ALTER TABLE grant_move
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT grant_move_kind_known,
    ADD CONSTRAINT grant_move_kind_known CHECK (kind BETWEEN 1 AND 7) NOT VALID;
COMMENT ON COLUMN grant_move.kind IS '1 spent, 2 expired, 3 clawed back, 4 moved to another account, 5 given back, 6 written off, 7 paid a debt.';
COMMENT ON TABLE grant_move IS 'Which grants a posting drew from or gave back to, append-only: the allocation is a fact. What it does not cover is debt, made or paid.';

-- A clawback may recall credits that expired, take what is due, and write off what is gone: one movement, three postings.
-- Without CONCURRENTLY, which a transaction does not allow: no release went out yet whose tables are big.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX posting_effect;
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX posting_effect ON posting (tenant_id, cause_pos, cause_rev, effect_no, account_id, contra)
    WHERE cause_pos IS NOT NULL;

-- An account's id is derived from its owner's kind and key, so the primary key says the same. A second key would be a second way
-- for a plan that is kept: it leads to all owners of a tenant.
-- squawk-ignore ban-drop-constraint
ALTER TABLE owner DROP CONSTRAINT owner_key;

ALTER TABLE account ADD COLUMN steps bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN account.steps IS 'Number of commands carried out on it: the step of the newest one.';
COMMENT ON COLUMN account.overdraft_limit IS 'How far below zero spends and holds may go.';
COMMENT ON COLUMN account.last_at IS 'When the newest operation on it was recorded, also of those that post nothing; it never decreases.';

ALTER TABLE decision
    ADD COLUMN clawback smallint NOT NULL DEFAULT 1,
    ADD CONSTRAINT decision_clawback_known CHECK (clawback BETWEEN 1 AND 3) NOT VALID;
COMMENT ON COLUMN decision.clawback IS 'What was to become of credits that are taken back and are gone: 1 debt, 2 write_off, 3 freeze.';

ALTER TABLE command
    -- squawk-ignore adding-required-field
    ADD COLUMN unit           text   NOT NULL,
    -- squawk-ignore adding-required-field
    ADD COLUMN step           bigint NOT NULL,
    -- squawk-ignore adding-required-field
    ADD COLUMN version_before bigint NOT NULL,
    -- squawk-ignore adding-required-field
    ADD COLUMN version_after  bigint NOT NULL,
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT command_kind_known,
    ADD CONSTRAINT command_kind_known CHECK (kind BETWEEN 1 AND 10) NOT VALID,
    ADD CONSTRAINT command_step_positive CHECK (step > 0) NOT VALID,
    ADD CONSTRAINT command_versions CHECK (0 <= version_before AND version_before <= version_after) NOT VALID;
COMMENT ON TABLE command IS 'What the app, staff and the clock had done to an account, append-only.';
COMMENT ON COLUMN command.kind IS '1 spend, 2 hold, 3 capture, 4 release, 5 grant, 6 reverse, 7 limit, 8 freeze, 9 expire_grant, 10 expire_hold.';
COMMENT ON COLUMN command.body IS 'Its parameters, validated, and what the app said of it.';
COMMENT ON COLUMN command.actor IS 'API key or person that asked; keeper for what the clock asked.';
COMMENT ON COLUMN command.recorded_at IS 'When it was recorded; never decreases along step.';
COMMENT ON COLUMN command.unit IS 'Unit of the account.';
COMMENT ON COLUMN command.step IS '1, 2, 3 … per account and unit, without holes: the order in which its commands were carried out.';
COMMENT ON COLUMN command.version_before IS 'Postings of the account before it: its own are numbered from here, exclusive, …';
COMMENT ON COLUMN command.version_after IS '… to here, inclusive. A decision''s postings come after all commands whose version_after is below their seq.';
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX command_step ON command (tenant_id, account_id, unit, step);
-- How a hold ended: the command that did it names it.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX command_of_hold ON command (tenant_id, (body->>'hold')) WHERE kind IN (3, 4, 10);

ALTER TABLE hold
    ADD COLUMN reserved jsonb NOT NULL DEFAULT '{}',
    ADD CONSTRAINT hold_reserved_while_open CHECK (state = 1 OR reserved = '{}') NOT VALID;
-- squawk-ignore prefer-robust-stmts
ALTER TABLE hold SET (fillfactor = 70);
COMMENT ON COLUMN hold.hold_id IS 'Id: that of the command that made it.';
COMMENT ON COLUMN hold.amount IS 'Credits reserved. All of them count against the account while it is open, whatever stands behind them.';
COMMENT ON COLUMN hold.expires_at IS 'Its own deadline: from this instant it cannot be captured.';
COMMENT ON COLUMN hold.reserved IS 'Credits that it reserves of each grant: {"grant_id": credits}. Less than its amount where an overdraft or a debt stands behind it; empty once it is closed.';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX hold_open ON hold (tenant_id, account_id, unit, expires_at) WHERE state = 1;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX hold_due ON hold (expires_at) WHERE state = 1;

-- What of an account has run out of time, at each turn on it.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX grant_expiring ON credit_grant (tenant_id, account_id, unit, expires_at) WHERE is_open AND expires_at < 'infinity';

-- writers: api (through store::books)
CREATE TABLE reversal (
    tenant_id  int    NOT NULL,
    spend_id   uuid   NOT NULL,
    account_id uuid   NOT NULL,
    unit       text   NOT NULL,
    seq        bigint NOT NULL,
    CONSTRAINT reversal_pkey PRIMARY KEY (tenant_id, spend_id)
);
COMMENT ON TABLE reversal IS 'Spends that were given back, append-only: its key is what makes it once.';
COMMENT ON COLUMN reversal.tenant_id IS 'Whose.';
COMMENT ON COLUMN reversal.spend_id IS 'The command that spent.';
COMMENT ON COLUMN reversal.account_id IS 'Account.';
COMMENT ON COLUMN reversal.unit IS 'Unit.';
COMMENT ON COLUMN reversal.seq IS 'First posting of what gave it back.';
CREATE TRIGGER reversal_append_only BEFORE UPDATE OR DELETE ON reversal FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reversal_append_only_truncate BEFORE TRUNCATE ON reversal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Each process its verbs. A clawback may take what holds reserve, so the projector writes holds, too; rows are written by
-- INSERT … ON CONFLICT DO UPDATE, so it needs both verbs.
GRANT INSERT ON command, reversal, posting, grant_move, owner, outbox TO tally_api, tally_keeper;
GRANT INSERT, UPDATE ON account, credit_grant, hold TO tally_api, tally_keeper;
GRANT INSERT ON idempotency TO tally_api;
GRANT SELECT ON command TO tally_keeper, tally_projector;
GRANT SELECT ON reversal TO tally_api, tally_keeper, tally_projector, tally_reader;
GRANT SELECT, INSERT, UPDATE ON hold TO tally_projector;

RESET ROLE;
