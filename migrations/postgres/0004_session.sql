CREATE TABLE sessions (
    -- SHA-256 of the cookie's value: who reads this table cannot sign in with it.
    id_sha256 TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    org_id TEXT REFERENCES organisations (id),
    stage TEXT NOT NULL CHECK (stage IN ('second_factor_due', 'complete')),
    session_epoch BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_seen_at_ms BIGINT NOT NULL,
    auth_at_ms BIGINT NOT NULL,
    step_up_at_ms BIGINT,
    expires_at_ms BIGINT NOT NULL,
    ip TEXT,
    user_agent TEXT NOT NULL
);
CREATE INDEX sessions_by_account ON sessions (account_id, created_at_ms);
CREATE INDEX sessions_by_expiry ON sessions (expires_at_ms);
