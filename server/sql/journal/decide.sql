-- The record is written only by whoever takes the wait away: a decision is made once.
with go as materialized (
    select 1 from node n where n.id = $1 and n.alive for share of n
), woken as (
    delete from wait
    where run_id = $2 and workspace_id = $3 and step_path = $4 and reason = any($5::smallint[]) and exists (select 1 from go)
      and exists (select 1 from shard s where s.id = wait.shard and s.owner = $1)
    returning run_id, shard, workspace_id, workflow_id, order_key, seq
), said as (
    insert into record (run_id, step_path, attempt, kind, seq, at, body)
    select run_id, $4, $6, $7, (select coalesce(max(r.seq), 0) + 1 from record r where r.run_id = $2), $8, $9 from woken
    on conflict do nothing
)
insert into job as j (run_id, shard, workspace_id, workflow_id, order_key, seq, due_at)
select run_id, shard, workspace_id, workflow_id, order_key, seq, $8 from woken
on conflict (run_id) do update set due_at = least(j.due_at, excluded.due_at)
returning shard, workflow_id, seq
