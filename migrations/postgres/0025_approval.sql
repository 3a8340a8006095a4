-- What somebody asked for and a second person decides. A request says what was typed: it is checked anew when it is approved.
CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organisations (id),
    kind TEXT NOT NULL CHECK (kind IN ('create', 'edit')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'declined', 'withdrawn', 'lapsed')),
    -- The key that is to change; of a new key, once there is one.
    key_id TEXT REFERENCES api_keys (id),
    project_id TEXT NOT NULL REFERENCES projects (id),
    environment TEXT NOT NULL CHECK (environment IN ('live', 'test')),
    key_name TEXT NOT NULL,
    -- Why it needs approval: a JSON list of words.
    reasons TEXT NOT NULL,
    -- The form as it was filled in: JSON, field to values.
    proposal TEXT NOT NULL,
    -- The key as it was when its change was asked for: JSON; empty for a new key.
    former TEXT NOT NULL,
    -- What it would have done, in words, when it was asked for: JSON. Of a request that is over, nothing else says it.
    told TEXT NOT NULL,
    justification TEXT NOT NULL,
    requested_by TEXT NOT NULL REFERENCES accounts (id),
    requested_at_ms BIGINT NOT NULL,
    lapses_at_ms BIGINT NOT NULL,
    decided_by TEXT REFERENCES accounts (id),
    decided_at_ms BIGINT,
    -- When whoever asked collected the secret of the new key.
    collected_at_ms BIGINT
);
CREATE INDEX approvals_by_time ON approvals (org_id, requested_at_ms);
CREATE INDEX approvals_by_person ON approvals (org_id, requested_by, requested_at_ms);
CREATE INDEX approvals_by_lapse ON approvals (state, lapses_at_ms);
-- What waits, for the frame of every page.
CREATE INDEX approvals_waiting ON approvals (org_id, lapses_at_ms) WHERE state = 'waiting';
CREATE INDEX approvals_uncollected ON approvals (org_id, requested_by) WHERE state = 'approved' AND kind = 'create' AND collected_at_ms IS NULL;
CREATE INDEX approvals_by_key ON approvals (key_id);
-- One change of a key waits at a time.
CREATE UNIQUE INDEX approvals_one_change ON approvals (key_id) WHERE kind = 'edit' AND state = 'waiting';

CREATE TABLE approval_comments (
    approval_id TEXT NOT NULL REFERENCES approvals (id),
    number BIGINT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    at_ms BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (approval_id, number)
);

-- When whoever decides was last told what waits.
CREATE TABLE approval_digests (
    org_id TEXT PRIMARY KEY REFERENCES organisations (id),
    sent_at_ms BIGINT NOT NULL
);
