-- The variables of a workspace, in revisions: every change is a new row, the newest counts, and a run sees the one that its event names.
-- Values are no secrets.

create table variable_revision (
    workspace_id uuid not null references workspace on delete cascade,
    number int not null check (number > 0),
    -- All of them: a list of { name, kind, value, note }, in the order of their names.
    variables json not null,
    written_at timestamptz not null,
    written_by uuid references person on delete set null,
    primary key (workspace_id, number)
);
