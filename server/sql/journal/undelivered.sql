, lost as materialized (select null::uuid as run_id where false)
