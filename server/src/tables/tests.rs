//! Rows in a real database: what is written once, what is found, and what a change of columns does to them.

use super::*;
use crate::store::data_writes;
use serde_json::json;
use std::collections::BTreeSet;
use towpath_connectors::sdk::tables::{Asked, Tables as _, Wanted};
use towpath_engine::{
    condition::Conditions,
    error::ErrorKind,
    ids::PersonId,
    table::{Column, ColumnKind, Unknown},
};
use uuid::Uuid;

struct House {
    pool: PgPool,
    tables: Tables,
    workspace: WorkspaceId,
    person: PersonId,
}

impl House {
    async fn new(pool: PgPool) -> Self {
        let (workspace, person) = (WorkspaceId::new(), PersonId::new());
        sqlx::query!("insert into workspace (id, name) values ($1, 'Test')", workspace.0).execute(&pool).await.unwrap();
        sqlx::query!(
            "insert into person (id, email, name, password_hash) values ($1, 'ada@example.com', 'Ada', 'none')",
            person.0
        )
        .execute(&pool)
        .await
        .unwrap();
        Self { tables: Tables::new(pool.clone(), Clock::system()), pool, workspace, person }
    }

    /// Customers: email, name, total, member, since, plan, extra.
    async fn customers(&self, key: &[&str]) -> TableId {
        let column = |name: &str, kind, required| Column {
            id: String::new(),
            name: name.into(),
            kind,
            required,
            options: if kind == ColumnKind::Choice { vec!["free".into(), "paid".into()] } else { vec![] },
        };
        let columns = vec![
            column("email", ColumnKind::Text, false),
            column("name", ColumnKind::Text, true),
            column("total", ColumnKind::Number, false),
            column("member", ColumnKind::Boolean, false),
            column("since", ColumnKind::Date, false),
            column("plan", ColumnKind::Choice, false),
            column("extra", ColumnKind::Json, false),
        ];
        let key = key.iter().map(|&name| name.to_owned()).collect();
        self.tables.create(self.workspace, "Customers", NewColumns { columns, key }, self.person).await.unwrap()
    }

    async fn insert(&self, table: TableId, rows: Json) -> Result<Done, Refused> {
        let change = Change::Insert { rows: objects(rows), unknown: Unknown::Refuse };
        self.tables.change(self.workspace, table, change, None).await
    }

    async fn names(&self, table: TableId, conditions: Json) -> String {
        let door = WorkspaceTables::new(self.tables.clone(), self.workspace);
        let which: Conditions = serde_json::from_value(conditions.clone()).unwrap();
        let asked = Asked { which, sort: None, descending: false, limit: 100 };
        let found = door.find(&table.to_string(), asked).await.unwrap_or_else(|error| panic!("{conditions}: {}", error.message));
        let rows = found["rows"].as_array().unwrap();
        rows.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    async fn count(&self, table: TableId) -> (i64, i32) {
        let counted = self.tables.count(self.workspace, table, &Filter::everything()).await.unwrap();
        (counted, self.tables.find(self.workspace, table).await.unwrap().rows)
    }
}

fn objects(rows: Json) -> Vec<Object> {
    serde_json::from_value(rows).unwrap()
}

fn message<T: std::fmt::Debug>(result: Result<T, Refused>) -> String {
    result.unwrap_err().to_string()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_step_s_change_is_made_once_for_its_key_however_often_it_is_asked_for(pool: PgPool) {
    let house = House::new(pool).await;
    let table = house.customers(&["email"]).await;
    let door = WorkspaceTables::new(house.tables.clone(), house.workspace);
    let id = table.to_string();
    let insert = |key: Uuid, rows: Json| door.change(&id, Wanted::Insert { rows: objects(rows), unknown: Unknown::Refuse }, key);
    let hundred: Json = (0..100).map(|n| json!({ "email": format!("{n}@example.com"), "name": format!("N{n}") })).collect();
    let key = Uuid::now_v7();
    let first = insert(key, hundred.clone()).await.unwrap();
    assert_eq!((first["count"].clone(), first["ids"].as_array().unwrap().len()), (json!(100), 100));
    // As after a crash between the change and its record.
    assert_eq!(insert(key, hundred.clone()).await.unwrap(), first);
    assert_eq!(house.count(table).await, (100, 100));
    // Also when the rows were changed or deleted since, and at the same moment.
    let upsert = |key: Uuid, name: &str| {
        let rows = objects(json!([{ "email": "1@example.com", "name": name }, { "email": "new@example.com", "name": name }]));
        door.change(&id, Wanted::Upsert { rows, unknown: Unknown::Refuse }, key)
    };
    let key = Uuid::now_v7();
    let put = upsert(key, "early").await.unwrap();
    assert_eq!(put, json!({ "count": 2, "added": 1, "changed": 1 }));
    upsert(Uuid::now_v7(), "late").await.unwrap();
    let all: Json = json!({ "value": "name", "is": "one_of", "to": ["late", "early"] });
    assert_eq!(upsert(key, "early").await.unwrap(), put);
    assert_eq!(house.names(table, all.clone()).await, "late late", "a late repeat puts nothing back");
    let key = Uuid::now_v7();
    let delete = || door.change(&id, Wanted::Delete { which: serde_json::from_value(all.clone()).unwrap() }, key);
    let (one, other) = tokio::join!(delete(), delete());
    assert_eq!((one.unwrap(), other.unwrap()), (json!({ "count": 2 }), json!({ "count": 2 })));
    assert_eq!(house.count(table).await, (99, 99));
    // A workspace's key is its own.
    let elsewhere = WorkspaceTables::new(house.tables.clone(), WorkspaceId::new());
    let wanted = Wanted::Insert { rows: objects(json!([{ "name": "x" }])), unknown: Unknown::Refuse };
    assert_eq!(elsewhere.change(&id, wanted, key).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[sqlx::test(migrations = "../migrations")]
async fn all_rows_are_written_or_none(pool: PgPool) {
    let house = House::new(pool).await;
    let table = house.customers(&["email"]).await;
    house.insert(table, json!([{ "email": "a@x", "name": "Ada", "total": "12.50" }])).await.unwrap();
    let wrong = [
        (json!([{ "email": "b@x", "name": "B" }, { "email": "c@x" }]), "Row 2: “name” is empty, and every row needs it."),
        (
            json!([{ "email": "b@x", "name": "B" }, { "email": "a@x", "name": "A" }]),
            "There is a row already with email = a@x. To change rows that are there, use “Insert or change rows”.",
        ),
        (
            json!([{ "email": "b@x", "name": "B" }, { "email": "b@x", "name": "C" }]),
            "Two of the rows have email = b@x. Nothing was added.",
        ),
        (json!([{ "name": "B" }]), "“email” is empty, and it is part of the table's key."),
        (
            json!([{ "email": "b@x", "name": "B", "colour": 1 }]),
            "The table has no column “colour”. It has: email, name, total, member, since, plan, extra.",
        ),
        (
            json!([{ "email": "b@x", "name": "B", "total": "much" }]),
            "“total” takes a number, and \"much\" can't be read as that.",
        ),
    ];
    for (rows, sentence) in wrong {
        assert_eq!(message(house.insert(table, rows).await), sentence);
    }
    assert_eq!(house.count(table).await, (1, 1));
    let none = house.insert(TableId::new(), json!([{ "name": "x" }])).await;
    assert!(matches!(none, Err(Refused::NoTable)));
}

#[sqlx::test(migrations = "../migrations")]
async fn conditions_find_what_they_say(pool: PgPool) {
    let house = House::new(pool).await;
    let table = house.customers(&[]).await;
    house
        .insert(
            table,
            json!([
                { "name": "Ada", "email": "Ada@Example.com", "total": 9, "member": true, "since": "2026-01-31", "plan": "paid" },
                { "name": "Bob", "email": "bob_50%@example.org", "total": 100.5, "member": false, "since": "2026-11-20", "plan": "free" },
                { "name": "Cyd", "total": -3, "extra": { "a": [1] } },
                { "name": "Dee", "email": "dee@example.com", "total": 10, "since": "2025-12-31" }
            ]),
        )
        .await
        .unwrap();
    let table_of = [
        ("email", "equals", json!("Ada@Example.com"), "Ada"),
        ("email", "equals", json!("ada@example.com"), ""),
        ("email", "not_equals", json!("dee@example.com"), "Ada Bob Cyd"),
        ("email", "contains", json!("EXAMPLE.COM"), "Ada Dee"),
        ("email", "contains", json!("_50%"), "Bob"),
        ("email", "not_contains", json!("example.com"), "Bob Cyd"),
        ("email", "starts_with", json!("ADA"), "Ada"),
        ("email", "ends_with", json!(".ORG"), "Bob"),
        ("email", "is_empty", json!(null), "Cyd"),
        ("email", "is_not_empty", json!(null), "Ada Bob Dee"),
        ("total", "equals", json!("10"), "Dee"),
        ("total", "greater_than", json!(9), "Bob Dee"),
        ("total", "at_least", json!("9"), "Ada Bob Dee"),
        ("total", "less_than", json!(0), "Cyd"),
        ("total", "between", json!([9, 10]), "Ada Dee"),
        ("total", "one_of", json!("9, 10"), "Ada Dee"),
        ("total", "not_one_of", json!([9, 10]), "Bob Cyd"),
        ("member", "is_true", json!(null), "Ada"),
        ("member", "is_false", json!(null), "Bob Cyd Dee"),
        ("member", "equals", json!("no"), "Bob"),
        ("since", "before", json!("1.1.2026"), "Dee"),
        ("since", "after", json!("2025-12-31"), "Ada Bob"),
        ("since", "between", json!(["2026-01-01", "2026-12-31"]), "Ada Bob"),
        ("plan", "equals", json!("paid"), "Ada"),
        ("plan", "one_of", json!(["gone"]), ""),
        ("extra", "is_not_empty", json!(null), "Cyd"),
        ("created_at", "after", json!("2020-01-01"), "Ada Bob Cyd Dee"),
        ("id", "equals", json!("no id"), ""),
        ("id", "not_equals", json!("no id"), "Ada Bob Cyd Dee"),
        ("Name", "equals", json!("'; drop table data_row; --"), ""),
    ];
    for (column, is, to, expected) in table_of {
        let found = house.names(table, json!({ "value": column, "is": is, "to": to })).await;
        assert_eq!(found, expected, "{column} {is} {to}");
    }
    let both = json!({ "all": [{ "value": "total", "is": "greater_than", "to": 5 }, { "any": [
        { "value": "plan", "is": "equals", "to": "free" }, { "value": "name", "is": "equals", "to": "Dee" }] }] });
    assert_eq!(house.names(table, both).await, "Bob Dee");
    assert_eq!(house.names(table, json!({ "any": [] })).await, "");
    // Sorted, empty cells last, and cut off.
    let door = WorkspaceTables::new(house.tables.clone(), house.workspace);
    let sorted = async |sort: &str, descending, limit| {
        let asked = Asked { which: Conditions::All { all: vec![] }, sort: Some(sort.into()), descending, limit };
        let found = door.find("customers", asked).await.unwrap();
        let names: Vec<String> =
            found["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().into()).collect();
        (names.join(" "), found["more"].as_bool().unwrap())
    };
    assert_eq!(sorted("total", false, 10).await, ("Cyd Ada Dee Bob".into(), false));
    assert_eq!(sorted("since", true, 10).await, ("Bob Ada Dee Cyd".into(), false));
    assert_eq!(sorted("email", false, 2).await, ("Ada Bob".into(), true));
    let asked = Asked { which: Conditions::All { all: vec![] }, sort: Some("nme".into()), descending: false, limit: 1 };
    let error = door.find("customers", asked).await.unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.field.as_deref()),
        ("The table has no column “nme”. Did you mean “name”?", Some("sort"))
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn columns_come_and_go_with_their_cells_and_a_key_has_to_fit(pool: PgPool) {
    let house = House::new(pool).await;
    let table = house.customers(&[]).await;
    house.insert(table, json!([{ "name": "A", "total": 1 }, { "name": "A", "total": 2 }, { "name": "B" }])).await.unwrap();
    let reshape = |reshape| house.tables.reshape(house.workspace, table, reshape);
    let key = |names: &[&str]| Reshape { key: Some(names.iter().map(|&name| name.into()).collect()), ..Reshape::default() };
    assert_eq!(
        message(reshape(key(&["name"])).await),
        "Several rows have the same name, so it can't tell them apart. Mend these rows first."
    );
    assert_eq!(
        message(reshape(key(&["name", "total"])).await),
        "1 rows have nothing in name and total, so it can't tell them apart. Fill these cells in first."
    );
    assert!(message(reshape(key(&["nme"])).await).contains("Did you mean “name”?"));
    let old = house.tables.find(house.workspace, table).await.unwrap();
    let all = Conditions::Test(serde_json::from_value(json!({ "value": "name", "is": "equals", "to": "B" })).unwrap());
    let patch = Change::Update { which: Which::Where(all), values: objects(json!([{ "total": 3 }])).remove(0) };
    assert_eq!(house.tables.change(house.workspace, table, patch, None).await.unwrap().changed, 1);
    reshape(key(&["name", "total"])).await.unwrap();
    assert!(message(house.insert(table, json!([{ "name": "A", "total": "2.0" }])).await).contains("name = A, total = 2"));
    // Another name keeps what stands in the column; without the column it is gone for good.
    let mut columns = old.schema.columns.clone();
    columns[1].name = "Full name".into();
    columns.retain(|column| ["Full name", "total"].contains(&column.name.as_str()));
    let named = Reshape { name: Some(" People ".into()), columns: Some(columns.clone()), key: None };
    let new = reshape(named).await.unwrap();
    assert_eq!((new.name.as_str(), new.schema.key_names()), ("People", vec!["Full name", "total"]));
    let rows = house.tables.page(house.workspace, table, &Filter::everything(), (None, false), 10).await.unwrap();
    assert_eq!(shown(&new, &rows[0])["Full name"], "A");
    columns[0].kind = ColumnKind::Number;
    let other_kind = Reshape { columns: Some(columns.clone()), ..Reshape::default() };
    assert!(message(reshape(other_kind).await).contains("its kind can't be changed"));
    columns[0].kind = ColumnKind::Text;
    columns.pop();
    columns.push(Column { id: String::new(), name: "new".into(), kind: ColumnKind::Text, required: false, options: vec![] });
    let new = reshape(Reshape { columns: Some(columns), key: Some(vec![]), name: None }).await.unwrap();
    let ids: BTreeSet<&str> = new.schema.columns.iter().map(|column| column.id.as_str()).collect();
    let rows = house.tables.page(house.workspace, table, &Filter::everything(), (None, false), 10).await.unwrap();
    for row in &rows {
        assert!(row.document.keys().all(|id| ids.contains(id.as_str())), "{:?}", row.document);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn there_is_an_end_to_a_table_and_two_have_two_names(pool: PgPool) {
    let house = House::new(pool).await;
    let table = house.customers(&[]).await;
    sqlx::query!("update data_table set row_count = 99999 where id = $1", table.0).execute(&house.pool).await.unwrap();
    let full = house.insert(table, json!([{ "name": "A" }, { "name": "B" }])).await;
    assert!(message(full).contains("more than 100,000 rows"));
    assert_eq!(house.tables.count(house.workspace, table, &Filter::everything()).await.unwrap(), 0);
    let many: Json = (0..=MOST_ADDED).map(|n| json!({ "name": n })).collect();
    assert_eq!(message(house.insert(table, many).await), "10001 rows are too many at once; 10,000 is the most.");
    let text = Column { id: String::new(), name: "a".into(), kind: ColumnKind::Text, required: false, options: vec![] };
    let columns = NewColumns { columns: vec![text], key: vec![] };
    let again = house.tables.create(house.workspace, "customers", columns.clone(), house.person).await;
    assert!(message(again).contains("Another table has this name"));
    house.tables.delete(house.workspace, table).await.unwrap();
    house.tables.create(house.workspace, "customers", columns, house.person).await.unwrap();
}

#[sqlx::test(migrations = "../migrations")]
async fn changes_are_forgotten_after_the_retention_unless_a_run_may_repeat_them(pool: PgPool) {
    let house = House::new(pool).await;
    let table = house.customers(&[]).await;
    let key = Uuid::now_v7();
    let change = || Change::Insert { rows: objects(json!([{ "name": "A" }])), unknown: Unknown::Refuse };
    house.tables.change(house.workspace, table, change(), Some(key)).await.unwrap();
    let later = house.tables.clock.now() + chrono::TimeDelta::days(31);
    // A run from before the change still sleeps.
    let old = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 1_700_000_000, 0));
    sqlx::query!(
        "insert into wait (run_id, step_path, shard, workspace_id, workflow_id, seq, reason) values ($1, 's', 0, $2, $3, 1, 0)",
        old,
        house.workspace.0,
        Uuid::now_v7()
    )
    .execute(&house.pool)
    .await
    .unwrap();
    assert_eq!(data_writes::forget(&house.pool, later).await.unwrap(), 0);
    sqlx::query!("delete from wait where run_id = $1", old).execute(&house.pool).await.unwrap();
    assert_eq!(data_writes::forget(&house.pool, house.tables.clock.now() - chrono::TimeDelta::days(1)).await.unwrap(), 0);
    assert_eq!(data_writes::forget(&house.pool, later).await.unwrap(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_file_names_tables_by_their_names_wherever_they_stand(pool: PgPool) {
    let house = House::new(pool).await;
    let table = house.customers(&[]).await;
    let gone = TableId::new();
    let step = |id: &str, table: &str| json!({ "id": id, "use": "table.find", "input": { "table": table } });
    let document: Workflow = serde_json::from_value(json!({ "towpath": 1, "name": "x", "steps": [
        { "id": "each", "use": "for_each", "body": { "steps": [step("inside", &table.to_string())] } },
        step("gone", &gone.to_string()), step("named", "customers"),
        { "id": "other", "use": "set", "input": { "table": table.to_string() } } ] }))
    .unwrap();
    let named = serde_json::to_value(house.tables.by_name(house.workspace, document).await.unwrap()).unwrap();
    assert_eq!(named["steps"][0]["body"]["steps"][0]["input"]["table"], "Customers");
    assert_eq!((&named["steps"][1]["input"]["table"], &named["steps"][2]["input"]["table"]), (&json!(gone), &json!("customers")));
    assert_eq!(named["steps"][3]["input"]["table"], json!(table));
}
