-- A rotation that somebody opened: whoever is to have the new secret collects it, and only that makes it. The key itself is
-- untouched until then.
CREATE TABLE opened_rotations (
    key_id TEXT PRIMARY KEY REFERENCES api_keys (id),
    org_id TEXT NOT NULL REFERENCES organisations (id),
    -- How long the secret before goes on, from then on or from the first use of the new one.
    overlap_ms BIGINT NOT NULL,
    from_first_use BIGINT NOT NULL CHECK (from_first_use IN (0, 1)),
    opened_at_ms BIGINT NOT NULL,
    opened_by_type TEXT NOT NULL,
    opened_by_id TEXT NOT NULL
);
CREATE INDEX opened_rotations_by_org ON opened_rotations (org_id, opened_at_ms);

-- When somebody who leaves last handed the key to another owner: they know the secret it had then. Tells and orders, no
-- decision rests on it.
ALTER TABLE api_keys ADD COLUMN handed_on_at_ms BIGINT;

-- What is overdue is counted on every page, from this index alone.
CREATE INDEX api_keys_overdue ON api_keys (org_id, rotation_due_at_ms, project_id, owner_account_id, expires_at_ms, overlap_until_ms,
    not_before_ms, secret_count, status, id) WHERE status = 'active';
