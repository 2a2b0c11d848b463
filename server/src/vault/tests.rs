use super::*;
use sqlx::PgPool;
use towpath_engine::ids::WorkspaceId;
use uuid::Uuid;

async fn workspace(pool: &PgPool) -> WorkspaceId {
    let id = WorkspaceId::new();
    sqlx::query!("insert into workspace (id, name) values ($1, 'Test')", id.0).execute(pool).await.unwrap();
    id
}

fn place(workspace: WorkspaceId, row: u128) -> Place {
    Place { table: "endpoint", column: "secret_sealed", workspace, row: Uuid::from_u128(row) }
}

fn not_opened(result: Result<Secret, VaultError>) -> NotOpened {
    match result {
        Err(VaultError::NotOpened(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_sealed_value_opens_at_its_place_and_nowhere_else(pool: PgPool) {
    let (home, next_door) = (workspace(&pool).await, workspace(&pool).await);
    let vault = Vault::new(Keys::generate(), pool);
    let here = place(home, 1);
    let sealed = vault.seal(here, b"open sesame").await.unwrap();
    assert!(!sealed.windows(4).any(|part| part == b"open"));
    assert_ne!(sealed, vault.seal(here, b"open sesame").await.unwrap(), "it is sealed differently each time");
    assert_eq!(vault.open(here, &sealed).await.unwrap().expose(), b"open sesame");
    vault.seal(place(next_door, 1), b"so that the neighbour has a key").await.unwrap();
    for elsewhere in
        [place(home, 2), place(next_door, 1), Place { column: "hint", ..here }, Place { table: "connection", ..here }]
    {
        assert_eq!(not_opened(vault.open(elsewhere, &sealed).await), NotOpened::Refused, "{elsewhere:?}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn any_changed_byte_is_noticed(pool: PgPool) {
    let home = workspace(&pool).await;
    let vault = Vault::new(Keys::generate(), pool);
    let sealed = vault.seal(place(home, 1), b"x").await.unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(vault.open(place(home, 1), &changed).await.is_err(), "byte {at}");
    }
    for length in 0..sealed.len() {
        assert!(vault.open(place(home, 1), &sealed[..length]).await.is_err(), "cut to {length}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn another_key_file_opens_nothing_and_a_missing_key_is_named(pool: PgPool) {
    let home = workspace(&pool).await;
    let sealed = Vault::new(Keys::generate(), pool.clone()).seal(place(home, 1), b"x").await.unwrap();
    let other = Vault::new(Keys::generate(), pool.clone());
    assert_eq!(not_opened(other.open(place(home, 1), &sealed).await), NotOpened::Refused);
    sqlx::query!("update data_key set key_number = 7").execute(&pool).await.unwrap();
    assert_eq!(not_opened(other.open(place(home, 1), &sealed).await), NotOpened::KeyMissing(7));
    sqlx::query!("delete from data_key").execute(&pool).await.unwrap();
    assert_eq!(not_opened(other.open(place(home, 1), &sealed).await), NotOpened::DataKeyMissing(1));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_an_older_version_sealed_with_the_key_file_still_opens(pool: PgPool) {
    let home = workspace(&pool).await;
    let vault = Vault::new(Keys::generate(), pool);
    let (number, key) = vault.file.newest();
    let here = place(home, 1);
    let sealed = envelope::seal_with_file_key(number, &key, &here.associated_data(), b"old");
    assert_eq!(sealed[..2], [1, 1]);
    vault.file.add().unwrap();
    assert_eq!(vault.open(here, &sealed).await.unwrap().expose(), b"old");
}

#[sqlx::test(migrations = "../migrations")]
async fn two_processes_that_need_the_first_data_key_at_once_use_the_same(pool: PgPool) {
    let home = workspace(&pool).await;
    let file = std::env::temp_dir().join(format!("towpath-vault-{}", Uuid::now_v7().simple()));
    let (one, other) = (Vault::start(&file, &pool).await.unwrap(), Vault::start(&file, &pool).await.unwrap());
    let (first, second) = tokio::join!(one.seal(place(home, 1), b"1"), other.seal(place(home, 2), b"2"));
    assert_eq!(other.open(place(home, 1), &first.unwrap()).await.unwrap().expose(), b"1");
    assert_eq!(one.open(place(home, 2), &second.unwrap()).await.unwrap().expose(), b"2");
    assert!(Vault::start(&file.with_extension("lost"), &pool).await.is_err(), "data keys without their file are an error");
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_secret_prints_nothing() {
    assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_code_holds_after_a_new_key_was_added(pool: PgPool) {
    let vault = Vault::new(Keys::generate(), pool);
    let code = vault.mac("form-page", b"text");
    vault.file.add().unwrap();
    assert_ne!(vault.mac("form-page", b"text"), code);
    assert!(vault.is_mac("form-page", b"text", &code));
    assert!(!vault.is_mac("form-preview", b"text", &code) && !vault.is_mac("form-page", b"other", &code));
}
