-- The counts above the key list are read from this index alone.
CREATE INDEX api_keys_counted ON api_keys (org_id, project_id, owner_account_id, status, expires_at_ms, stored_at_ms);
