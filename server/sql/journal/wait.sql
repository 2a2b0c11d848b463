, wait_new as (
    insert into wait (run_id, step_path, shard, workspace_id, workflow_id, seq, wake_at, reason, since)
    select u.run_id, u.step_path, u.shard, u.workspace_id, u.workflow_id,
        coalesce((select j.seq from job j where j.run_id = u.run_id), nextval('job_seq')), u.wake_at, u.reason, u.since
    from go, unnest($24::uuid[], $25::text[], $26::smallint[], $27::uuid[], $28::uuid[], $29::timestamptz[], $30::smallint[], $31::timestamptz[])
        u(run_id, step_path, shard, workspace_id, workflow_id, wake_at, reason, since)
    -- A line of a run that was woken by another one of its lines is told again.
    on conflict (run_id, step_path) do update set wake_at = excluded.wake_at, reason = excluded.reason, since = excluded.since
    returning 1
)
