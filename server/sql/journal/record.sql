, record_new as (
    insert into record (run_id, step_path, attempt, kind, seq, at, body)
    select u.* from go, unnest($17::uuid[], $18::text[], $19::smallint[], $20::smallint[], $21::int[], $22::timestamptz[], $23::bytea[])
        u(run_id, step_path, attempt, kind, seq, at, body)
    where u.run_id not in (select run_id from lost)
    on conflict do nothing
    returning 1
)
