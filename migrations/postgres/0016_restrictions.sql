-- From where, for what and when a key passes: one JSON object, absent when nothing is restricted.
ALTER TABLE api_keys ADD COLUMN restrictions TEXT;
ALTER TABLE api_keys ADD COLUMN not_before_ms BIGINT;

-- The addresses a key was used from: what could be allowed, and what is new.
CREATE TABLE key_addresses (
    key_id TEXT NOT NULL,
    ip TEXT NOT NULL,
    first_at_ms BIGINT NOT NULL,
    last_at_ms BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (key_id, ip)
);
CREATE INDEX key_addresses_by_age ON key_addresses (last_at_ms);
