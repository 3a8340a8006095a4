-- What an organisation asks of every key of an environment. No row: what the product begins with.
CREATE TABLE policies (
    org_id TEXT NOT NULL REFERENCES organisations (id),
    environment TEXT NOT NULL CHECK (environment IN ('live', 'test')),
    rules TEXT NOT NULL,
    planned TEXT,
    planned_from_ms BIGINT,
    version BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    PRIMARY KEY (org_id, environment),
    CHECK ((planned IS NULL) = (planned_from_ms IS NULL))
);
CREATE INDEX policies_planned ON policies (planned_from_ms) WHERE planned IS NOT NULL;
