CREATE TABLE service_tokens (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organisations (id),
    project_id TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    permissions TEXT NOT NULL,
    hash TEXT NOT NULL,
    hash_alg TEXT NOT NULL,
    pepper_id TEXT NOT NULL,
    expires_at_ms BIGINT,
    created_by_type TEXT NOT NULL,
    created_by_id TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    stored_at_ms BIGINT,
    revoked_at_ms BIGINT,
    row_mac TEXT NOT NULL,
    row_mac_key_id TEXT NOT NULL
);
CREATE UNIQUE INDEX service_tokens_one_name ON service_tokens (project_id, name_folded) WHERE revoked_at_ms IS NULL;
CREATE INDEX service_tokens_by_org ON service_tokens (org_id, created_at_ms);
