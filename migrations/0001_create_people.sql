-- People, their sessions, workspaces and who may do what in them.

create table instance (
    one boolean primary key default true check (one),
    id uuid not null default gen_random_uuid(),
    -- SHA-256 of the one-time token that protects the first-start page; gone once somebody used it.
    setup_token_hash bytea check (length(setup_token_hash) = 32),
    created_at timestamptz not null default now()
);
insert into instance default values;

create table person (
    id uuid primary key,
    email text not null check (email = lower(email) and length(email) between 3 and 254),
    name text not null check (length(name) between 1 and 200),
    password_hash text not null,
    instance_owner boolean not null default false,
    created_at timestamptz not null default now(),
    disabled_at timestamptz
);
create unique index person_email on person (email);

create table workspace (
    id uuid primary key,
    name text not null check (length(name) between 1 and 200),
    time_zone text not null default 'UTC',
    -- Who hears that a run failed: an address for mail, a URL to post to, both or neither.
    alert_mail text,
    alert_url text,
    created_at timestamptz not null default now()
);

create table member (
    workspace_id uuid not null references workspace on delete cascade,
    person_id uuid not null references person on delete cascade,
    role text not null check (role in ('owner', 'admin', 'builder', 'operator', 'viewer')),
    created_at timestamptz not null default now(),
    primary key (workspace_id, person_id)
);
create index member_person on member (person_id);

create table session (
    -- SHA-256 of the cookie's 256 random bits: a copy of this table signs nobody in.
    id_hash bytea primary key check (length(id_hash) = 32),
    person_id uuid not null references person on delete cascade,
    workspace_id uuid not null references workspace on delete cascade,
    created_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    expires_at timestamptz not null,
    address text not null,
    user_agent text not null
);
create index session_person on session (person_id);
