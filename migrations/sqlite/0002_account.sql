CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    password_pepper_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    is_instance_admin BOOLEAN NOT NULL,
    -- A session made under an older epoch is dead: ending them all is one UPDATE.
    session_epoch BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_sign_in_at_ms BIGINT
);

-- Failed credentials per canonical address and per network; counters live here, never in a cookie.
CREATE TABLE throttles (
    bucket TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    blocked_until_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX throttles_by_age ON throttles (updated_at_ms);
