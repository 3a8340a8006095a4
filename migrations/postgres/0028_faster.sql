-- One index for all that is counted and filtered of keys: whether one passes, whose it is, what of it is worth a look, and by
-- what it is searched. Of scopes and rules it holds the beginning, which tells whether a key has every scope and names addresses.
DROP INDEX api_keys_counted;
DROP INDEX api_keys_checked;
CREATE INDEX api_keys_facts ON api_keys (org_id, status, project_id, owner_account_id, environment, secret_count, expires_at_ms,
    not_before_ms, overlap_until_ms, rotation_due_at_ms, stored_at_ms, created_at_ms, id, substr(scopes, 1, 1),
    substr(restrictions, 1, 23), name_folded, prefix);
-- Keys without a secret are few.
CREATE INDEX api_keys_pending ON api_keys (org_id) WHERE secret_count = 0;
-- What somebody owns or made, without a look at the keys themselves.
DROP INDEX api_keys_by_owner;
CREATE INDEX api_keys_by_owner ON api_keys (owner_account_id, org_id, status, id);
DROP INDEX api_keys_by_maker;
CREATE INDEX api_keys_by_maker ON api_keys (created_by_id, org_id, status, created_by_type, owner_account_id, id);

-- Keys in the order of their last use.
ALTER TABLE key_last_used ADD COLUMN org_id TEXT;
UPDATE key_last_used SET org_id = (SELECT k.org_id FROM api_keys k WHERE k.id = key_last_used.key_id);
CREATE INDEX key_last_used_by_org ON key_last_used (org_id, at_ms DESC, key_id);

-- Whose undecided keys of a review are how many and which, and how far it has come: each from its index alone.
DROP INDEX review_items_by_reviewer;
CREATE INDEX review_items_by_reviewer ON review_items (review_id, reviewer_id, decided_at_ms, outcome, key_id);
DROP INDEX review_items_counted;
CREATE INDEX review_items_counted ON review_items (review_id, decision, outcome, decided_at_ms);

-- Keys that were enabled a short while ago are not called unused.
CREATE INDEX unused_keys_enabled ON unused_keys (enabled_at_ms, key_id);
