-- Published workflows that start when a run of another workflow fails, and until when each has been told. What ended since is found by
-- `run_end`, what was told already by the event's key: nothing is told twice, and nothing is left out because it was written late.
create table failure_watch (
    workflow_id uuid primary key references workflow on delete cascade,
    workspace_id uuid not null references workspace on delete cascade,
    version int not null,
    -- False while the workflow is paused: what fails meanwhile starts nothing.
    running boolean not null,
    -- What failed before it was published, or resumed, starts nothing.
    since timestamptz not null,
    told_until timestamptz not null
);
create index failure_watch_workspace on failure_watch (workspace_id) where running;
-- Failed, or set aside.
create index run_end_lost_at on run_end (finished_at) where state in (2, 4);
