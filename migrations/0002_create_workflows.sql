-- Workflows: a draft that is edited by operations, and immutable versions.
-- Documents are `json`, not `jsonb`: a text inside may hold \u0000, which jsonb refuses.

create table workflow (
    id uuid primary key,
    workspace_id uuid not null references workspace on delete cascade,
    name text not null check (length(name) between 1 and 200),
    state text not null default 'draft' check (state in ('draft', 'published', 'paused', 'deleted')),
    draft json not null,
    -- Counts the edits of the draft; an edit names the revision it was made on.
    revision int not null default 0 check (revision >= 0),
    -- The revision that is the published version; the draft has unpublished changes when `revision` is another.
    published_revision int,
    published_version int,
    latest_version int not null default 0,
    created_by uuid references person on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    alerted_at timestamptz,
    check ((state = 'deleted') = (deleted_at is not null)),
    check (state not in ('published', 'paused') or published_version is not null)
);
create index workflow_list on workflow (workspace_id, id) where deleted_at is null;

create table workflow_version (
    workflow_id uuid not null references workflow on delete cascade,
    version int not null check (version > 0),
    workspace_id uuid not null references workspace on delete cascade,
    document json not null,
    published_by uuid references person on delete set null,
    published_at timestamptz not null default now(),
    primary key (workflow_id, version)
);

-- The edits of a draft: what a stale tab missed, and what undo takes back.
create table workflow_edit (
    workflow_id uuid not null references workflow on delete cascade,
    revision int not null,
    workspace_id uuid not null references workspace on delete cascade,
    operations json not null,
    inverse json not null,
    edited_by uuid references person on delete set null,
    edited_at timestamptz not null default now(),
    primary key (workflow_id, revision)
);

-- The public address of a workflow's trigger; it lives from the moment the trigger exists, and can be rotated.
create table endpoint (
    id uuid primary key,
    workspace_id uuid not null references workspace on delete cascade,
    workflow_id uuid not null references workflow on delete cascade,
    kind text not null check (kind in ('webhook', 'form')),
    -- What verifies its callers (password, token or HMAC secret), sealed; never in the document.
    secret_sealed bytea,
    secret_hint text,
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);
create unique index endpoint_current on endpoint (workflow_id, kind) where revoked_at is null;
