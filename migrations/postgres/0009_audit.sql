-- One chain per organisation and one for the instance (chain = 'instance').
CREATE TABLE audit_events (
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL CHECK (seq > 0),
    at_ms BIGINT NOT NULL,
    actor_type TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    ip TEXT,
    session_id TEXT,
    request_id TEXT,
    action TEXT NOT NULL,
    target_type TEXT NOT NULL,
    target_id TEXT NOT NULL,
    detail TEXT NOT NULL,
    key_id TEXT NOT NULL,
    prev TEXT NOT NULL,
    mac TEXT NOT NULL,
    PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_events_by_target ON audit_events (chain, target_id, seq);
CREATE INDEX audit_events_by_action ON audit_events (chain, action, seq);

-- The end of each chain, updated with each event, so that cutting off the tail shows.
CREATE TABLE audit_heads (
    chain TEXT PRIMARY KEY,
    seq BIGINT NOT NULL,
    mac TEXT NOT NULL,
    key_id TEXT NOT NULL,
    head_mac TEXT NOT NULL
);

CREATE FUNCTION audit_events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are append-only';
END;
$$;

CREATE TRIGGER audit_events_are_not_changed BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_events_are_append_only();
CREATE TRIGGER audit_events_are_not_truncated BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_are_append_only();
