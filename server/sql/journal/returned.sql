-- As waking by time, for runs whose called run has ended. Whoever wakes a lane first wins, once.
with go as materialized (
    select 1 from node n where n.id = $1 and n.alive for share of n
), woken as (
    delete from wait
    where run_id = any($2::uuid[]) and child_id is not null and exists (select 1 from go)
      and exists (select 1 from shard s where s.id = wait.shard and s.owner = $1)
      and (select e.id from run_end e where e.id = wait.child_id) is not null
    returning run_id, shard, workspace_id, workflow_id, order_key, seq
)
insert into job as j (run_id, shard, workspace_id, workflow_id, order_key, seq, due_at)
select distinct on (run_id) run_id, shard, workspace_id, workflow_id, order_key, seq, $3 from woken
on conflict (run_id) do update set due_at = least(j.due_at, excluded.due_at)
returning run_id, shard, workspace_id, workflow_id, seq
