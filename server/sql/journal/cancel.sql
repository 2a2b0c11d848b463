-- The record is written only while the run is live, and wakes every lane that sleeps.
with go as materialized (
    select 1 from node n where n.id = $1 and n.alive for share of n
), live as materialized (
    select run_id, workflow_id, shard from job where run_id = $2 and workspace_id = $3
    union
    select run_id, workflow_id, shard from wait where run_id = $2 and workspace_id = $3
), said as (
    insert into record (run_id, step_path, attempt, kind, seq, at, body)
    select live.run_id, '', 0, $4, (select coalesce(max(r.seq), 0) + 1 from record r where r.run_id = $2), $5, $6 from go, live
    on conflict do nothing
), woken as (
    delete from wait
    where run_id = $2 and workspace_id = $3 and exists (select 1 from go)
      and exists (select 1 from shard s where s.id = wait.shard and s.owner = $1)
    returning run_id, shard, workspace_id, workflow_id, order_key, seq
), awake as (
    insert into job as j (run_id, shard, workspace_id, workflow_id, order_key, seq, due_at, cancel)
    select distinct on (run_id) run_id, shard, workspace_id, workflow_id, order_key, seq, $5, true from woken
    on conflict (run_id) do update set cancel = true
    returning j.seq
)
select exists (select 1 from go) as "go!", (select shard from live) as shard, (select workflow_id from live) as workflow_id,
    (select seq from awake) as seq
