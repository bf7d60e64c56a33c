-- Deciding: what the projector concludes from the log, and what the facts of each payment say.
SET LOCAL ROLE tally_owner;

-- writers: migrate (rows); projectors lock them
CREATE TABLE projection_slot (
    tenant_id int      NOT NULL,
    slot      smallint NOT NULL CONSTRAINT projection_slot_range CHECK (slot BETWEEN 0 AND 63),
    CONSTRAINT projection_slot_pkey PRIMARY KEY (tenant_id, slot)
);
COMMENT ON TABLE projection_slot IS 'Lock only: who holds a row projects that lane.';
COMMENT ON COLUMN projection_slot.tenant_id IS 'Whose.';
COMMENT ON COLUMN projection_slot.slot IS 'Lane, 0 to 63.';

-- writers: projector
CREATE TABLE attempt (
    tenant_id int      NOT NULL,
    pos       bigint   NOT NULL,
    tries     smallint NOT NULL,
    error     text,
    CONSTRAINT attempt_pkey PRIMARY KEY (tenant_id, pos)
);
COMMENT ON TABLE attempt IS 'Batches begun and not finished, counted before they are tried, so that an event that kills the process is found out.';
COMMENT ON COLUMN attempt.tenant_id IS 'Whose.';
COMMENT ON COLUMN attempt.pos IS 'First position of the batch.';
COMMENT ON COLUMN attempt.tries IS 'How often it was begun.';
COMMENT ON COLUMN attempt.error IS 'What the last try failed with, if the process lived to say so.';

-- writers: projector
CREATE TABLE decision (
    tenant_id         int         NOT NULL,
    pos               bigint      NOT NULL,
    rev               int         NOT NULL DEFAULT 0,
    slot              smallint    NOT NULL,
    outcome           smallint    NOT NULL CONSTRAINT decision_outcome_known CHECK (outcome BETWEEN 1 AND 4),
    reason            smallint    NOT NULL,
    root_key          text,
    account_id        uuid,
    rank              smallint,
    rules_version     int         NOT NULL,
    catalogue_version bigint,
    evidence          jsonb,
    cause_pos         bigint,
    decided_at        timestamptz NOT NULL,
    CONSTRAINT decision_pkey PRIMARY KEY (tenant_id, pos, rev)
);
COMMENT ON TABLE decision IS 'What the projector concluded from one event, append-only. The latest revision counts; the first ones are the cursor.';
COMMENT ON COLUMN decision.tenant_id IS 'Whose.';
COMMENT ON COLUMN decision.pos IS 'Position of the event.';
COMMENT ON COLUMN decision.rev IS '0 for the first decision; each later one counts up.';
COMMENT ON COLUMN decision.slot IS 'Lane of the event: max(pos) of a lane''s first decisions is its cursor.';
COMMENT ON COLUMN decision.outcome IS '1 applied, 2 ignored, 3 deferred, 4 in_review.';
COMMENT ON COLUMN decision.reason IS 'Why: ledger::decision::Reason lists the numbers.';
COMMENT ON COLUMN decision.root_key IS 'Payment that it concerns, as it was called then.';
COMMENT ON COLUMN decision.account_id IS 'Account that owns the payment after it.';
COMMENT ON COLUMN decision.rank IS 'Rank of the evidence that settled whose it is (0 to 6).';
COMMENT ON COLUMN decision.rules_version IS 'Version of the rules that decided.';
COMMENT ON COLUMN decision.catalogue_version IS 'Newest catalogue position that was in force.';
COMMENT ON COLUMN decision.evidence IS 'All evidence that was weighed; e-mails and names only as keyed hashes.';
COMMENT ON COLUMN decision.cause_pos IS 'For a revision: the event that released it.';
COMMENT ON COLUMN decision.decided_at IS 'When.';
CREATE UNIQUE INDEX decision_cursor ON decision (tenant_id, slot, pos) WHERE rev = 0;
CREATE INDEX decision_root ON decision (tenant_id, root_key, pos) WHERE root_key IS NOT NULL;
CREATE INDEX decision_deferred ON decision (tenant_id, rules_version, pos) WHERE outcome = 3;

-- writers: projector
CREATE TABLE subject (
    tenant_id int  NOT NULL,
    key       text NOT NULL,
    CONSTRAINT subject_pkey PRIMARY KEY (tenant_id, key)
);
COMMENT ON TABLE subject IS 'Lock only: what a lookup hung on. The fact that would satisfy it locks the same row, so no wake-up is lost between them.';
COMMENT ON COLUMN subject.tenant_id IS 'Whose.';
COMMENT ON COLUMN subject.key IS 'customer:…, user:… or price:….';

-- writers: projector
CREATE TABLE payment (
    tenant_id     int    NOT NULL,
    root_key      text   NOT NULL,
    owner_account uuid,
    claimant      text,
    first_pos     bigint NOT NULL,
    paid          bigint,
    currency      text,
    status        smallint NOT NULL CONSTRAINT payment_status_known CHECK (status BETWEEN 0 AND 4),
    facts         jsonb  NOT NULL,
    version       bigint NOT NULL DEFAULT 0,
    merged_into   text,
    CONSTRAINT payment_pkey PRIMARY KEY (tenant_id, root_key)
);
COMMENT ON TABLE payment IS 'The root on which all of Stripe''s objects of one purchase converge: a join of facts.';
COMMENT ON COLUMN payment.tenant_id IS 'Whose.';
COMMENT ON COLUMN payment.root_key IS 'Its name: the first object id by which it became known (account/id for Connect).';
COMMENT ON COLUMN payment.owner_account IS 'Account that its credits stand on: a user''s, or its own unclaimed one. Null while nothing is posted.';
COMMENT ON COLUMN payment.claimant IS 'The one user whom all evidence names, while it is pending or in review; null if there is none or more.';
COMMENT ON COLUMN payment.first_pos IS 'Position of the first event that told of it: the older root survives a merge.';
COMMENT ON COLUMN payment.paid IS 'Money paid, in the currency''s minor unit; null while unknown.';
COMMENT ON COLUMN payment.currency IS 'ISO 4217 code, lower case.';
COMMENT ON COLUMN payment.status IS '0 unknown, 1 pending, 2 paid, 3 failed, 4 not ours.';
COMMENT ON COLUMN payment.facts IS 'The joined facts (rules::payment::Facts).';
COMMENT ON COLUMN payment.version IS 'Counts up with each change.';
COMMENT ON COLUMN payment.merged_into IS 'Root that it was merged into, when an alias tied the two.';
CREATE INDEX payment_claimant ON payment (tenant_id, claimant) WHERE claimant IS NOT NULL;
CREATE INDEX payment_owner ON payment (tenant_id, owner_account) WHERE owner_account IS NOT NULL;

-- writers: projector
CREATE TABLE payment_alias (
    tenant_id int  NOT NULL,
    alias     text NOT NULL,
    root_key  text NOT NULL,
    CONSTRAINT payment_alias_pkey PRIMARY KEY (tenant_id, alias)
);
COMMENT ON TABLE payment_alias IS 'Every object id that leads to a payment. Follow payment.merged_into from its root.';
COMMENT ON COLUMN payment_alias.tenant_id IS 'Whose.';
COMMENT ON COLUMN payment_alias.alias IS 'pi_…, cs_…, ch_…, in_… (account/id for Connect).';
COMMENT ON COLUMN payment_alias.root_key IS 'Root when the alias was made.';

-- writers: projector
CREATE TABLE payment_leg (
    tenant_id  int      NOT NULL,
    root_key   text     NOT NULL,
    line       text     NOT NULL,
    leg        smallint NOT NULL CONSTRAINT payment_leg_known CHECK (leg BETWEEN 1 AND 3),
    unit       text     NOT NULL,
    expected   bigint   NOT NULL DEFAULT 0,
    target     bigint   NOT NULL,
    posted     bigint   NOT NULL,
    forgiven   bigint   NOT NULL DEFAULT 0,
    CONSTRAINT payment_leg_pkey PRIMARY KEY (tenant_id, root_key, line, leg)
);
COMMENT ON TABLE payment_leg IS 'Per line and leg of a payment: what should be posted, and what is.';
COMMENT ON COLUMN payment_leg.tenant_id IS 'Whose.';
COMMENT ON COLUMN payment_leg.root_key IS 'Payment.';
COMMENT ON COLUMN payment_leg.line IS 'Line of the purchase, such as price:price_….';
COMMENT ON COLUMN payment_leg.leg IS '1 purchase, 2 refund, 3 dispute.';
COMMENT ON COLUMN payment_leg.unit IS 'Unit of the credits.';
COMMENT ON COLUMN payment_leg.expected IS 'Credits that the line is worth once it is paid.';
COMMENT ON COLUMN payment_leg.target IS 'Credits that are due now by the facts.';
COMMENT ON COLUMN payment_leg.posted IS 'Credits that are posted, on whichever account.';
COMMENT ON COLUMN payment_leg.forgiven IS 'Credits of a clawback that were written off; counts as taken.';

-- writers: projector
CREATE TABLE customer (
    tenant_id int    NOT NULL,
    account   text   NOT NULL DEFAULT '',
    customer  text   NOT NULL,
    facts     jsonb  NOT NULL,
    pos       bigint NOT NULL,
    CONSTRAINT customer_pkey PRIMARY KEY (tenant_id, account, customer)
);
COMMENT ON TABLE customer IS 'What Stripe last said of a customer, as evidence: users that its metadata names, keyed hashes of e-mail and name.';
COMMENT ON COLUMN customer.tenant_id IS 'Whose.';
COMMENT ON COLUMN customer.account IS 'Stripe Connect account; empty for the own account.';
COMMENT ON COLUMN customer.customer IS 'Stripe''s cus_….';
COMMENT ON COLUMN customer.facts IS 'The joined facts (rules::customer::Facts).';
COMMENT ON COLUMN customer.pos IS 'Position of the newest event that told of it.';

-- writers: projector
CREATE TABLE customer_link (
    tenant_id int    NOT NULL,
    account   text   NOT NULL DEFAULT '',
    customer  text   NOT NULL,
    from_pos  bigint NOT NULL,
    user_id   text   NOT NULL,
    to_pos    bigint,
    CONSTRAINT customer_link_pkey PRIMARY KEY (tenant_id, account, customer, from_pos)
);
COMMENT ON TABLE customer_link IS 'Links Stripe customer → user, with their history; a link can be ended, never edited.';
COMMENT ON COLUMN customer_link.tenant_id IS 'Whose.';
COMMENT ON COLUMN customer_link.account IS 'Stripe Connect account; empty for the own account.';
COMMENT ON COLUMN customer_link.customer IS 'Stripe''s cus_….';
COMMENT ON COLUMN customer_link.from_pos IS 'Position of the decision that made the link.';
COMMENT ON COLUMN customer_link.user_id IS 'The user.';
COMMENT ON COLUMN customer_link.to_pos IS 'Position that ended it; null while it holds.';

-- writers: projector
CREATE TABLE app_user (
    tenant_id      int     NOT NULL,
    user_id        text    NOT NULL,
    email          text,
    email_hash     bytea,
    email_verified boolean NOT NULL DEFAULT false,
    name           text,
    name_hash      bytea,
    metadata       jsonb   NOT NULL DEFAULT '{}',
    first_pos      bigint  NOT NULL,
    pos            bigint  NOT NULL,
    CONSTRAINT app_user_pkey PRIMARY KEY (tenant_id, user_id)
);
COMMENT ON TABLE app_user IS 'The directory: users as the app knows them, from registration events.';
COMMENT ON COLUMN app_user.tenant_id IS 'Whose.';
COMMENT ON COLUMN app_user.user_id IS 'The app''s own id, as text.';
COMMENT ON COLUMN app_user.email IS 'E-mail, as the app gave it.';
COMMENT ON COLUMN app_user.email_hash IS 'Keyed hash of the normalised e-mail: what evidence is compared with.';
COMMENT ON COLUMN app_user.email_verified IS 'Whether the app says that the e-mail is the user''s.';
COMMENT ON COLUMN app_user.name IS 'Name, as the app gave it.';
COMMENT ON COLUMN app_user.name_hash IS 'Keyed hash of the normalised name.';
COMMENT ON COLUMN app_user.metadata IS 'The app''s own key-value pairs.';
COMMENT ON COLUMN app_user.first_pos IS 'Position of the registration.';
COMMENT ON COLUMN app_user.pos IS 'Position of the newest change.';
CREATE INDEX app_user_email ON app_user (tenant_id, email_hash) WHERE email_hash IS NOT NULL;
CREATE INDEX app_user_name ON app_user (tenant_id, name_hash) WHERE name_hash IS NOT NULL;

-- writers: projector
CREATE TABLE catalogue_entry (
    tenant_id int     NOT NULL,
    price     text    NOT NULL,
    from_pos  bigint  NOT NULL,
    not_ours  boolean NOT NULL DEFAULT false,
    credits   bigint,
    unit      text,
    CONSTRAINT catalogue_entry_pkey PRIMARY KEY (tenant_id, price, from_pos),
    CONSTRAINT catalogue_entry_shape CHECK (not_ours = (credits IS NULL) AND (credits IS NULL) = (unit IS NULL)),
    CONSTRAINT catalogue_entry_credits_positive CHECK (credits > 0)
);
COMMENT ON TABLE catalogue_entry IS 'The catalogue: what one of a price is worth. The newest position of a price counts; older ones are its history.';
COMMENT ON COLUMN catalogue_entry.tenant_id IS 'Whose.';
COMMENT ON COLUMN catalogue_entry.price IS 'Stripe''s price_….';
COMMENT ON COLUMN catalogue_entry.from_pos IS 'Position of the catalogue event.';
COMMENT ON COLUMN catalogue_entry.not_ours IS 'True: purchases of this price do not concern us.';
COMMENT ON COLUMN catalogue_entry.credits IS 'Credits per quantity of one, in the unit''s smallest part.';
COMMENT ON COLUMN catalogue_entry.unit IS 'Unit of the credits.';

-- writers: projector
CREATE TABLE review_case (
    tenant_id  int         NOT NULL,
    case_id    uuid        NOT NULL,
    pos        bigint      NOT NULL,
    root_key   text,
    reason     smallint    NOT NULL,
    state      smallint    NOT NULL CONSTRAINT review_case_state_known CHECK (state BETWEEN 1 AND 2),
    resolution smallint    CONSTRAINT review_case_resolution_known CHECK (resolution BETWEEN 1 AND 5),
    version    int         NOT NULL,
    opened_at  timestamptz NOT NULL,
    due        timestamptz,
    due_pos    bigint,
    closed_at  timestamptz,
    closed_pos bigint,
    detail     jsonb       NOT NULL DEFAULT '{}',
    CONSTRAINT review_case_pkey PRIMARY KEY (tenant_id, case_id),
    CONSTRAINT review_case_closed CHECK ((state = 2) = (resolution IS NOT NULL) AND (state = 2) = (closed_at IS NOT NULL))
);
COMMENT ON TABLE review_case IS 'Something that waits for a fact or for a person.';
COMMENT ON COLUMN review_case.tenant_id IS 'Whose.';
COMMENT ON COLUMN review_case.case_id IS 'Derived from tenant, root or position, and reason, so that a rebuild gives the same.';
COMMENT ON COLUMN review_case.pos IS 'Position of the event that opened it.';
COMMENT ON COLUMN review_case.root_key IS 'Payment that it holds up; null for bytes that are no event.';
COMMENT ON COLUMN review_case.reason IS 'Why: ledger::decision::Reason, 40 to 49.';
COMMENT ON COLUMN review_case.state IS '1 open, 2 closed.';
COMMENT ON COLUMN review_case.resolution IS '1 healed by a fact, 2 assigned, 3 dismissed, 4 superseded by another case, 5 expired.';
COMMENT ON COLUMN review_case.version IS 'Counts up with each change; a staff act names the version that it saw.';
COMMENT ON COLUMN review_case.opened_at IS 'When it was opened, or opened again.';
COMMENT ON COLUMN review_case.due IS 'When it is to be decided anew; null: when a fact or a person releases it.';
COMMENT ON COLUMN review_case.due_pos IS 'Position of the fact that made it due.';
COMMENT ON COLUMN review_case.closed_at IS 'When it was closed.';
COMMENT ON COLUMN review_case.closed_pos IS 'Position of the event that closed it.';
COMMENT ON COLUMN review_case.detail IS 'What staff need to see: evidence, candidates, amounts, the error; no e-mails or names.';
CREATE INDEX review_case_listed ON review_case (tenant_id, opened_at, case_id);
CREATE INDEX review_case_due ON review_case (tenant_id, due) WHERE state = 1 AND due IS NOT NULL AND due_pos IS NULL;
CREATE INDEX review_case_released ON review_case (tenant_id, due, case_id) WHERE state = 1 AND due_pos IS NOT NULL;
CREATE INDEX review_case_root ON review_case (tenant_id, root_key) WHERE root_key IS NOT NULL;

-- writers: projector
CREATE TABLE case_wait (
    tenant_id int  NOT NULL,
    key       text COLLATE "C" NOT NULL,
    case_id   uuid NOT NULL,
    CONSTRAINT case_wait_pkey PRIMARY KEY (tenant_id, key, case_id)
);
COMMENT ON TABLE case_wait IS 'What each open case waits for; a fact about the key makes the case due.';
COMMENT ON COLUMN case_wait.tenant_id IS 'Whose.';
COMMENT ON COLUMN case_wait.key IS 'user:…, customer:…, price:… or payment:….';
COMMENT ON COLUMN case_wait.case_id IS 'The case.';
CREATE INDEX case_wait_case ON case_wait (tenant_id, case_id);

-- writers: projector
CREATE TABLE case_event (
    tenant_id int    NOT NULL,
    case_id   uuid   NOT NULL,
    pos       bigint NOT NULL,
    CONSTRAINT case_event_pkey PRIMARY KEY (tenant_id, case_id, pos)
);
COMMENT ON TABLE case_event IS 'The events whose latest decision is in review for a case.';
COMMENT ON COLUMN case_event.tenant_id IS 'Whose.';
COMMENT ON COLUMN case_event.case_id IS 'The case.';
COMMENT ON COLUMN case_event.pos IS 'The event.';

RESET ROLE;
