-- A key that may have leaked, from the first suspicion to what was learnt.
CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organisations (id),
    key_id TEXT NOT NULL REFERENCES api_keys (id),
    status TEXT NOT NULL CHECK (status IN ('open', 'closed')),
    suspected_since_ms BIGINT NOT NULL,
    noticed TEXT NOT NULL,
    cause TEXT NOT NULL,
    impact TEXT NOT NULL,
    lessons TEXT NOT NULL,
    -- Raised with each change of the texts: who writes at the same time does not undo what another wrote.
    findings_version BIGINT NOT NULL,
    frozen_at_ms BIGINT,
    replaced_at_ms BIGINT,
    opened_at_ms BIGINT NOT NULL,
    opened_by_type TEXT NOT NULL,
    opened_by_id TEXT NOT NULL,
    closed_at_ms BIGINT,
    closed_by_type TEXT,
    closed_by_id TEXT,
    -- The key's requests are read from raw events, forward to read_until and backward to read_from, down to the horizon.
    horizon_ms BIGINT NOT NULL,
    read_from_ms BIGINT NOT NULL,
    read_until_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX incidents_one_open ON incidents (key_id) WHERE status = 'open';
CREATE INDEX incidents_by_key ON incidents (key_id, opened_at_ms);
CREATE INDEX incidents_by_org ON incidents (org_id, status, opened_at_ms);
CREATE INDEX incidents_to_read ON incidents (opened_at_ms)
    WHERE closed_at_ms IS NULL OR read_until_ms < closed_at_ms OR read_from_ms > horizon_ms;

CREATE TABLE incident_items (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    -- Of an item that somebody added; the others' words are the application's.
    text TEXT NOT NULL,
    assignee_id TEXT REFERENCES accounts (id),
    done_at_ms BIGINT,
    done_by_type TEXT,
    done_by_id TEXT,
    note TEXT NOT NULL,
    PRIMARY KEY (incident_id, number)
);

-- From where, for what and with what the key was used, before and after the suspected moment. It outlives the raw events.
CREATE TABLE incident_uses (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    kind TEXT NOT NULL CHECK (kind IN ('address', 'endpoint', 'agent')),
    value TEXT NOT NULL,
    first_at_ms BIGINT NOT NULL,
    last_at_ms BIGINT NOT NULL,
    requests_before BIGINT NOT NULL,
    requests_after BIGINT NOT NULL,
    refused_after BIGINT NOT NULL,
    PRIMARY KEY (incident_id, kind, value)
);

-- Which other keys were used from an address.
CREATE INDEX key_addresses_by_ip ON key_addresses (ip);
