-- What pages count and sort by, so that they take as long with ten thousand keys as with a hundred.

-- The security checklist and the page of unused keys count from this index alone: whether a key passes, whose it is, and what of
-- it is worth a look. Of scopes and rules it holds the beginning, which tells whether a key has every scope and names addresses.
CREATE INDEX api_keys_checked ON api_keys (org_id, project_id, owner_account_id, environment, expires_at_ms, not_before_ms,
    rotation_due_at_ms, overlap_until_ms, stored_at_ms, secret_count, created_at_ms, id, substr(scopes, 1, 1),
    substr(restrictions, 1, 23)) WHERE status = 'active';

-- How many keys somebody owns, and how many they made for others.
DROP INDEX api_keys_by_owner;
CREATE INDEX api_keys_by_owner ON api_keys (owner_account_id, org_id, status);
CREATE INDEX api_keys_by_maker ON api_keys (created_by_id, org_id, status, created_by_type, owner_account_id);

-- Those that end first.
CREATE INDEX api_keys_by_expiry ON api_keys (org_id, expires_at_ms, id);

-- How far a review has come.
CREATE INDEX review_items_counted ON review_items (review_id, decided_at_ms, outcome, decision);

-- One tree instead of two: it is looked into once for each key of a list, and written with each batch of usage.
CREATE TABLE key_last_used_rows (
    key_id TEXT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    ip TEXT,
    country TEXT
) WITHOUT ROWID;
INSERT INTO key_last_used_rows (key_id, at_ms, ip, country) SELECT key_id, at_ms, ip, country FROM key_last_used;
DROP TABLE key_last_used;
ALTER TABLE key_last_used_rows RENAME TO key_last_used;
