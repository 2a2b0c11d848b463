//! A new table: from columns, or from a file that has both columns and rows.

use super::is_mistake;
use crate::{
    api::tables::{csv, refused},
    app::App,
    auth::Actor,
    pages,
    problem::Problem,
    tables::{Change, NewColumns, Refused},
};
use axum::{
    extract::{Form, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use towpath_engine::table::{Column, ColumnKind, sheet::Sheet};
use towpath_web::{
    form::Errors,
    layout::Area,
    tables::new::{New, NewColumn},
};

/// Empty lines for columns in the form.
const LINES: usize = 5;

#[derive(Default)]
struct Typed {
    name: String,
    columns: Vec<(String, String)>,
    csv: String,
}

impl Typed {
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut typed = Self::default();
        for (name, value) in pairs {
            match (name.as_str(), typed.columns.last_mut()) {
                ("name", _) => typed.name = value,
                ("csv", _) => typed.csv = value,
                ("column", _) => typed.columns.push((value, "text".to_owned())),
                ("kind", Some(last)) => last.1 = value,
                _ => {}
            }
        }
        typed
    }
}

/// `GET /tables/new`
pub async fn show(actor: Actor) -> Result<Response, Problem> {
    form(&actor, Typed::default(), Errors::default())
}

/// `POST /tables`
pub async fn submit(State(app): State<App>, actor: Actor, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Problem> {
    let typed = Typed::of(pairs);
    let mut errors = Errors::default();
    if typed.name.trim().is_empty() {
        errors.add("name", "Give the table a name.");
        return form(&actor, typed, errors);
    }
    let columns = if typed.csv.trim().is_empty() {
        let named = typed.columns.iter().filter(|(name, _)| !name.trim().is_empty());
        let column = |(name, kind): &(String, String)| Column {
            id: String::new(),
            name: name.clone(),
            kind: ColumnKind::of_name(kind).filter(|kind| *kind != ColumnKind::Choice).unwrap_or(ColumnKind::Text),
            required: false,
            options: Vec::new(),
        };
        named.map(column).collect()
    } else {
        match Sheet::read(&typed.csv) {
            Ok(sheet) => sheet.columns(),
            Err(mistake) => {
                errors.add("csv", mistake.message);
                return form(&actor, typed, errors);
            }
        }
    };
    let id = match app.tables.create(actor.workspace, &typed.name, NewColumns { columns, key: vec![] }, actor.person).await {
        Ok(id) => id,
        Err(error) if is_mistake(&error) => {
            let about_the_name = matches!(error, Refused::Clash(_))
                || matches!(&error, Refused::Wrong(wrong) if wrong.message.contains("of a table"));
            errors.add(if about_the_name { "name" } else { "columns" }, error.to_string());
            return form(&actor, typed, errors);
        }
        Err(error) => return Err(refused(error)),
    };
    if typed.csv.trim().is_empty() {
        return Ok(Redirect::to(&format!("/tables/{id}?done=saved")).into_response());
    }
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let fitted = csv::read(&table, &typed.csv, false);
    let imported = match fitted.mistakes.first() {
        // The columns were made for these lines, so this is rare: a line that is too long, for example.
        Some(mistake) => {
            Err(mistake.line.map_or_else(|| mistake.message.clone(), |line| format!("Line {line}: {}", mistake.message)))
        }
        None => match app.tables.change(actor.workspace, id, Change::Import { fitted, upsert: false }, None).await {
            Ok(_) => Ok(()),
            Err(error) if is_mistake(&error) => Err(error.to_string()),
            Err(error) => return Err(refused(error)),
        },
    };
    if let Err(message) = imported {
        app.tables.delete(actor.workspace, id).await.map_err(refused)?;
        errors.add("csv", message);
        return form(&actor, typed, errors);
    }
    Ok(Redirect::to(&format!("/tables/{id}?done=imported")).into_response())
}

fn form(actor: &Actor, typed: Typed, errors: Errors) -> Result<Response, Problem> {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut columns: Vec<NewColumn> = typed.columns.into_iter().map(|(name, kind)| NewColumn { name, kind }).collect();
    while columns.len() < LINES {
        columns.push(NewColumn { name: String::new(), kind: "text".to_owned() });
    }
    let view = New {
        page: actor.page("New table", Area::Tables),
        name: typed.name,
        columns,
        // A choice needs options, which the page of columns asks for.
        kinds: ColumnKind::ALL
            .into_iter()
            .filter(|kind| *kind != ColumnKind::Choice)
            .map(|kind| (kind.name(), kind.title()))
            .collect(),
        csv: typed.csv,
        errors,
    };
    Ok((status, pages::html(&view)?).into_response())
}
