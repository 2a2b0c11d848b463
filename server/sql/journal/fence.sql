-- The fence: this process is not declared dead, and owns every shard of the group. Without it nothing below writes a row.
with go as materialized (
    select 1 from node n
    where n.id = $1 and n.alive
      and (select count(*) from shard s where s.owner = $1 and s.id = any($2)) = cardinality($2)
    for share of n
)
