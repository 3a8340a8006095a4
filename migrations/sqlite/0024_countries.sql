-- In which country a client was, as the country database had it when the event was written; absent where it could not be told.
ALTER TABLE usage_events ADD COLUMN country TEXT;
ALTER TABLE key_last_used ADD COLUMN country TEXT;
ALTER TABLE key_addresses ADD COLUMN country TEXT;

-- What a leaked key was used for is told apart by country, too. A check cannot be changed in place.
CREATE TABLE incident_use_rows (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    kind TEXT NOT NULL CHECK (kind IN ('address', 'country', 'endpoint', 'agent')),
    value TEXT NOT NULL,
    first_at_ms BIGINT NOT NULL,
    last_at_ms BIGINT NOT NULL,
    requests_before BIGINT NOT NULL,
    requests_after BIGINT NOT NULL,
    refused_after BIGINT NOT NULL,
    PRIMARY KEY (incident_id, kind, value)
);
INSERT INTO incident_use_rows (incident_id, kind, value, first_at_ms, last_at_ms, requests_before, requests_after, refused_after)
SELECT incident_id, kind, value, first_at_ms, last_at_ms, requests_before, requests_after, refused_after FROM incident_uses;
DROP TABLE incident_uses;
ALTER TABLE incident_use_rows RENAME TO incident_uses;
