-- The app that an enrolment takes the place of, for whoever moves to another phone; none for a first one.
ALTER TABLE factors ADD COLUMN replaces_id TEXT;
