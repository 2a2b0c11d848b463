, wait_new as (
    insert into wait (run_id, step_path, shard, workspace_id, workflow_id, seq, wake_at, reason, since, connection_id, child_id)
    select u.run_id, u.step_path, u.shard, u.workspace_id, u.workflow_id,
        coalesce((select j.seq from job j where j.run_id = u.run_id), nextval('job_seq')), u.wake_at, u.reason, u.since, u.connection_id, u.child_id
    from go, unnest($24::uuid[], $25::text[], $26::smallint[], $27::uuid[], $28::uuid[], $29::timestamptz[], $30::smallint[], $31::timestamptz[], $49::uuid[], $50::uuid[])
        u(run_id, step_path, shard, workspace_id, workflow_id, wake_at, reason, since, connection_id, child_id)
    -- A line of a run that was woken by another one of its lines is told again.
    on conflict (run_id, step_path) do update set wake_at = excluded.wake_at, reason = excluded.reason, since = excluded.since,
        connection_id = excluded.connection_id, child_id = excluded.child_id
    returning 1
)
