-- One row per verification of a known key; kept for 90 days.
CREATE TABLE usage_events (
    request_id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    token_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    code TEXT NOT NULL,
    ip TEXT,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    resource TEXT NOT NULL
);
CREATE INDEX usage_events_by_age ON usage_events (at_ms);

-- What charts read: counts per key, width of bucket, start of bucket and verdict.
CREATE TABLE usage_rollups (
    key_id TEXT NOT NULL,
    grain TEXT NOT NULL CHECK (grain IN ('minute', 'hour', 'day')),
    bucket_at_ms BIGINT NOT NULL,
    code TEXT NOT NULL,
    org_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (key_id, grain, bucket_at_ms, code)
);
CREATE INDEX usage_rollups_by_age ON usage_rollups (grain, bucket_at_ms);

-- Beside the keys, not in them: using a key never writes to its row.
CREATE TABLE key_last_used (
    key_id TEXT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    ip TEXT
);

CREATE TABLE token_last_used (
    token_id TEXT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    ip TEXT
);
