-- Programs come in by tokens, and may repeat a write without doing it twice.

-- A token is known by its SHA-256; the prefix finds it and shows which one it is.
create table api_token (
    id uuid primary key,
    workspace_id uuid not null references workspace on delete cascade,
    person_id uuid not null references person on delete cascade,
    name text not null check (length(name) between 1 and 200),
    prefix text not null check (prefix ~ '^[0-9a-f]{8}$'),
    token_hash bytea not null check (length(token_hash) = 32),
    scopes text[] not null
        check (scopes <@ array['read', 'edit', 'publish', 'operate', 'manage', 'metrics'] and cardinality(scopes) > 0),
    created_at timestamptz not null,
    expires_at timestamptz check (expires_at > created_at),
    used_at timestamptz
);
create unique index api_token_hash on api_token (token_hash);
create index api_token_list on api_token (workspace_id, id);
create index api_token_person on api_token (person_id);

-- Writes that named an Idempotency-Key, for a day: what was asked (as a hash) and what was answered.
create table idempotent_write (
    -- The token or the person that sent it.
    owner uuid not null,
    key text not null check (length(key) between 1 and 200),
    request_hash bytea not null check (length(request_hash) = 32),
    at timestamptz not null,
    -- Null while it is under way, or when the server died in the middle.
    status smallint,
    content_type text,
    -- Null where the answer held something that is shown only once.
    body bytea,
    primary key (owner, key)
);
create index idempotent_write_age on idempotent_write (at);
