-- What texts a project's own keys may have that somebody else made: only such a text is looked up by its digest.
CREATE TABLE import_formats (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    place BIGINT NOT NULL,
    prefix TEXT NOT NULL,
    alphabet TEXT NOT NULL,
    length_min BIGINT NOT NULL,
    length_max BIGINT NOT NULL,
    algorithm TEXT NOT NULL CHECK (algorithm IN ('sha256', 'sha512')),
    UNIQUE (project_id, prefix, alphabet, algorithm)
);

-- From the keyed hash of a digest to the key that was imported by it. The hash covers the project. It only shows the way:
-- what counts is the secret under the key's MAC. It stays when the secret goes, so that no digest is imported twice.
CREATE TABLE import_digests (
    hash TEXT PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES api_keys (id),
    format_id TEXT NOT NULL,
    -- Which import brought it.
    import_id TEXT NOT NULL
);
CREATE INDEX import_digests_by_key ON import_digests (key_id);
CREATE INDEX import_digests_by_format ON import_digests (format_id);
CREATE INDEX import_digests_by_import ON import_digests (import_id, key_id);

-- A file that was checked and not imported yet, sealed; for a quarter of an hour.
CREATE TABLE import_uploads (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organisations (id),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    project_id TEXT NOT NULL REFERENCES projects (id),
    summary TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX import_uploads_by_age ON import_uploads (created_at_ms);
CREATE INDEX import_uploads_by_account ON import_uploads (account_id);

-- In the order of lists and exports to the last place: keys that were imported together have one moment.
DROP INDEX api_keys_by_org;
CREATE INDEX api_keys_by_org ON api_keys (org_id, created_at_ms DESC, id);
