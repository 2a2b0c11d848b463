//! JSON that goes into a `json` column as it is written: its fields keep their order and its texts every character. sqlx's own wrapper
//! sends `jsonb`, which sorts fields by length and refuses `\u0000` before the column is reached.

use serde::Serialize;
use sqlx::{
    Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo, types::Oid},
};

/// The type `json` has this number in every PostgreSQL.
const JSON: Oid = Oid(114);

/// A value for a `json` column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<T>(pub T);

impl<T> Type<Postgres> for Written<T> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON)
    }
}

impl<T: Serialize> Encode<'_, Postgres> for Written<T> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        serde_json::to_writer(&mut **buffer, &self.0)?;
        Ok(IsNull::No)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sqlx::PgPool;

    #[sqlx::test(migrations = false)]
    async fn what_is_written_is_read_back_to_the_letter(pool: PgPool) {
        let value = json!({ "number": 1, "a": { "zz": 1, "b": "x\u{0}y" }, "city": [1.5, null] });
        sqlx::query("create table kept (value json not null)").execute(&pool).await.unwrap();
        sqlx::query("insert into kept values ($1)").bind(Written(&value)).execute(&pool).await.unwrap();
        let text: String = sqlx::query_scalar("select value::text from kept").fetch_one(&pool).await.unwrap();
        assert_eq!(text, value.to_string());
    }
}
