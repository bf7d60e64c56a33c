-- The books: accounts, movements, grants; what leaves; who may ask.
SET LOCAL ROLE tally_owner;

-- writers: projector, api
CREATE TABLE owner (
    tenant_id  int      NOT NULL,
    account_id uuid     NOT NULL,
    kind       smallint NOT NULL CONSTRAINT owner_kind_known CHECK (kind BETWEEN 1 AND 2),
    key        text     NOT NULL,
    CONSTRAINT owner_pkey PRIMARY KEY (tenant_id, account_id),
    CONSTRAINT owner_key UNIQUE (tenant_id, kind, key)
);
COMMENT ON TABLE owner IS 'Whom an account belongs to.';
COMMENT ON COLUMN owner.tenant_id IS 'Whose.';
COMMENT ON COLUMN owner.account_id IS 'Derived from kind and key (ledger::ids).';
COMMENT ON COLUMN owner.kind IS '1 user, 2 unclaimed payment.';
COMMENT ON COLUMN owner.key IS 'User id, or root key of the payment.';

-- writers: projector, api
CREATE TABLE account (
    tenant_id       int         NOT NULL,
    account_id      uuid        NOT NULL,
    unit            text        NOT NULL,
    version         bigint      NOT NULL DEFAULT 0,
    posted          bigint      NOT NULL DEFAULT 0,
    held            bigint      NOT NULL DEFAULT 0 CONSTRAINT account_held_not_negative CHECK (held >= 0),
    overdraft_limit bigint      NOT NULL DEFAULT 0 CONSTRAINT account_overdraft_not_negative CHECK (overdraft_limit >= 0),
    frozen          boolean     NOT NULL DEFAULT false,
    last_hash       bytea,
    last_at         timestamptz,
    CONSTRAINT account_pkey PRIMARY KEY (tenant_id, account_id, unit)
) WITH (fillfactor = 70);
COMMENT ON TABLE account IS 'One user, or one unclaimed payment, in one unit. Its row lock orders everything that moves on it.';
COMMENT ON COLUMN account.tenant_id IS 'Whose.';
COMMENT ON COLUMN account.account_id IS 'See owner.';
COMMENT ON COLUMN account.unit IS 'Kind of credit.';
COMMENT ON COLUMN account.version IS 'Number of postings: the seq of the newest one.';
COMMENT ON COLUMN account.posted IS 'Sum of all postings, in the unit''s smallest part; below zero is debt.';
COMMENT ON COLUMN account.held IS 'Credits that holds reserve.';
COMMENT ON COLUMN account.overdraft_limit IS 'How far below zero spends may go.';
COMMENT ON COLUMN account.frozen IS 'True: spends and holds are refused.';
COMMENT ON COLUMN account.last_hash IS 'Hash of the newest posting: the head of the chain.';
COMMENT ON COLUMN account.last_at IS 'recorded_at of the newest posting; it never decreases.';

-- writers: projector, api, keeper (all through store::books)
CREATE TABLE posting (
    tenant_id     int         NOT NULL,
    account_id    uuid        NOT NULL,
    unit          text        NOT NULL,
    seq           bigint      NOT NULL CONSTRAINT posting_seq_positive CHECK (seq > 0),
    contra        smallint    NOT NULL CONSTRAINT posting_contra_known CHECK (contra BETWEEN 1 AND 9),
    amount        bigint      NOT NULL CONSTRAINT posting_amount_not_zero CHECK (amount <> 0),
    balance_after bigint      NOT NULL,
    cause_kind    smallint    NOT NULL CONSTRAINT posting_cause_known CHECK (cause_kind BETWEEN 1 AND 2),
    cause_pos     bigint,
    cause_rev     int,
    effect_no     int,
    command_id    uuid,
    root_key      text,
    line          text,
    effective_at  timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL,
    hash          bytea       NOT NULL CONSTRAINT posting_hash_size CHECK (octet_length(hash) = 32),
    CONSTRAINT posting_pkey PRIMARY KEY (tenant_id, account_id, unit, seq),
    CONSTRAINT posting_cause CHECK ((cause_kind = 1) = (cause_pos IS NOT NULL AND cause_rev IS NOT NULL AND effect_no IS NOT NULL)
                                    AND (cause_kind = 2) = (command_id IS NOT NULL))
);
COMMENT ON TABLE posting IS 'One movement of credits on one account against a system account, append-only. Balanced by construction.';
COMMENT ON COLUMN posting.tenant_id IS 'Whose.';
COMMENT ON COLUMN posting.account_id IS 'Account.';
COMMENT ON COLUMN posting.unit IS 'Unit.';
COMMENT ON COLUMN posting.seq IS '1, 2, 3 … per account, without holes.';
COMMENT ON COLUMN posting.contra IS 'System account on the other side: 1 sale, 2 refund, 3 dispute, 4 spend, 5 expiry, 6 promo, 7 adjustment, 8 unclaimed, 9 write_off.';
COMMENT ON COLUMN posting.amount IS 'Credits, in the unit''s smallest part; positive adds to the account.';
COMMENT ON COLUMN posting.balance_after IS 'Sum of all postings up to this one.';
COMMENT ON COLUMN posting.cause_kind IS '1 decision, 2 command.';
COMMENT ON COLUMN posting.cause_pos IS 'Decision: position of its event, and so the signed bytes.';
COMMENT ON COLUMN posting.cause_rev IS 'Decision: its revision.';
COMMENT ON COLUMN posting.effect_no IS 'Decision: which of its movements.';
COMMENT ON COLUMN posting.command_id IS 'Command that caused it.';
COMMENT ON COLUMN posting.root_key IS 'Payment that it belongs to.';
COMMENT ON COLUMN posting.line IS 'Line of the payment.';
COMMENT ON COLUMN posting.effective_at IS 'When it took effect in the world.';
COMMENT ON COLUMN posting.recorded_at IS 'When it was recorded; never decreases along seq.';
COMMENT ON COLUMN posting.hash IS 'SHA-256 over the previous hash, this row and its grant moves (ledger::chain).';
CREATE UNIQUE INDEX posting_effect ON posting (tenant_id, cause_pos, cause_rev, effect_no, account_id) WHERE cause_pos IS NOT NULL;
CREATE INDEX posting_root ON posting (tenant_id, root_key) WHERE root_key IS NOT NULL;

-- writers: projector, api, keeper (all through store::books)
CREATE TABLE credit_grant (
    tenant_id  int         NOT NULL,
    account_id uuid        NOT NULL,
    unit       text        NOT NULL,
    grant_id   bigint      NOT NULL,
    priority   smallint    NOT NULL,
    expires_at timestamptz NOT NULL DEFAULT 'infinity',
    root_key   text,
    line       text,
    granted    bigint      NOT NULL CONSTRAINT credit_grant_granted_positive CHECK (granted > 0),
    remaining  bigint      NOT NULL,
    held       bigint      NOT NULL DEFAULT 0,
    is_open    boolean     NOT NULL DEFAULT true,
    CONSTRAINT credit_grant_pkey PRIMARY KEY (tenant_id, account_id, unit, grant_id),
    CONSTRAINT credit_grant_amounts CHECK (0 <= held AND held <= remaining AND remaining <= granted)
) WITH (fillfactor = 70);
COMMENT ON TABLE credit_grant IS 'A block of credits from one source, with what remains of it.';
COMMENT ON COLUMN credit_grant.tenant_id IS 'Whose.';
COMMENT ON COLUMN credit_grant.account_id IS 'Account.';
COMMENT ON COLUMN credit_grant.unit IS 'Unit.';
COMMENT ON COLUMN credit_grant.grant_id IS 'seq of the posting that granted it.';
COMMENT ON COLUMN credit_grant.priority IS 'Drawn in the order of priority, expires_at, grant_id; lower first.';
COMMENT ON COLUMN credit_grant.expires_at IS 'From this instant it cannot be spent; infinity: never.';
COMMENT ON COLUMN credit_grant.root_key IS 'Payment that it came from; null for promotional ones.';
COMMENT ON COLUMN credit_grant.line IS 'Line of the payment.';
COMMENT ON COLUMN credit_grant.granted IS 'Credits at the start.';
COMMENT ON COLUMN credit_grant.remaining IS 'Credits left.';
COMMENT ON COLUMN credit_grant.held IS 'Credits of these that holds reserve.';
COMMENT ON COLUMN credit_grant.is_open IS 'False once nothing remains; indexed instead of remaining, so that draws stay HOT updates.';
CREATE INDEX grant_open ON credit_grant (tenant_id, account_id, unit, priority, expires_at, grant_id) WHERE is_open;
CREATE INDEX grant_due ON credit_grant (expires_at) WHERE is_open AND expires_at < 'infinity';

-- writers: projector, api, keeper (all through store::books)
CREATE TABLE grant_move (
    tenant_id  int      NOT NULL,
    account_id uuid     NOT NULL,
    unit       text     NOT NULL,
    seq        bigint   NOT NULL,
    grant_id   bigint   NOT NULL,
    kind       smallint NOT NULL CONSTRAINT grant_move_kind_known CHECK (kind BETWEEN 1 AND 6),
    amount     bigint   NOT NULL CONSTRAINT grant_move_amount_positive CHECK (amount > 0),
    CONSTRAINT grant_move_pkey PRIMARY KEY (tenant_id, account_id, unit, seq, grant_id)
);
COMMENT ON TABLE grant_move IS 'Which grants a posting drew from or gave back to, append-only: the allocation is a fact.';
COMMENT ON COLUMN grant_move.tenant_id IS 'Whose.';
COMMENT ON COLUMN grant_move.account_id IS 'Account.';
COMMENT ON COLUMN grant_move.unit IS 'Unit.';
COMMENT ON COLUMN grant_move.seq IS 'The posting.';
COMMENT ON COLUMN grant_move.grant_id IS 'The grant.';
COMMENT ON COLUMN grant_move.kind IS '1 spent, 2 expired, 3 clawed back, 4 moved to another account, 5 given back, 6 written off.';
COMMENT ON COLUMN grant_move.amount IS 'Credits, always positive; the kind says which way.';

-- writers: api, keeper
CREATE TABLE hold (
    tenant_id  int         NOT NULL,
    hold_id    uuid        NOT NULL,
    account_id uuid        NOT NULL,
    unit       text        NOT NULL,
    amount     bigint      NOT NULL CONSTRAINT hold_amount_positive CHECK (amount > 0),
    captured   bigint      NOT NULL DEFAULT 0,
    state      smallint    NOT NULL CONSTRAINT hold_state_known CHECK (state BETWEEN 1 AND 4),
    expires_at timestamptz NOT NULL,
    CONSTRAINT hold_pkey PRIMARY KEY (tenant_id, hold_id),
    CONSTRAINT hold_captured_bounds CHECK (0 <= captured AND captured <= amount)
);
COMMENT ON TABLE hold IS 'Credits reserved for a job that may fail; one terminal state.';
COMMENT ON COLUMN hold.tenant_id IS 'Whose.';
COMMENT ON COLUMN hold.hold_id IS 'Id.';
COMMENT ON COLUMN hold.account_id IS 'Account.';
COMMENT ON COLUMN hold.unit IS 'Unit.';
COMMENT ON COLUMN hold.amount IS 'Credits reserved.';
COMMENT ON COLUMN hold.captured IS 'Credits captured of them.';
COMMENT ON COLUMN hold.state IS '1 open, 2 captured, 3 released, 4 expired.';
COMMENT ON COLUMN hold.expires_at IS 'Its own deadline.';

-- writers: api
CREATE TABLE idempotency (
    tenant_id    int         NOT NULL,
    key          text        NOT NULL,
    request_hash bytea       NOT NULL,
    command_id   uuid        NOT NULL,
    answer       bytea,
    created_at   timestamptz NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (tenant_id, key)
);
COMMENT ON TABLE idempotency IS 'Answers of commands by their Idempotency-Key, saved with their effect; the key is kept for ever.';
COMMENT ON COLUMN idempotency.tenant_id IS 'Whose.';
COMMENT ON COLUMN idempotency.key IS 'The client''s key.';
COMMENT ON COLUMN idempotency.request_hash IS 'SHA-256 of method, route and canonical body.';
COMMENT ON COLUMN idempotency.command_id IS 'Command that it made.';
COMMENT ON COLUMN idempotency.answer IS 'The answer''s bytes.';
COMMENT ON COLUMN idempotency.created_at IS 'When.';

-- writers: projector, api, keeper (in the transaction of what they tell)
CREATE TABLE outbox (
    tenant_id  int         NOT NULL,
    id         uuid        NOT NULL,
    topic      text        NOT NULL,
    key        text        NOT NULL,
    payload    bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE outbox IS 'Messages to other systems, written in the transaction of what they tell.';
COMMENT ON COLUMN outbox.tenant_id IS 'Whose.';
COMMENT ON COLUMN outbox.id IS 'Derived from its cause, so that a repeat is recognised.';
COMMENT ON COLUMN outbox.topic IS 'CloudEvents type, such as tally.credits.granted.';
COMMENT ON COLUMN outbox.key IS 'What it concerns: messages of one key are delivered in order.';
COMMENT ON COLUMN outbox.payload IS 'CloudEvents 1.0 JSON.';
COMMENT ON COLUMN outbox.created_at IS 'When.';
CREATE INDEX outbox_order ON outbox (tenant_id, created_at, id);

-- writers: keeper
CREATE TABLE seal (
    tenant_id  int         NOT NULL,
    to_pos     bigint      NOT NULL,
    from_pos   bigint      NOT NULL,
    root       bytea       NOT NULL,
    prev       bytea,
    heads_root bytea       NOT NULL,
    sealed_at  timestamptz NOT NULL,
    CONSTRAINT seal_pkey PRIMARY KEY (tenant_id, to_pos)
);
COMMENT ON TABLE seal IS 'Merkle roots over dense ranges of the log, append-only.';
COMMENT ON COLUMN seal.tenant_id IS 'Whose.';
COMMENT ON COLUMN seal.to_pos IS 'Last position of the range.';
COMMENT ON COLUMN seal.from_pos IS 'First position of the range.';
COMMENT ON COLUMN seal.root IS 'Merkle root over the range.';
COMMENT ON COLUMN seal.prev IS 'Root of the seal before.';
COMMENT ON COLUMN seal.heads_root IS 'Merkle root over the account heads at that moment.';
COMMENT ON COLUMN seal.sealed_at IS 'When.';

-- writers: api (last_used_at), keys commands
CREATE TABLE api_key (
    tenant_id    int         NOT NULL,
    key_id       text        NOT NULL,
    role         smallint    NOT NULL CONSTRAINT api_key_role_known CHECK (role BETWEEN 1 AND 5),
    name         text        NOT NULL,
    hash         bytea       NOT NULL CONSTRAINT api_key_hash_size CHECK (octet_length(hash) = 32),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    CONSTRAINT api_key_pkey PRIMARY KEY (tenant_id, key_id)
);
COMMENT ON TABLE api_key IS 'Keys of the API. The key itself is shown once and kept nowhere.';
COMMENT ON COLUMN api_key.tenant_id IS 'Whose: a key sees one tenant only.';
COMMENT ON COLUMN api_key.key_id IS 'Public part: key_….';
COMMENT ON COLUMN api_key.role IS '1 read, 2 app, 3 support, 4 approver, 5 admin.';
COMMENT ON COLUMN api_key.name IS 'What it is for.';
COMMENT ON COLUMN api_key.hash IS 'SHA-256 of the whole key (256 random bits, so a plain hash is enough).';
COMMENT ON COLUMN api_key.created_at IS 'When it was made.';
COMMENT ON COLUMN api_key.expires_at IS 'When it ends; null: never.';
COMMENT ON COLUMN api_key.revoked_at IS 'When it was revoked.';
COMMENT ON COLUMN api_key.last_used_at IS 'About when it was last used.';

RESET ROLE;
