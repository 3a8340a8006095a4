CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    slug TEXT COLLATE "C" NOT NULL,
    prefix TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'archived')),
    version BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    UNIQUE (org_id, slug),
    UNIQUE (org_id, name_folded)
);

CREATE TABLE project_scopes (
    project_id TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    sensitive BOOLEAN NOT NULL,
    place BIGINT NOT NULL,
    PRIMARY KEY (project_id, name)
);
