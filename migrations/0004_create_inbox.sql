-- Events that arrived and started no run.

-- The inbox: the workflow was unpublished, paused or could not start. Each can be replayed.
create table parked (
    id uuid primary key,
    workspace_id uuid not null references workspace on delete cascade,
    workflow_id uuid not null references workflow on delete cascade,
    trigger_kind smallint not null,
    reason text not null check (reason in ('unpublished', 'paused', 'not_startable')),
    delivery_key bytea,
    event bytea not null,
    arrived_at timestamptz not null default now()
);
create index parked_list on parked (workspace_id, workflow_id, id);
create unique index parked_once on parked (workflow_id, delivery_key) where delivery_key is not null;

-- How many the inbox of a workflow had to let go because it was full.
create table parked_dropped (
    workflow_id uuid primary key references workflow on delete cascade,
    workspace_id uuid not null references workspace on delete cascade,
    count bigint not null
);

-- Deliveries that were refused: the last hundred of each trigger, with the reason.
create table refusal (
    id uuid primary key,
    workspace_id uuid not null references workspace on delete cascade,
    workflow_id uuid not null references workflow on delete cascade,
    reason text not null,
    detail text not null,
    address text not null,
    size bigint not null,
    refused_at timestamptz not null default now()
);
create index refusal_list on refusal (workspace_id, workflow_id, id);
