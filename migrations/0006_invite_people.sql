-- People come by invitation, get back in by a link, and work in several workspaces.

-- An address and a role, until somebody takes it up. The link's secret is here as its SHA-256 only.
create table invitation (
    id uuid primary key,
    workspace_id uuid not null references workspace on delete cascade,
    email text not null check (email = lower(email) and length(email) between 3 and 254),
    role text not null check (role in ('owner', 'admin', 'builder', 'operator', 'viewer')),
    token_hash bytea not null check (length(token_hash) = 32),
    -- Whose rights it stands on: looked at again when it is taken up.
    invited_by uuid not null references person on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > created_at),
    used_at timestamptz,
    used_by uuid references person on delete set null,
    revoked_at timestamptz,
    check (used_at is null or revoked_at is null)
);
create unique index invitation_token on invitation (token_hash);
create unique index invitation_open on invitation (workspace_id, email) where used_at is null and revoked_at is null;
create index invitation_list on invitation (workspace_id, id);

-- A link that sets a new password, once. A person has one at most; a new password by any way removes it.
create table password_reset (
    person_id uuid primary key references person on delete cascade,
    token_hash bytea not null check (length(token_hash) = 32),
    created_by uuid references person on delete set null,
    created_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > created_at)
);
create unique index password_reset_token on password_reset (token_hash);

-- How dates and numbers are written (BCP 47), and when it was given up: what it held is erased once its last run has ended.
alter table workspace
    add language text not null default 'en-GB' check (length(language) between 2 and 35),
    add deleted_at timestamptz;

-- The role for which the session's id was made: a higher one takes a new id, so that one planted before gains nothing.
alter table session add role text;
update session s set role = m.role from member m where m.workspace_id = s.workspace_id and m.person_id = s.person_id;
delete from session where role is null;
alter table session
    alter role set not null,
    add check (role in ('owner', 'admin', 'builder', 'operator', 'viewer'));
create index session_workspace on session (workspace_id, person_id);

-- The language that a version writes numbers in where a step names none: fixed with the version, so that a resumed run computes the same.
alter table workflow_version add language text not null default 'en';
