-- What disputes took is read with every balance: only the payments that have any are looked at, not all that a user ever made.
SET LOCAL ROLE tally_owner;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX payment_disputed ON payment (tenant_id, owner_account)
    WHERE (facts -> 'reversals' -> 'disputes') IS NOT NULL;

RESET ROLE;
