-- People: who belongs where, how they are invited, what they are told.

-- The second factor that an organisation asks of its members: since when, and from when on nobody is let in without.
ALTER TABLE organisations ADD COLUMN two_factor_since_ms BIGINT;
ALTER TABLE organisations ADD COLUMN two_factor_due_at_ms BIGINT;

ALTER TABLE members ADD COLUMN status_at_ms BIGINT;
ALTER TABLE members ADD COLUMN last_active_at_ms BIGINT;

ALTER TABLE accounts ADD COLUMN language TEXT NOT NULL DEFAULT 'en';
ALTER TABLE accounts ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE accounts ADD COLUMN password_set_at_ms BIGINT;
-- The row of a deleted account stays, without name and address: keys and the audit log name it.
ALTER TABLE accounts ADD COLUMN deleted_at_ms BIGINT;

-- What somebody did themselves, for their own export.
CREATE INDEX audit_events_by_actor ON audit_events (actor_id, at_ms);

CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organisations (id),
    email TEXT NOT NULL,
    email_folded TEXT COLLATE "C" NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'auditor')),
    status TEXT NOT NULL CHECK (status IN ('pending', 'accepted', 'revoked')),
    invited_by TEXT NOT NULL REFERENCES accounts (id),
    created_at_ms BIGINT NOT NULL,
    sent_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    -- Who accepted.
    account_id TEXT REFERENCES accounts (id)
);
CREATE UNIQUE INDEX invitations_one_pending ON invitations (org_id, email_folded) WHERE status = 'pending';
CREATE INDEX invitations_by_organisation ON invitations (org_id, created_at_ms);

-- What a link in a mail or in an admin's hand opens, once; only a keyed hash of it.
CREATE TABLE one_time_links (
    id TEXT PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('invitation', 'password_reset', 'email_old', 'email_new')),
    -- The invitation, or the account.
    subject_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    pepper_id TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT
);
CREATE INDEX one_time_links_by_subject ON one_time_links (purpose, subject_id);
CREATE INDEX one_time_links_by_expiry ON one_time_links (expires_at_ms);

-- A new address takes effect when the old and the new one have both confirmed it.
CREATE TABLE email_changes (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id),
    email TEXT NOT NULL,
    email_folded TEXT COLLATE "C" NOT NULL,
    old_confirmed_at_ms BIGINT,
    new_confirmed_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);

-- Mail on its way. Address and content are sealed: a letter may hold a link. The row goes when the letter has gone.
CREATE TABLE mails (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    sealed TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'stuck')),
    tries BIGINT NOT NULL,
    next_try_at_ms BIGINT NOT NULL,
    -- Until then it belongs to the process that is handing it to the mail server.
    held_until_ms BIGINT,
    -- What the mail server said last; never the letter.
    last_error TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX mails_by_next_try ON mails (state, next_try_at_ms);

-- What somebody is told about the safety of their account, in the frame of every page until they have seen it.
CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    seen_at_ms BIGINT
);
CREATE INDEX notices_by_account ON notices (account_id, created_at_ms);
-- Asked for every page; nearly always empty.
CREATE INDEX notices_unseen ON notices (account_id, created_at_ms) WHERE seen_at_ms IS NULL;

-- Networks and devices an account has signed in from, as keyed digests.
CREATE TABLE known_places (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    place TEXT NOT NULL,
    first_at_ms BIGINT NOT NULL,
    last_at_ms BIGINT NOT NULL,
    PRIMARY KEY (account_id, place)
);
