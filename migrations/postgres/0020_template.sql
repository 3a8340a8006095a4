-- What keys of a project may be limited to, for example models: resource patterns are explained against it.
CREATE TABLE project_resources (
    project_id TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    place BIGINT NOT NULL,
    PRIMARY KEY (project_id, name)
);

-- What the form that creates a key may begin with.
CREATE TABLE key_templates (
    org_id TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    project_id TEXT REFERENCES projects (id),
    name TEXT NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    environment TEXT CHECK (environment IN ('live', 'test')),
    preset TEXT NOT NULL CHECK (preset IN ('none', 'read', 'write')),
    scopes TEXT NOT NULL,
    restrictions TEXT,
    expiry TEXT NOT NULL,
    rotation_days BIGINT,
    version BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, name_folded)
);

-- Every organisation begins with these four; one made later gets the same from the code. Their ids are the same everywhere,
-- so that a link that names one works in any organisation.
INSERT INTO key_templates (org_id, id, project_id, name, name_folded, description, environment, preset, scopes, restrictions, expiry,
    rotation_days, version, created_at_ms)
SELECT o.id, s.id, NULL, s.name, s.name_folded, s.description, s.environment, s.preset, s.scopes, NULL, s.expiry, NULL, 1, o.created_at_ms
FROM organisations o CROSS JOIN (
    SELECT 'tpl_FullAccess00' AS id, 'Full access' AS name, 'full access' AS name_folded,
        'Everything in the project, also what is added to it later. For a while only.' AS description, CAST(NULL AS TEXT) AS environment, 'none' AS preset,
        '*' AS scopes, '30' AS expiry
    UNION ALL SELECT 'tpl_ReadOnly0000', 'Read-only', 'read-only', 'Looks at everything that is not sensitive and changes nothing.', NULL,
        'read', '', '90'
    UNION ALL SELECT 'tpl_Pipeline0000', 'CI', 'ci', 'Builds and tests in a pipeline, on test only.', 'test', 'write', '', '90'
    UNION ALL SELECT 'tpl_Analytics000', 'Analytics', 'analytics', 'Reports and dashboards over live data.', 'live', 'read', '', '365'
) s;
