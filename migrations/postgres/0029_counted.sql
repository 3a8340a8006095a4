-- Since when a key is not in use: the latest of when it was made, enabled, or used. A use moves it when it is a day old or more,
-- so that a key costs one such write a day and the last use is less than a day later.
ALTER TABLE api_keys ADD COLUMN idle_since_ms BIGINT NOT NULL DEFAULT 0;
UPDATE api_keys SET idle_since_ms = created_at_ms;
UPDATE api_keys SET idle_since_ms = (SELECT u.at_ms FROM key_last_used u WHERE u.key_id = api_keys.id)
    WHERE EXISTS (SELECT 1 FROM key_last_used u WHERE u.key_id = api_keys.id AND u.at_ms > api_keys.idle_since_ms);
UPDATE api_keys SET idle_since_ms = (SELECT e.enabled_at_ms FROM unused_keys e WHERE e.key_id = api_keys.id)
    WHERE EXISTS (SELECT 1 FROM unused_keys e WHERE e.key_id = api_keys.id AND e.enabled_at_ms > api_keys.idle_since_ms);
-- Keys that could be used, the longest unused first.
CREATE INDEX api_keys_idle ON api_keys (org_id, idle_since_ms, id, expires_at_ms, project_id, environment, status, secret_count)
    WHERE status = 'active' AND secret_count > 0;
DROP INDEX unused_keys_enabled;

-- What the security checklist counts of keys, group by group. The number says what of a key is worth a look: no end 1, nobody
-- confirmed that the secret is stored 2, every scope 4, from any address 8.
CREATE INDEX api_keys_concerns ON api_keys (org_id, project_id, owner_account_id, environment,
    (CASE WHEN expires_at_ms IS NULL THEN 1 ELSE 0 END + CASE WHEN stored_at_ms IS NULL THEN 2 ELSE 0 END
        + CASE WHEN substr(scopes, 1, 1) = '*' THEN 4 ELSE 0 END
        + CASE WHEN substr(restrictions, 1, 23) = '{"addresses":{"allow":[' THEN 0 ELSE 8 END),
    expires_at_ms, not_before_ms, overlap_until_ms, rotation_due_at_ms, status, secret_count)
    WHERE status = 'active' AND secret_count > 0;
