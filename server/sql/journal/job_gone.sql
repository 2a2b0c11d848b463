-- By ids, never by a join: a plan made while the table looked empty would read all of it.
, job_gone as (
    delete from job where run_id = any($43::uuid[]) and exists (select 1 from go)
    returning 1
)
