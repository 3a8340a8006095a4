-- In which country a client was, as the country database had it when the event was written; absent where it could not be told.
ALTER TABLE usage_events ADD COLUMN country TEXT;
ALTER TABLE key_last_used ADD COLUMN country TEXT;
ALTER TABLE key_addresses ADD COLUMN country TEXT;

-- What a leaked key was used for is told apart by country, too.
ALTER TABLE incident_uses DROP CONSTRAINT incident_uses_kind_check;
ALTER TABLE incident_uses ADD CONSTRAINT incident_uses_kind_check
    CHECK (kind IN ('address', 'country', 'endpoint', 'agent'));
