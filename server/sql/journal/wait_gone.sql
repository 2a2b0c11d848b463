-- What a run leaves behind that ended while lines of it slept.
, wait_gone as (
    delete from wait where run_id = any($48::uuid[]) and exists (select 1 from go)
    returning 1
)
