-- Connections: named links to accounts at services. Their secrets are sealed with their workspace's data key, which is itself wrapped
-- by a key that is kept outside the database.

alter table workflow add constraint workflow_in_workspace unique (workspace_id, id);

create table data_key (
    workspace_id uuid not null references workspace on delete cascade,
    -- The newest seals; all of them open.
    version int not null check (version > 0),
    -- The line of the key file that `wrapped` opens with.
    key_number smallint not null check (key_number between 1 and 255),
    wrapped bytea not null,
    created_at timestamptz not null default now(),
    primary key (workspace_id, version)
);
create index data_key_number on data_key (key_number);

create table connection (
    id uuid primary key,
    workspace_id uuid not null references workspace on delete cascade,
    connector text not null check (length(connector) between 1 and 100),
    -- Which of the connector's ways to authenticate.
    auth text not null check (length(auth) between 1 and 100),
    name text not null check (length(name) between 1 and 100 and name = btrim(name)),
    -- The public fields.
    fields json not null default '{}',
    -- The secret fields, one sealed document; null where the way to authenticate has none.
    secret_sealed bytea,
    -- What may be shown of each secret field that is set: its last four characters, or nothing.
    secret_hints json not null default '{}',
    -- Where the secrets may be sent, for connectors that leave it to the owner.
    hosts text[] not null default '{}',
    owner_id uuid references person on delete set null,
    sharing text not null default 'people' check (sharing in ('everybody', 'people')),
    health text not null default 'untested'
        check (health in ('untested', 'works', 'expired', 'revoked', 'missing_scope', 'unreachable')),
    health_since timestamptz not null default now(),
    checked_at timestamptz,
    last_error text,
    -- Whose account it is, as the service says.
    account_id text,
    account_label text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    used_at timestamptz,
    unique (workspace_id, id)
);
create unique index connection_name on connection (workspace_id, lower(name));
create index connection_account on connection (connector, account_id) where account_id is not null;

-- With whom a connection is shared besides its owner, where that isn't everybody.
create table connection_person (
    workspace_id uuid not null,
    connection_id uuid not null,
    person_id uuid not null,
    primary key (connection_id, person_id),
    foreign key (workspace_id, connection_id) references connection (workspace_id, id) on delete cascade,
    foreign key (workspace_id, person_id) references member on delete cascade
);

-- Which workflow may use which connection, and who vouches for it.
create table connection_binding (
    workspace_id uuid not null,
    workflow_id uuid not null,
    connection_id uuid not null,
    bound_by uuid not null references person on delete cascade,
    bound_at timestamptz not null default now(),
    primary key (workflow_id, connection_id),
    foreign key (workspace_id, workflow_id) references workflow (workspace_id, id) on delete cascade,
    foreign key (workspace_id, connection_id) references connection (workspace_id, id) on delete cascade
);
create index connection_binding_connection on connection_binding (connection_id);
