-- A delivery and the event's own key: a run is written only when neither was there. Only this writer writes them, so looking first
-- is safe, and neither is kept for a run that the other turned away. Scalar subqueries, so that no plan can read a whole table.
, marked as materialized (
    select u.* from go, unnest($44::uuid[], $45::uuid[], $46::bytea[], $47::timestamptz[]) u(run_id, workflow_id, key, at)
), known as materialized (
    select run_id from marked
    where (select e.run_id from event_key e where e.workflow_id = marked.workflow_id and e.key = marked.key) is not null
), keyed as materialized (
    select u.* from go, unnest($13::uuid[], $14::date[], $15::uuid[], $16::bytea[]) u(run_id, bucket, trigger_id, key)
), won as (
    insert into delivery (bucket, trigger_id, key, run_id)
    select bucket, trigger_id, key, run_id from keyed
    where keyed.run_id not in (select run_id from known)
      and (select d.run_id from delivery d where d.bucket = keyed.bucket - 1 and d.trigger_id = keyed.trigger_id and d.key = keyed.key) is null
    on conflict do nothing
    returning run_id
), lost as materialized (
    (select run_id from keyed except select run_id from won) union select run_id from known
), marked_new as (
    insert into event_key (workflow_id, key, run_id, at)
    select workflow_id, key, run_id, at from marked where run_id not in (select run_id from lost)
)
