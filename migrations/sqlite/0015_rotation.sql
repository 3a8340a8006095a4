-- Rotation: the same key, two secrets for a while.
-- Which of the key's secrets it is, counted from its first.
ALTER TABLE key_secrets ADD COLUMN number BIGINT NOT NULL DEFAULT 1;
-- A previous secret that goes on for so long after the current one is first used; none once that has happened.
ALTER TABLE key_secrets ADD COLUMN countdown_ms BIGINT;
-- What was said of where the previous secret is stored, for when the rotation is cancelled.
ALTER TABLE key_secrets ADD COLUMN stored_at_ms BIGINT;
ALTER TABLE key_secrets ADD COLUMN stored_note TEXT;

ALTER TABLE api_keys ADD COLUMN secret_since_ms BIGINT NOT NULL DEFAULT 0;
-- How many secrets the key ever had: a number is not given twice, even if a rotation is cancelled.
ALTER TABLE api_keys ADD COLUMN secret_count BIGINT NOT NULL DEFAULT 1;
ALTER TABLE api_keys ADD COLUMN overlap_until_ms BIGINT;
-- The key's own interval; none follows the environment's.
ALTER TABLE api_keys ADD COLUMN rotation_days BIGINT;
ALTER TABLE api_keys ADD COLUMN rotation_due_at_ms BIGINT;
UPDATE api_keys SET secret_since_ms = created_at_ms,
    rotation_due_at_ms = created_at_ms + CASE environment WHEN 'live' THEN 90 ELSE 180 END * CAST(86400000 AS BIGINT);
CREATE INDEX api_keys_by_rotation ON api_keys (org_id, rotation_due_at_ms);
CREATE INDEX api_keys_by_overlap ON api_keys (org_id, overlap_until_ms);

-- How often each secret of a rotating key was presented, by the hour, and when and from where last.
CREATE TABLE secret_uses (
    key_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    hour_at_ms BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    last_at_ms BIGINT NOT NULL,
    last_ip TEXT,
    PRIMARY KEY (key_id, number, hour_at_ms)
);
CREATE INDEX secret_uses_by_age ON secret_uses (hour_at_ms);
