-- A key without a secret yet: whoever collects it by a link gets it, nobody else ever had it.
CREATE TABLE claims (
    key_id TEXT PRIMARY KEY REFERENCES api_keys (id),
    -- Only this account may collect, when it names one.
    account_id TEXT REFERENCES accounts (id),
    passphrase TEXT,
    passphrase_pepper_id TEXT,
    -- Passphrases that were tried on the present link.
    tries BIGINT NOT NULL,
    made_by_type TEXT NOT NULL,
    made_by_id TEXT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    claimed_at_ms BIGINT,
    claimed_by TEXT REFERENCES accounts (id),
    claimed_ip TEXT
);

-- One more purpose of a link that works once.
CREATE TABLE one_time_link_rows (
    id TEXT PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('invitation', 'password_reset', 'email_old', 'email_new', 'claim')),
    -- The invitation, the account, or the key.
    subject_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    pepper_id TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT
);
INSERT INTO one_time_link_rows (id, purpose, subject_id, hash, pepper_id, created_at_ms, expires_at_ms, used_at_ms)
SELECT id, purpose, subject_id, hash, pepper_id, created_at_ms, expires_at_ms, used_at_ms FROM one_time_links;
DROP TABLE one_time_links;
ALTER TABLE one_time_link_rows RENAME TO one_time_links;
CREATE INDEX one_time_links_by_subject ON one_time_links (purpose, subject_id);
CREATE INDEX one_time_links_by_expiry ON one_time_links (expires_at_ms);

-- A key without a secret is not counted among those that pass.
DROP INDEX api_keys_counted;
CREATE INDEX api_keys_counted ON api_keys (org_id, project_id, owner_account_id, status, expires_at_ms, stored_at_ms, secret_count);
