CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organisations (id),
    project_id TEXT NOT NULL REFERENCES projects (id),
    environment TEXT NOT NULL CHECK (environment IN ('live', 'test')),
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    purpose TEXT NOT NULL,
    owner_account_id TEXT REFERENCES accounts (id),
    owner_team TEXT NOT NULL,
    scopes TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled', 'revoked')),
    expires_at_ms BIGINT,
    created_by_type TEXT NOT NULL,
    created_by_id TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    stored_at_ms BIGINT,
    stored_note TEXT NOT NULL,
    disabled_at_ms BIGINT,
    revoked_at_ms BIGINT,
    revoked_by_type TEXT,
    revoked_by_id TEXT,
    revoked_reason TEXT,
    revoked_note TEXT NOT NULL,
    version BIGINT NOT NULL,
    -- Over every column that verification trusts; a row edited behind the application's back fails closed.
    row_mac TEXT NOT NULL,
    row_mac_key_id TEXT NOT NULL
);
CREATE UNIQUE INDEX api_keys_one_name ON api_keys (project_id, environment, name_folded) WHERE status <> 'revoked';
CREATE INDEX api_keys_by_org ON api_keys (org_id, created_at_ms);
CREATE INDEX api_keys_by_name ON api_keys (org_id, name_folded);
CREATE INDEX api_keys_by_project ON api_keys (project_id, created_at_ms);
CREATE INDEX api_keys_by_owner ON api_keys (owner_account_id);

-- One secret per key, two while it rotates; only keyed hashes.
CREATE TABLE key_secrets (
    key_id TEXT NOT NULL REFERENCES api_keys (id),
    slot TEXT NOT NULL CHECK (slot IN ('current', 'previous')),
    hash TEXT NOT NULL,
    hash_alg TEXT NOT NULL,
    pepper_id TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT,
    PRIMARY KEY (key_id, slot)
);

-- A form that makes a secret may be submitted once.
CREATE TABLE form_nonces (
    nonce TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    target_id TEXT NOT NULL,
    used_at_ms BIGINT NOT NULL
);
CREATE INDEX form_nonces_by_age ON form_nonces (used_at_ms);
