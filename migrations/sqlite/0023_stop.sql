-- Secrets that were reported as found in public: how often since when, and what came of it.
CREATE TABLE leak_reports (
    key_id TEXT NOT NULL REFERENCES api_keys (id),
    outcome TEXT NOT NULL CHECK (outcome IN ('revoked', 'goes_on', 'replaced')),
    since_at_ms BIGINT NOT NULL,
    reports BIGINT NOT NULL,
    PRIMARY KEY (key_id, outcome)
);
CREATE INDEX leak_reports_by_age ON leak_reports (since_at_ms);

-- Since when an organisation has keys disabled after so many unused days.
CREATE TABLE unused_rules (
    org_id TEXT NOT NULL REFERENCES organisations (id),
    environment TEXT NOT NULL CHECK (environment IN ('live', 'test')),
    days BIGINT NOT NULL,
    since_at_ms BIGINT NOT NULL,
    PRIMARY KEY (org_id, environment)
);

-- When an unused key was enabled last, and when its people were told that it will be disabled.
CREATE TABLE unused_keys (
    key_id TEXT PRIMARY KEY REFERENCES api_keys (id),
    enabled_at_ms BIGINT,
    told_at_ms BIGINT
);

-- Which reminder of a rotation that is due was sent last; another due date begins anew.
CREATE TABLE rotation_reminders (
    key_id TEXT PRIMARY KEY REFERENCES api_keys (id),
    due_at_ms BIGINT NOT NULL,
    stage BIGINT NOT NULL,
    told_at_ms BIGINT NOT NULL
);
