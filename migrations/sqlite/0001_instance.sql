-- What belongs to the installation as a whole.

CREATE TABLE instance (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    created_at_ms BIGINT NOT NULL,
    set_up_at_ms BIGINT
);

-- Peppers and MAC keys: random 32 bytes each, sealed by the master key. Rows are added, never changed in meaning.
CREATE TABLE server_secrets (
    id TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    sealed TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    created_at_ms BIGINT NOT NULL
);

-- One-time set-up links; only a keyed hash of each.
CREATE TABLE setup_tokens (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    pepper_id TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

-- Every write that verification reads takes the next number last in its transaction: the row lock makes the numbers
-- follow the order of commits, which a sequence does not.
CREATE TABLE change_seq (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL
);

CREATE TABLE change_log (
    seq BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE INDEX change_log_by_age ON change_log (at_ms);

INSERT INTO change_seq (id, seq) VALUES (1, 0);
