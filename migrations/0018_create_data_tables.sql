-- Data tables: rows that workflows share. Columns are data, so a row is a document of values by the columns' ids; the program checks every
-- value before it is written, in the form that it keeps.

create table data_table (
    id uuid primary key,
    workspace_id uuid not null references workspace on delete cascade,
    name text not null check (length(name) between 1 and 60 and name = btrim(name)),
    -- The columns in their order.
    columns json not null,
    -- The ids of the columns that tell rows apart; empty where nothing does.
    key_columns text[] not null default '{}',
    row_count int not null default 0 constraint data_table_full check (row_count between 0 and 100000),
    created_by uuid references person on delete set null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (workspace_id, id)
);
create unique index data_table_name on data_table (workspace_id, lower(name));

-- What tells a row apart: a hash of the values of the key's columns.
create function data_row_key(document jsonb, columns text[]) returns bytea
language sql immutable parallel safe as $$
    select case when cardinality(columns) > 0 then
        sha256(convert_to((select jsonb_agg(document -> c order by n) from unnest(columns) with ordinality as k(c, n))::text, 'UTF8'))
    end
$$;

create table data_row (
    id uuid primary key,
    workspace_id uuid not null,
    table_id uuid not null,
    document jsonb not null constraint data_row_size check (octet_length(document::text) <= 131072),
    key bytea,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    foreign key (workspace_id, table_id) references data_table (workspace_id, id) on delete cascade
);
create index data_row_list on data_row (table_id, id);
create unique index data_row_key_once on data_row (table_id, key) where key is not null;
create index data_row_values on data_row using gin (document jsonb_path_ops);

-- Changes that steps made, by their idempotency keys: a repeat of one changes nothing and is answered with what the first was.
create table data_write (
    workspace_id uuid not null,
    key uuid not null,
    table_id uuid not null,
    answer json not null,
    at timestamptz not null,
    primary key (workspace_id, key),
    foreign key (workspace_id, table_id) references data_table (workspace_id, id) on delete cascade
);
create index data_write_at on data_write (at);
create index data_write_table on data_write (table_id);
