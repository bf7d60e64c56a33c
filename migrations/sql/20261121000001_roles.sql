-- Roles: one owner, one per process, one that may erase. None can log in: the login that an operator makes
-- is granted one of them, and each process takes it on with SET ROLE when it connects.
-- Roles belong to the whole cluster, so they may exist already.
DO $$
DECLARE
    role_name text;
    -- Since version 16, whoever makes a role is its member, but without the right to take it on.
    needed    text := CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['tally_owner', 'tally_ingest', 'tally_projector', 'tally_keeper',
                                     'tally_relay', 'tally_api', 'tally_eraser', 'tally_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database's migration was faster
            END;
        END IF;
        IF NOT pg_has_role(current_user, role_name, needed) THEN
            EXECUTE format('GRANT %I TO %I', role_name, current_user);
        END IF;
    END LOOP;
    EXECUTE 'GRANT USAGE, CREATE ON SCHEMA tally TO tally_owner';
    EXECUTE 'GRANT USAGE ON SCHEMA tally TO tally_ingest, tally_projector, tally_keeper, tally_relay, tally_api, tally_eraser, tally_reader';
    EXECUTE 'GRANT SELECT ON tally._sqlx_migrations TO tally_ingest, tally_projector, tally_keeper, tally_relay, tally_api, tally_eraser, tally_reader';
END
$$;
