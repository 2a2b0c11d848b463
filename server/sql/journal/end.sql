, end_new as (
    insert into run_end (id, workspace_id, workflow_id, state, finished_at, micros, steps, reason, error_step, error_kind, journal)
    select u.* from go, unnest($32::uuid[], $33::uuid[], $34::uuid[], $35::smallint[], $36::timestamptz[], $37::bigint[], $38::int[], $39::text[], $40::text[], $41::text[], $42::bytea[])
        u(id, workspace_id, workflow_id, state, finished_at, micros, steps, reason, error_step, error_kind, journal)
    where u.id not in (select run_id from lost)
    on conflict do nothing
    returning 1
)
