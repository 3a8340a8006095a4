-- One is written for every verification, so a row holds no more than it must: tenant and project are the key's, and what
-- the service told of the request is one JSON object, absent when it told nothing.
CREATE TABLE usage_event_rows (
    at_ms BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    token_id TEXT NOT NULL,
    code TEXT NOT NULL,
    ip TEXT,
    told TEXT
);
INSERT INTO usage_event_rows (at_ms, request_id, key_id, token_id, code, ip, told)
SELECT at_ms, request_id, key_id, token_id, code, ip,
    CASE WHEN method || path || user_agent || resource = '' THEN NULL
    ELSE CAST(json_build_object('method', method, 'path', path, 'userAgent', user_agent, 'resource', resource) AS TEXT) END
FROM usage_events;
DROP TABLE usage_events;
ALTER TABLE usage_event_rows RENAME TO usage_events;
CREATE INDEX usage_events_by_age ON usage_events (at_ms);
