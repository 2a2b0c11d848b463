-- The engine's tables. Truth is insert-only and partitioned by UUIDv7 (time); `job` is the one hot table.

create table node (
    id bigint generated always as identity primary key,
    alive boolean not null default true,
    lease_until timestamptz not null,
    draining boolean not null default false,
    build text not null,
    address text not null,
    started_at timestamptz not null default now(),
    -- How many processes in a row before this one ended without a drain, soon after their start.
    deaths smallint not null default 0
) with (fillfactor = 40);

create table shard (
    id smallint primary key,
    owner bigint references node,
    epoch bigint not null default 0
) with (fillfactor = 40);
insert into shard (id) select g from generate_series(0, 255) g;

-- An accepted event and the run that it started.
create table run (
    id uuid not null,
    workspace_id uuid not null,
    workflow_id uuid not null,
    version int not null,
    shard smallint not null,
    trigger_kind smallint not null,
    -- The run whose event this one takes up again.
    replay_of uuid,
    root_id uuid,
    depth smallint not null default 0,
    order_key bigint,
    receiver bigint,
    payload bytea,
    created_at timestamptz not null default now(),
    primary key (id)
) partition by range (id);
create index run_list on run (workspace_id, id);
create index run_list_workflow on run (workspace_id, workflow_id, id);

-- The journal; the primary key is what commits a step's result once.
create table record (
    run_id uuid not null,
    step_path text not null,
    attempt smallint not null,
    kind smallint not null,
    seq int not null,
    at timestamptz not null default now(),
    body bytea,
    primary key (run_id, step_path, attempt, kind)
) partition by range (run_id);

-- The primary key is what ends a run once.
create table run_end (
    id uuid not null,
    workspace_id uuid not null,
    workflow_id uuid not null,
    state smallint not null,
    finished_at timestamptz not null default now(),
    micros bigint,
    steps int not null,
    -- Why it ended so, in a sentence.
    reason text,
    error_step text,
    error_kind text,
    -- The records that no effect depended on and that travelled with the end.
    journal bytea,
    primary key (id)
) partition by range (id);
create index run_end_failed on run_end (workspace_id, workflow_id, id) where state <> 1;

create sequence job_seq;

-- Exists while some lane of the run is runnable.
create table job (
    run_id uuid primary key,
    shard smallint not null,
    workspace_id uuid not null,
    workflow_id uuid not null,
    order_key bigint,
    seq bigint not null default nextval('job_seq'),
    due_at timestamptz not null default now(),
    recoveries smallint not null default 0,
    marked boolean not null default false,
    cancel boolean not null default false
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
create index job_load on job (shard, workflow_id, seq);
create index job_due on job (shard, due_at);

-- A sleeping lane: timer, retry or decision.
create table wait (
    run_id uuid not null,
    step_path text not null,
    shard smallint not null,
    workspace_id uuid not null,
    workflow_id uuid not null,
    order_key bigint,
    seq bigint not null,
    wake_at timestamptz,
    token_hash bytea,
    reason smallint not null,
    since timestamptz not null default now(),
    primary key (run_id, step_path)
);
create index wait_due on wait (shard, wake_at) where wake_at is not null;
create index wait_list on wait (workspace_id, reason, run_id);
create unique index wait_token on wait (token_hash) where token_hash is not null;

-- The first one wins; the bucket is the day of receipt.
create table delivery (
    bucket date not null,
    trigger_id uuid not null,
    key bytea not null,
    run_id uuid not null,
    primary key (bucket, trigger_id, key)
) partition by range (bucket);

-- Bytes that pass between steps by reference.
create table file (
    id uuid not null,
    workspace_id uuid not null,
    name text not null,
    media_type text not null,
    size bigint not null,
    sha256 bytea not null,
    bytes bytea not null,
    primary key (id)
) partition by range (id);

create table run_default partition of run default;
create table record_default partition of record default;
create table run_end_default partition of run_end default;
create table delivery_default partition of delivery default;
create table file_default partition of file default;

-- Makes one partition, if it isn't there. Rows of its range that the default partition caught before move in with it.
create function make_partition(parent text, name text, key text, lower text, upper text) returns boolean
language plpgsql set lock_timeout = '200ms' as $$
begin
    if to_regclass(format('%I', name)) is not null then
        return false;
    end if;
    execute format('create table %I (like %I including all)', name, parent);
    execute format(
        'with moved as (delete from %I where %I >= %L and %I < %L returning *) insert into %I select * from moved',
        parent || '_default', key, lower, key, upper, name);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, name, lower, upper);
    return true;
end $$;

-- Drops one partition. With `keep`, rows of runs that are still live or waiting go to the default partition first.
create function drop_partition(parent text, name text, key text, keep boolean) returns void
language plpgsql set lock_timeout = '200ms' as $$
begin
    if to_regclass(format('%I', name)) is null then
        return;
    end if;
    execute format('alter table %I detach partition %I', parent, name);
    if keep then
        execute format(
            'insert into %I select * from %I where %I in (select run_id from job union select run_id from wait)',
            parent, name, key);
    end if;
    execute format('drop table %I', name);
end $$;
