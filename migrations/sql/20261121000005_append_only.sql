-- Append-only, enforced twice: no role may change history, and a trigger refuses even the owner.
-- The one exception is the erasure of a body, through the one function below.
SET LOCAL ROLE tally_owner;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, tally AS $$
BEGIN
    RAISE EXCEPTION '% on %.%: this table is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Record a new event, decision or posting instead.';
END
$$;
COMMENT ON FUNCTION refuse_change() IS 'Refuses every change of an append-only table.';

CREATE FUNCTION refuse_change_but_erasure() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, tally AS $$
DECLARE
    kept tally.event;
BEGIN
    kept := NEW;
    kept.body := OLD.body;
    IF current_setting('tally.erasing', true) = 'on' AND NEW.body IS NULL AND OLD.body IS NOT NULL
       AND kept IS NOT DISTINCT FROM OLD THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'UPDATE on tally.event: this table is append-only'
        USING ERRCODE = 'restrict_violation', HINT = 'To erase a body, call tally.erase_event_body as tally_eraser.';
END
$$;
COMMENT ON FUNCTION refuse_change_but_erasure() IS 'Refuses every update of event but the one that erase_event_body makes.';

CREATE TRIGGER event_append_only BEFORE DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_append_only_update BEFORE UPDATE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change_but_erasure();
CREATE TRIGGER event_append_only_truncate BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER command_append_only BEFORE UPDATE OR DELETE ON command FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER command_append_only_truncate BEFORE TRUNCATE ON command FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER decision_append_only BEFORE UPDATE OR DELETE ON decision FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER decision_append_only_truncate BEFORE TRUNCATE ON decision FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER posting_append_only BEFORE UPDATE OR DELETE ON posting FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER posting_append_only_truncate BEFORE TRUNCATE ON posting FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER grant_move_append_only BEFORE UPDATE OR DELETE ON grant_move FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER grant_move_append_only_truncate BEFORE TRUNCATE ON grant_move FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Erasure: the body goes, its hash stays, and an event tells of it. Runs as the owner; only tally_eraser may call it.
CREATE FUNCTION erase_event_body(erased_tenant int, erased_pos bigint, erased_by text, why text, at timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, tally AS $$
DECLARE
    next_pos bigint;
    notice   bytea;
BEGIN
    PERFORM epoch FROM tally.log_head WHERE tenant_id = erased_tenant FOR UPDATE;
    PERFORM set_config('tally.erasing', 'on', true);
    UPDATE tally.event SET body = NULL WHERE tenant_id = erased_tenant AND pos = erased_pos AND body IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'erasing position % of tenant %: there is no body', erased_pos, erased_tenant
            USING ERRCODE = 'no_data_found';
    END IF;
    PERFORM set_config('tally.erasing', 'off', true);
    SELECT max(pos) + 1 INTO next_pos FROM tally.event WHERE tenant_id = erased_tenant;
    notice := convert_to(json_build_object('object', 'tally.event', 'type', 'tally.event.erased', 'pos', erased_pos,
                                           'actor', erased_by, 'reason', why)::text, 'UTF8');
    INSERT INTO tally.event (tenant_id, pos, origin, source, account, source_id, type, slot, occurred_at, received_at,
                             body_sha256, body)
    VALUES (erased_tenant, next_pos, 2, 5, '', 'erase:' || erased_pos, 'tally.event.erased', 0, at, at, sha256(notice), notice);
    INSERT INTO tally.event_key (tenant_id, origin, account, source_id, pos)
    VALUES (erased_tenant, 2, '', 'erase:' || erased_pos, next_pos);
    RETURN next_pos;
END
$$;
COMMENT ON FUNCTION erase_event_body(int, bigint, text, text, timestamptz) IS 'Replaces one body by null and appends an event that says so; returns its position.';
REVOKE ALL ON FUNCTION erase_event_body(int, bigint, text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_event_body(int, bigint, text, text, timestamptz) TO tally_eraser;

-- Each role's verbs, and no others. SELECT … FOR UPDATE needs UPDATE on one column: a key that no statement ever sets.
GRANT SELECT ON tenant, log_head TO tally_ingest, tally_projector, tally_keeper, tally_relay, tally_api;

GRANT UPDATE (epoch) ON log_head TO tally_ingest, tally_keeper, tally_api;
GRANT SELECT, INSERT ON event, event_key TO tally_ingest, tally_keeper, tally_api;
GRANT SELECT, INSERT, DELETE ON rejected_delivery TO tally_ingest;

GRANT SELECT ON event, event_key TO tally_projector;
GRANT SELECT, UPDATE (slot) ON projection_slot TO tally_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON attempt TO tally_projector;
GRANT SELECT, INSERT ON decision, posting, grant_move, outbox TO tally_projector;
GRANT SELECT, INSERT, UPDATE (key) ON subject TO tally_projector;
GRANT SELECT, INSERT, UPDATE ON payment, payment_alias, payment_leg, customer, customer_link, app_user, review_case,
    account, credit_grant TO tally_projector;
GRANT DELETE ON payment_leg TO tally_projector;
GRANT SELECT, INSERT, DELETE ON case_wait, case_event TO tally_projector;
GRANT SELECT, INSERT ON catalogue_entry, owner TO tally_projector;

GRANT SELECT ON decision, attempt, projection_slot, subject, payment, payment_alias, payment_leg, customer, customer_link,
    app_user, catalogue_entry, review_case, case_wait, case_event, owner, account, posting, credit_grant, grant_move,
    hold, outbox TO tally_keeper, tally_api;
GRANT SELECT ON command, idempotency, rejected_delivery, seal TO tally_api;
GRANT SELECT, UPDATE (last_used_at) ON api_key TO tally_api;

GRANT SELECT, DELETE ON outbox TO tally_relay;

RESET ROLE;

GRANT SELECT ON ALL TABLES IN SCHEMA tally TO tally_reader;
REVOKE SELECT ON api_key, tenant FROM tally_reader;
GRANT SELECT (tenant_id, name, livemode, created_at) ON tenant TO tally_reader;
