-- Published workflows whose service sends its news to one address for all of them: found by connector, told apart by account.
create table listener (
    workflow_id uuid primary key,
    workspace_id uuid not null references workspace on delete cascade,
    version int not null,
    connector text not null,
    operation text not null,
    connection_id uuid not null,
    input json not null,
    -- False while the workflow is paused: what arrives is kept in its inbox.
    running boolean not null,
    foreign key (workspace_id, workflow_id) references workflow (workspace_id, id) on delete cascade
);
create index listener_connector on listener (connector);
