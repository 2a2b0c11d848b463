//! A filter as SQL. Every name and every value of a person is bound; what is pushed as text is written here.

use super::Order;
use sqlx::{Postgres, QueryBuilder, types::Json as Sql};
use towpath_engine::{
    Json,
    table::{
        ColumnKind,
        filter::{Ask, Filter, Place},
    },
};
use uuid::Uuid;

/// ` and (…)`: the filter holds.
pub(super) fn where_holds(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    if !filter.is_everything() {
        query.push(" and ");
        holds(query, filter);
    }
}

fn holds(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    let (parts, word, nothing) = match filter {
        Filter::Ask { of, ask } => return asked(query, of, ask),
        Filter::All(parts) => (parts, " and ", "true"),
        Filter::Any(parts) => (parts, " or ", "false"),
    };
    query.push("(").push(nothing);
    for part in parts {
        query.push(word);
        holds(query, part);
    }
    query.push(")");
}

fn asked(query: &mut QueryBuilder<Postgres>, of: &Place, ask: &Ask) {
    match of {
        Place::Column { id, kind } => column(query, id, *kind, ask),
        Place::Id => id(query, ask),
        Place::CreatedAt => moment(query, "created_at", ask),
        Place::UpdatedAt => moment(query, "updated_at", ask),
    }
}

fn column(query: &mut QueryBuilder<Postgres>, id: &str, kind: ColumnKind, ask: &Ask) {
    query.push("(");
    match ask {
        Ask::Is(value) => {
            query.push("document @> ").push_bind(only(id, value));
        }
        Ask::IsNot(value) => {
            query.push("not document @> ").push_bind(only(id, value));
        }
        Ask::OneOf(values) => {
            cell(query, id)
                .push(" = any(")
                .push_bind(values.iter().map(|value| Sql(value.clone())).collect::<Vec<_>>())
                .push(")");
        }
        Ask::NotOneOf(values) => {
            query.push("not coalesce(");
            cell(query, id)
                .push(" = any(")
                .push_bind(values.iter().map(|value| Sql(value.clone())).collect::<Vec<_>>())
                .push("), false)");
        }
        Ask::Above(value) => compare(query, id, kind, " > ", value),
        Ask::AtLeast(value) => compare(query, id, kind, " >= ", value),
        Ask::Below(value) => compare(query, id, kind, " < ", value),
        Ask::AtMost(value) => compare(query, id, kind, " <= ", value),
        Ask::Contains(part) => {
            query.push("position(lower(").push_bind(part.clone()).push(") in lower(");
            text(query, id).push(")) > 0");
        }
        Ask::NotContains(part) => {
            query.push("coalesce(position(lower(").push_bind(part.clone()).push(") in lower(");
            text(query, id).push(")), 0) = 0");
        }
        Ask::StartsWith(part) => {
            query.push("starts_with(lower(");
            text(query, id).push("), lower(").push_bind(part.clone()).push("))");
        }
        Ask::EndsWith(part) => {
            query.push("right(lower(");
            text(query, id)
                .push("), length(lower(")
                .push_bind(part.clone())
                .push("))) = lower(")
                .push_bind(part.clone())
                .push(")");
        }
        Ask::True => {
            cell(query, id).push(" = 'true'::jsonb");
        }
        Ask::False => {
            query.push("coalesce(");
            cell(query, id).push(", 'null'::jsonb) <> 'true'::jsonb");
        }
        Ask::Empty => {
            query.push("coalesce(");
            cell(query, id).push(", 'null'::jsonb) = 'null'::jsonb");
        }
        Ask::NotEmpty => {
            query.push("coalesce(");
            cell(query, id).push(", 'null'::jsonb) <> 'null'::jsonb");
        }
    }
    query.push(")");
}

/// A document that has nothing but this value.
fn only(id: &str, value: &Json) -> Sql<Json> {
    Sql(Json::Object([(id.to_owned(), value.clone())].into_iter().collect()))
}

fn cell<'q>(query: &'q mut QueryBuilder<Postgres>, id: &str) -> &'q mut QueryBuilder<Postgres> {
    query.push("(document -> ").push_bind(id.to_owned()).push(")")
}

fn text<'q>(query: &'q mut QueryBuilder<Postgres>, id: &str) -> &'q mut QueryBuilder<Postgres> {
    query.push("(document ->> ").push_bind(id.to_owned()).push(")")
}

/// Days and moments are kept in a form in which earlier ones come first.
fn compare(query: &mut QueryBuilder<Postgres>, id: &str, kind: ColumnKind, how: &str, value: &Json) {
    let (cast, value) = match (kind, value) {
        (ColumnKind::Number, value) => ("::numeric", value.to_string()),
        (_, Json::String(text)) => (" collate \"C\"", text.clone()),
        (_, value) => (" collate \"C\"", value.to_string()),
    };
    text(query, id).push(cast).push(how).push_bind(value).push(if kind == ColumnKind::Number { "::numeric" } else { "" });
}

fn id(query: &mut QueryBuilder<Postgres>, ask: &Ask) {
    let read = |value: &Json| value.as_str().and_then(|text| text.trim().parse::<Uuid>().ok());
    let all = |values: &[Json]| values.iter().filter_map(read).collect::<Vec<_>>();
    match ask {
        Ask::Is(value) => query.push("id = any(").push_bind(all(std::slice::from_ref(value))).push(")"),
        Ask::IsNot(value) => query.push("id <> all(").push_bind(all(std::slice::from_ref(value))).push(")"),
        Ask::OneOf(values) => query.push("id = any(").push_bind(all(values)).push(")"),
        Ask::NotOneOf(values) => query.push("id <> all(").push_bind(all(values)).push(")"),
        Ask::NotEmpty => query.push("true"),
        // Every row has one; nothing else can be asked of it.
        _ => query.push("false"),
    };
}

fn moment(query: &mut QueryBuilder<Postgres>, name: &'static str, ask: &Ask) {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let texts = |values: &[Json]| values.iter().map(text).collect::<Vec<_>>();
    // People see milliseconds, so that is what they compare with.
    let (how, value) = match ask {
        Ask::Is(value) => (" = ", value),
        Ask::IsNot(value) => (" <> ", value),
        Ask::Above(value) => (" > ", value),
        Ask::AtLeast(value) => (" >= ", value),
        Ask::Below(value) => (" < ", value),
        Ask::AtMost(value) => (" <= ", value),
        Ask::OneOf(values) => {
            query
                .push("date_trunc('milliseconds', ")
                .push(name)
                .push(") = any(")
                .push_bind(texts(values))
                .push("::timestamptz[])");
            return;
        }
        Ask::NotOneOf(values) => {
            query
                .push("date_trunc('milliseconds', ")
                .push(name)
                .push(") <> all(")
                .push_bind(texts(values))
                .push("::timestamptz[])");
            return;
        }
        Ask::NotEmpty => {
            query.push("true");
            return;
        }
        _ => {
            query.push("false");
            return;
        }
    };
    query.push("date_trunc('milliseconds', ").push(name).push(")").push(how).push_bind(text(value)).push("::timestamptz");
}

/// ` order by …`: empty cells last, equal ones in the order in which they were added.
pub(super) fn order_by(query: &mut QueryBuilder<Postgres>, order: &Order) {
    let direction = if order.descending { " desc" } else { " asc" };
    query.push(" order by ");
    match &order.by {
        Place::Id => {
            query.push("id").push(direction);
            return;
        }
        Place::CreatedAt => query.push("created_at"),
        Place::UpdatedAt => query.push("updated_at"),
        Place::Column { id, kind: ColumnKind::Number } => text(query, id).push("::numeric"),
        Place::Column { id, kind: ColumnKind::Text | ColumnKind::Choice } => {
            query.push("lower");
            text(query, id)
        }
        Place::Column { id, .. } => text(query, id).push(" collate \"C\""),
    };
    query.push(direction).push(" nulls last, id");
}
