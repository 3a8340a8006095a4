-- Least privilege: which of what a key may do was needed by requests that passed. Noted at most once an hour for each, so
-- that a busy key costs as little as a quiet one.
CREATE TABLE key_uses (
    key_id TEXT NOT NULL,
    -- 'grant' and 'pattern' as the key holds them, 'concrete' asked for under a wildcard; 'more' concretes than are kept;
    -- 'unasked' without a permission, 'unaddressed' without a client's address.
    kind TEXT NOT NULL CHECK (kind IN ('grant', 'concrete', 'more', 'unasked', 'pattern', 'unaddressed')),
    name TEXT NOT NULL,
    first_at_ms BIGINT NOT NULL,
    last_at_ms BIGINT NOT NULL,
    PRIMARY KEY (key_id, kind, name)
);
CREATE INDEX key_uses_by_age ON key_uses (last_at_ms);

-- Since when what the key may do is what it is now; no decision rests on it.
ALTER TABLE api_keys ADD COLUMN watched_since_ms BIGINT NOT NULL DEFAULT 0;
UPDATE api_keys SET watched_since_ms = CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT);

-- What the advisor took away, and what it was before: signed, because undoing it signs the key afresh.
CREATE TABLE key_tightenings (
    key_id TEXT NOT NULL REFERENCES api_keys (id),
    -- The version of the key that it began from.
    key_version BIGINT NOT NULL,
    org_id TEXT NOT NULL REFERENCES organisations (id),
    at_ms BIGINT NOT NULL,
    by_type TEXT NOT NULL,
    by_id TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    undone_at_ms BIGINT,
    mac TEXT NOT NULL,
    mac_key_id TEXT NOT NULL,
    PRIMARY KEY (key_id, key_version)
);

-- A campaign: every key that matched the filter when it began is decided about by somebody.
CREATE TABLE reviews (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL,
    filter TEXT NOT NULL,
    assignment TEXT NOT NULL CHECK (assignment IN ('owners', 'members')),
    on_undecided TEXT NOT NULL CHECK (on_undecided IN ('nothing', 'disable')),
    status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'cancelled')),
    started_at_ms BIGINT NOT NULL,
    started_by TEXT NOT NULL REFERENCES accounts (id),
    deadline_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    -- When each reminder went out; a node that comes second finds it done.
    reminded_week_at_ms BIGINT,
    reminded_day_at_ms BIGINT
);
CREATE INDEX reviews_by_organisation ON reviews (org_id, started_at_ms);
CREATE INDEX reviews_due ON reviews (deadline_ms) WHERE status = 'running';

CREATE TABLE review_items (
    review_id TEXT NOT NULL REFERENCES reviews (id),
    key_id TEXT NOT NULL REFERENCES api_keys (id),
    -- Whose turn it is; an admin may decide any.
    reviewer_id TEXT NOT NULL REFERENCES accounts (id),
    decision TEXT CHECK (decision IN ('keep', 'tighten', 'revoke')),
    note TEXT NOT NULL DEFAULT '',
    decided_at_ms BIGINT,
    decided_by TEXT REFERENCES accounts (id),
    -- What was known when it was decided, as JSON; or at the deadline.
    evidence TEXT,
    -- What became of an item that nobody decided about.
    outcome TEXT CHECK (outcome IN ('disabled', 'undecided', 'revoked', 'failed')),
    PRIMARY KEY (review_id, key_id)
);
CREATE INDEX review_items_by_reviewer ON review_items (review_id, reviewer_id, decided_at_ms);
CREATE INDEX review_items_by_key ON review_items (key_id);
