-- Newest first, a page at a time. The state is read from whichever of the three tables has a row: end, wait or job.
select r.id, r.workflow_id, w.name as "workflow_name?", r.version, r.trigger_kind, r.replay_of, r.created_at,
    e.state as "state?", e.finished_at as "finished_at?", e.micros as "micros?", e.steps as "steps?", e.reason as "reason?",
    e.error_step as "error_step?", e.error_kind as "error_kind?",
    s.reason as "wait_reason?", s.step_path as "wait_step?", s.wake_at as "wake_at?",
    j.run_id is not null as "has_job!"
from run r
left join workflow w on w.id = r.workflow_id and w.workspace_id = $1
left join run_end e on e.id = r.id
left join lateral (select reason, step_path, wake_at from wait where wait.run_id = r.id order by since limit 1) s on true
left join job j on j.run_id = r.id
where r.workspace_id = $1
  and ($2::uuid is null or r.id < $2)
  and ($3::uuid is null or r.workflow_id = $3)
  and ($4::timestamptz is null or r.created_at >= $4)
  and ($5::timestamptz is null or r.created_at < $5)
  and ($6::text[] is null or (case
        when e.state = 1 and e.reason = 'filtered' then 'filtered'
        when e.state = 1 then 'succeeded'
        when e.state = 2 then 'failed'
        when e.state = 3 then 'cancelled'
        when e.state = 4 then 'dead_lettered'
        when s.reason is not null then 'waiting'
        else 'running'
      end) = any($6))
  and ($7::text is null or e.error_kind = $7)
  and ($8::text is null or position(lower($8) in lower(coalesce(e.reason, ''))) > 0
       or position(lower($8) in lower(coalesce(e.error_step, ''))) > 0 or position(lower($8) in lower(coalesce(w.name, ''))) > 0
       or r.id::text = lower($8))
  and ($9::uuid is null or r.id = $9)
order by r.id desc
limit $10
