-- Second factors. The secret is sealed, and each step of the clock is taken at most once.
CREATE TABLE factors (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL CHECK (kind IN ('totp')),
    sealed TEXT NOT NULL,
    last_step BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    -- The session that began the enrolment: no other is shown the secret again.
    session_sha256 TEXT NOT NULL,
    -- None while its owner has not proved to hold it: such a factor guards nothing.
    confirmed_at_ms BIGINT,
    used_at_ms BIGINT
);
CREATE UNIQUE INDEX factors_one_in_force ON factors (account_id, kind) WHERE confirmed_at_ms IS NOT NULL;
CREATE UNIQUE INDEX factors_one_enrolment ON factors (account_id, kind) WHERE confirmed_at_ms IS NULL;

-- For whoever lost the device; keyed hashes only.
CREATE TABLE recovery_codes (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    mac TEXT NOT NULL,
    pepper_id TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT,
    PRIMARY KEY (account_id, mac)
);

-- Wrong codes of a sign-in that is half done; never kept in a cookie.
ALTER TABLE sessions ADD COLUMN factor_failures BIGINT NOT NULL DEFAULT 0;
