-- First one wins, also over midnight. A scalar subquery, so that no plan can read the whole table.
, keyed as materialized (
    select u.* from go, unnest($13::uuid[], $14::date[], $15::uuid[], $16::bytea[]) u(run_id, bucket, trigger_id, key)
), won as (
    insert into delivery (bucket, trigger_id, key, run_id)
    select bucket, trigger_id, key, run_id from keyed
    where (select d.run_id from delivery d where d.bucket = keyed.bucket - 1 and d.trigger_id = keyed.trigger_id and d.key = keyed.key) is null
    on conflict do nothing
    returning run_id
), lost as materialized (
    select run_id from keyed except select run_id from won
)
