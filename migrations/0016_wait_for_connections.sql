-- Runs that wait until a connection is renewed, and what its owner was told.

alter table wait add column connection_id uuid;
create index wait_connection on wait (connection_id) where connection_id is not null;

-- When the owner last heard that the service refuses it.
alter table connection add column told_at timestamptz;
create index connection_refused on connection (id) where health in ('expired', 'revoked');
