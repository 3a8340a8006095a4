CREATE TABLE organisations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL UNIQUE,
    slug TEXT NOT NULL UNIQUE,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE members (
    org_id TEXT NOT NULL REFERENCES organisations (id),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'auditor')),
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'removed')),
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (org_id, account_id)
);
CREATE INDEX members_by_account ON members (account_id);

-- The one meaning of "is a member": every query that asks goes through here.
CREATE VIEW active_membership AS
    SELECT members.org_id, members.account_id, members.role
    FROM members
    JOIN accounts ON accounts.id = members.account_id
    WHERE members.status = 'active' AND accounts.status = 'active';
