-- Runs that wait for the end of a run that they started.

alter table wait add column child_id uuid;
create index wait_child on wait (child_id) where child_id is not null;
