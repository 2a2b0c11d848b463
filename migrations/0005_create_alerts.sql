-- Who was told of which failures: at most one message per workflow and ten minutes.

create table alert (
    workflow_id uuid primary key references workflow on delete cascade,
    workspace_id uuid not null references workspace on delete cascade,
    -- Failures that ended up to here were told.
    told_until timestamptz not null,
    sent_at timestamptz not null
);
create index run_end_failed_at on run_end (finished_at) where state = 2;
alter table workflow drop column alerted_at;
