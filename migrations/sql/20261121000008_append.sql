-- The one function that appends to the log. A function, because the head lock is held while it runs: the whole append is
-- one message and one answer, and its plans are kept.
SET LOCAL ROLE tally_owner;

-- Each statement of a volatile function has a snapshot of its own, so what follows the lock sees what it waited for.
-- A kept plan must not read a table from end to end because it was made when the table was empty: hence the settings.
CREATE FUNCTION append_events(
    appended_tenant int, origins smallint[], accounts text[], source_ids text[], sources smallint[], types text[],
    root_keys text[], slots smallint[], livemodes boolean[], api_versions text[], endpoints text[], user_agents text[],
    peers text[], occurred timestamptz[], received timestamptz[], hashes bytea[], bodies bytea[], signatures text[],
    traceparents text[],
    OUT log_end bigint, OUT stored bigint, OUT positions bigint[]
) LANGUAGE plpgsql VOLATILE
SET search_path = tally
SET lock_timeout = '2s'
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
    keyed bigint;
BEGIN
    PERFORM FROM log_head h WHERE h.tenant_id = appended_tenant FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- Not max(): the order, and that sorting is off, lead to the primary key, whatever is known of the table.
    log_end := coalesce((SELECT e.pos FROM event e WHERE e.tenant_id = appended_tenant ORDER BY e.pos DESC LIMIT 1), 0);

    -- Dedupe before numbering: ON CONFLICT DO NOTHING would use up the numbers of what it skips and leave holes. Each key
    -- is looked up by a scalar subquery: a join would let the planner read the whole table of keys.
    INSERT INTO event AS e (tenant_id, pos, origin, source, account, source_id, type, root_key, slot, livemode, api_version,
                            endpoint, user_agent, peer, occurred_at, received_at, body_sha256, body, signature, traceparent)
    SELECT appended_tenant, log_end + row_number() OVER (ORDER BY i.ord), i.origin, i.source, i.account, i.source_id,
           i.type, i.root_key, i.slot, i.livemode, i.api_version, i.endpoint, i.user_agent, i.peer, i.occurred_at,
           i.received_at, i.body_sha256, i.body, i.signature, i.traceparent
    FROM unnest(origins, accounts, source_ids, sources, types, root_keys, slots, livemodes, api_versions, endpoints,
                user_agents, peers, occurred, received, hashes, bodies, signatures, traceparents) WITH ORDINALITY
             i (origin, account, source_id, source, type, root_key, slot, livemode, api_version, endpoint, user_agent, peer,
                occurred_at, received_at, body_sha256, body, signature, traceparent, ord)
    WHERE (SELECT k.pos FROM event_key k WHERE k.tenant_id = appended_tenant
           AND k.origin = i.origin AND k.account = i.account AND k.source_id = i.source_id LIMIT 1) IS NULL;
    GET DIAGNOSTICS stored = ROW_COUNT;

    -- The order leads to the primary key here, too.
    INSERT INTO event_key AS k (tenant_id, origin, account, source_id, pos)
    SELECT e.tenant_id, e.origin, e.account, e.source_id, e.pos FROM event e
    WHERE e.tenant_id = appended_tenant AND e.pos > log_end ORDER BY e.pos;
    GET DIAGNOSTICS keyed = ROW_COUNT;
    IF keyed <> stored THEN
        RAISE EXCEPTION 'appending to tenant %: % events and % keys', appended_tenant, stored, keyed
            USING ERRCODE = 'data_corrupted';
    END IF;

    IF stored < cardinality(source_ids) THEN
        SELECT array_agg((SELECT k.pos FROM event_key k WHERE k.tenant_id = appended_tenant
                          AND k.origin = i.origin AND k.account = i.account AND k.source_id = i.source_id LIMIT 1)
                         ORDER BY i.ord)
        INTO positions
        FROM unnest(origins, accounts, source_ids) WITH ORDINALITY i (origin, account, source_id, ord);
    END IF;
END
$$;
COMMENT ON FUNCTION append_events(int, smallint[], text[], text[], smallint[], text[], text[], smallint[], boolean[], text[],
    text[], text[], text[], timestamptz[], timestamptz[], bytea[], bytea[], text[], text[]) IS
    'Appends a batch that holds no key twice: the end of the log before it, how many were new, and, unless all were, where each stands.';
REVOKE ALL ON FUNCTION append_events(int, smallint[], text[], text[], smallint[], text[], text[], smallint[], boolean[],
    text[], text[], text[], text[], timestamptz[], timestamptz[], bytea[], bytea[], text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_events(int, smallint[], text[], text[], smallint[], text[], text[], smallint[], boolean[],
    text[], text[], text[], text[], timestamptz[], timestamptz[], bytea[], bytea[], text[], text[])
    TO tally_ingest, tally_keeper, tally_api;

RESET ROLE;
