//! Finds, fetches, starts and stops a private Postgres server.
