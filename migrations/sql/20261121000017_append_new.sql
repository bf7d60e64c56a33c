-- Appending for the usual case, that all of a batch is new: the keys are written as if it were, and their primary key says
-- if it is not. That is a lookup of each key less, and the rows are numbered without passing through a window. Names are
-- written in full, since a function that sets its search_path finds all of them anew at each call.
SET LOCAL ROLE tally_owner;

-- squawk-ignore ban-drop-function
DROP FUNCTION append_events(int, smallint[], text[], text[], smallint[], text[], text[], smallint[], boolean[], text[], text[],
    text[], text[], timestamptz[], timestamptz[], bytea[], bytea[], text[], text[]);
CREATE FUNCTION append_events(
    appended_tenant int, origins smallint[], accounts text[], source_ids text[], sources smallint[], types text[],
    root_keys text[], slots smallint[], livemodes boolean[], api_versions text[], endpoints text[], user_agents text[],
    peers text[], occurred timestamptz[], received timestamptz[], hashes bytea[], bodies bytea[], signatures text[],
    traceparents text[],
    OUT log_end bigint, OUT positions bigint[]
) LANGUAGE plpgsql VOLATILE
SET lock_timeout = '2s'
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_sort = off
SET jit = off
AS $$
BEGIN
    PERFORM FROM tally.log_head h WHERE h.tenant_id = appended_tenant FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- Not max(): the order, and that sorting is off, lead to the primary key, whatever is known of the table.
    log_end := coalesce(
        (SELECT e.pos FROM tally.event e WHERE e.tenant_id = appended_tenant ORDER BY e.pos DESC LIMIT 1), 0);
    positions := ARRAY(SELECT log_end + nth FROM generate_series(1, cardinality(source_ids)) nth);

    -- Arrays of one length that are unnested side by side give one row for each place.
    BEGIN
        INSERT INTO tally.event_key (tenant_id, origin, account, source_id, pos)
        SELECT appended_tenant, unnest(origins), unnest(accounts), unnest(source_ids), unnest(positions);
    EXCEPTION WHEN unique_violation THEN
        -- Some stand in the log: only what is new has a number, so that no hole is left. Each key is looked up by a scalar
        -- subquery: a join would let the planner read the whole table of keys.
        SELECT array_agg(coalesce(f.pos, log_end + f.nth) ORDER BY f.ord) INTO positions
        FROM (SELECT g.ord, g.pos, count(*) FILTER (WHERE g.pos IS NULL) OVER (ORDER BY g.ord) AS nth
              FROM (SELECT i.ord, (SELECT k.pos FROM tally.event_key k WHERE k.tenant_id = appended_tenant
                                   AND k.origin = i.origin AND k.account = i.account AND k.source_id = i.source_id LIMIT 1) AS pos
                    FROM unnest(origins, accounts, source_ids) WITH ORDINALITY i (origin, account, source_id, ord)) g) f;

        INSERT INTO tally.event_key (tenant_id, origin, account, source_id, pos)
        SELECT appended_tenant, i.origin, i.account, i.source_id, i.pos
        FROM unnest(origins, accounts, source_ids, positions) i (origin, account, source_id, pos)
        WHERE i.pos > log_end;
    END;

    INSERT INTO tally.event (tenant_id, pos, origin, source, account, source_id, type, root_key, slot, livemode, api_version,
                             endpoint, user_agent, peer, occurred_at, received_at, body_sha256, body, signature, traceparent)
    SELECT appended_tenant, i.*
    FROM (SELECT unnest(positions) AS pos, unnest(origins), unnest(sources), unnest(accounts), unnest(source_ids), unnest(types),
                 unnest(root_keys), unnest(slots), unnest(livemodes), unnest(api_versions), unnest(endpoints),
                 unnest(user_agents), unnest(peers), unnest(occurred), unnest(received), unnest(hashes), unnest(bodies),
                 unnest(signatures), unnest(traceparents)) i
    WHERE i.pos > log_end;
END
$$;
COMMENT ON FUNCTION append_events(int, smallint[], text[], text[], smallint[], text[], text[], smallint[], boolean[], text[],
    text[], text[], text[], timestamptz[], timestamptz[], bytea[], bytea[], text[], text[]) IS
    'Appends a batch that holds no key twice: the end of the log before it, and where each event stands.';
REVOKE ALL ON FUNCTION append_events(int, smallint[], text[], text[], smallint[], text[], text[], smallint[], boolean[],
    text[], text[], text[], text[], timestamptz[], timestamptz[], bytea[], bytea[], text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_events(int, smallint[], text[], text[], smallint[], text[], text[], smallint[], boolean[],
    text[], text[], text[], text[], timestamptz[], timestamptz[], bytea[], bytea[], text[], text[])
    TO tally_ingest, tally_keeper, tally_api;

RESET ROLE;
