-- Workflows that start by themselves: by the clock, or because somebody looks at a service for news.

-- The same business event, whichever way it arrived: a slot of a schedule, an item that a poll found or a delivery brought. Written in the
-- commit that stores the run; the first one wins. Unlike `delivery` it outlives the day: a poll looks back for longer.
create table event_key (
    workflow_id uuid not null,
    -- SHA-256 of the operation and its key.
    key bytea not null check (octet_length(key) = 32),
    run_id uuid not null,
    at timestamptz not null,
    primary key (workflow_id, key)
);
create index event_key_age on event_key (at);

-- The next slot of each published workflow that a schedule starts.
create table schedule (
    workflow_id uuid primary key references workflow on delete cascade,
    workspace_id uuid not null references workspace on delete cascade,
    -- The version whose trigger this is, and that trigger's input.
    version int not null,
    input json not null,
    -- The data base of time zones that `next_at` was worked out with.
    zones text not null,
    -- Stands still while the workflow is paused; null when there is no further slot.
    next_at timestamptz,
    running boolean not null,
    last_at timestamptz
);
create index schedule_due on schedule (next_at) where running;
create index schedule_zones on schedule (zones);

-- What is looked at for each published workflow whose trigger asks a service for news.
create table poll (
    workflow_id uuid primary key references workflow on delete cascade,
    workspace_id uuid not null references workspace on delete cascade,
    version int not null,
    operation text not null,
    connection_id uuid,
    input json not null,
    -- Where the last look ended; null before the first. Only the operation itself reads it.
    cursor json,
    -- SHA-256 of what is looked at: with another one the cursor means nothing.
    source bytea not null check (octet_length(source) = 32),
    running boolean not null,
    next_at timestamptz not null,
    last_at timestamptz,
    -- The last look that went well.
    worked_at timestamptz,
    -- Failures in a row, and why the last one failed.
    failures int not null default 0 check (failures >= 0),
    error text,
    hint text,
    -- Looks, and those among them that found nothing at all.
    looks bigint not null default 0,
    quiet bigint not null default 0,
    -- Items, those among them that started a run (or were kept in the inbox), and those that were known.
    seen bigint not null default 0,
    fresh bigint not null default 0,
    duplicate bigint not null default 0,
    check ((failures = 0) = (error is null))
);
create index poll_due on poll (next_at) where running;

-- The first look of a poll leaves samples; they start nothing. An event in the inbox keeps its key, to be known after its replay.
alter table parked drop constraint parked_reason_check;
alter table parked add constraint parked_reason_check check (reason in ('unpublished', 'paused', 'not_startable', 'sample'));
alter table parked add column event_key bytea check (octet_length(event_key) = 32);
