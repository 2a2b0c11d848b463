, accepted as materialized (
    select u.* from go, unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::smallint[], $8::smallint[], $9::uuid[], $10::bytea[], $11::timestamptz[], $12::boolean[])
        u(run_id, workspace_id, workflow_id, version, shard, trigger_kind, replay_of, payload, at, live)
    where u.run_id not in (select run_id from lost)
), run_new as (
    insert into run (id, workspace_id, workflow_id, version, shard, trigger_kind, replay_of, receiver, payload, created_at)
    select run_id, workspace_id, workflow_id, version, shard, trigger_kind, replay_of, $1, payload, at from accepted
    on conflict do nothing
    returning 1
), job_new as (
    insert into job (run_id, shard, workspace_id, workflow_id, due_at)
    select run_id, shard, workspace_id, workflow_id, at from accepted where live
    on conflict do nothing
    returning 1
)
