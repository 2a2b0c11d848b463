-- What came from a backup is held until a person decides what becomes of it.
alter table instance
    -- By it the server knows itself when it calls its own public address. Shown to nobody.
    add secret bytea not null default decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'),
    -- Raised at every start, here and in the data directory: a database that is behind the directory was put back from a backup.
    add generation bigint not null default 0,
    -- Nothing is started or sent since then, until a person decides.
    add held_since timestamptz,
    add held_because text,
    -- What the person decided, for the server to carry out.
    add decision text check (decision in ('run', 'cancel')),
    add check ((held_since is null) = (held_because is null)),
    add check (decision is null or held_since is not null);
