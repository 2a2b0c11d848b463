//! The page of the workspace's variables: the list, a form for one more, and the same form for one that is there.

use crate::{
    api::variables::{change, used_by},
    app::App,
    auth::{Actor, permission::Action},
    pages,
    problem::{Code, Problem},
    variables::{Change, Kind, Variable},
};
use axum::{
    extract::{Form, Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use towpath_engine::Json;
use towpath_web::{
    form::Errors,
    layout::Area,
    settings::variables::{DeleteVariable, EditVariable, Filled, Row, Variables},
};

/// What a browser sends.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    number: String,
    #[serde(default)]
    boolean: String,
    #[serde(default)]
    json: String,
    #[serde(default)]
    note: String,
}

impl Typed {
    fn of(variable: &Variable) -> Self {
        let written = variable.kind.written(&variable.value);
        let mut typed = Self {
            name: variable.name.clone(),
            kind: variable.kind.name().to_owned(),
            note: variable.note.clone(),
            ..Self::default()
        };
        match variable.kind {
            Kind::Text => typed.text = written,
            Kind::Number => typed.number = written,
            Kind::Boolean => typed.boolean = written,
            Kind::Json => typed.json = written,
        }
        typed
    }

    fn read(&self) -> Result<Variable, Problem> {
        let kind = Kind::of_name(&self.kind).unwrap_or(Kind::Text);
        let text = match kind {
            Kind::Text => &self.text,
            Kind::Number => &self.number,
            Kind::Boolean => &self.boolean,
            Kind::Json => &self.json,
        };
        let value = kind.typed(text).map_err(|wrong| Problem::invalid(wrong.field, wrong.message))?;
        Ok(Variable { name: self.name.trim().to_owned(), kind, value, note: self.note.trim().to_owned() })
    }

    fn filled(self) -> Filled {
        let kind = Kind::of_name(&self.kind).unwrap_or(Kind::Text).name();
        Filled {
            name: self.name,
            kind,
            kinds: Kind::ALL.map(|kind| (kind.name(), kind.title())).into(),
            text: self.text,
            number: self.number,
            yes: self.boolean == "true",
            json: self.json,
            note: self.note,
        }
    }
}

/// `GET /settings/variables`
pub async fn show(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    page(&app, &actor, Typed::default(), Errors::default()).await
}

/// `POST /settings/variables`
pub async fn create(State(app): State<App>, actor: Actor, Form(typed): Form<Typed>) -> Result<Response, Problem> {
    let made = match typed.read() {
        Ok(variable) => change(&app, &actor, Change::Add(variable)).await,
        Err(problem) => Err(problem),
    };
    match made {
        Ok(_) => Ok(Redirect::to("/settings/variables?done=saved").into_response()),
        Err(problem) => page(&app, &actor, typed, mistakes(problem)?).await,
    }
}

/// `GET /settings/variables/{variable}`
pub async fn edit(State(app): State<App>, actor: Actor, Path(name): Path<String>) -> Result<Response, Problem> {
    let typed = find(&app, &actor, &name)?;
    form(&app, &actor, name, Typed::of(&typed), Errors::default()).await
}

/// `POST /settings/variables/{variable}`
pub async fn save(
    State(app): State<App>,
    actor: Actor,
    Path(name): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    find(&app, &actor, &name)?;
    let saved = match typed.read() {
        Ok(variable) => change(&app, &actor, Change::Put { name: name.clone(), variable, upsert: false }).await,
        Err(problem) => Err(problem),
    };
    match saved {
        Ok(_) => Ok(Redirect::to("/settings/variables?done=saved").into_response()),
        Err(problem) => form(&app, &actor, name, typed, mistakes(problem)?).await,
    }
}

/// `GET /settings/variables/{variable}/delete`
pub async fn ask_delete(State(app): State<App>, actor: Actor, Path(name): Path<String>) -> Result<Response, Problem> {
    find(&app, &actor, &name)?;
    let used = used_by(&app, &actor).await?.remove(&name).unwrap_or_default();
    pages::html(&DeleteVariable {
        page: actor.page(format!("Delete {name}"), Area::Settings),
        used_by: used.into_iter().map(|it| (it.workflow.to_string(), it.name, it.published)).collect(),
        name,
    })
}

/// `POST /settings/variables/{variable}/delete`
pub async fn delete(State(app): State<App>, actor: Actor, Path(name): Path<String>) -> Result<Redirect, Problem> {
    change(&app, &actor, Change::Remove(name)).await?;
    Ok(Redirect::to("/settings/variables?done=deleted"))
}

fn find(app: &App, actor: &Actor, name: &str) -> Result<Variable, Problem> {
    app.variables.current(actor.workspace).find(name).cloned().ok_or_else(Problem::not_found)
}

/// The mistakes of a form; any other problem is one of its own.
fn mistakes(problem: Problem) -> Result<Errors, Problem> {
    if !matches!(problem.code, Code::InvalidInput | Code::Conflict) || problem.fields.is_empty() {
        return Err(problem);
    }
    let mut errors = Errors::default();
    for it in problem.fields {
        let field = match it.field.as_str() {
            "value" => "value",
            "note" => "note",
            _ => "name",
        };
        errors.add(field, it.message);
    }
    Ok(errors)
}

async fn page(app: &App, actor: &Actor, typed: Typed, errors: Errors) -> Result<Response, Problem> {
    let mut used = used_by(app, actor).await?;
    let revision = app.variables.current(actor.workspace);
    let rows = revision.list.iter().map(|it| Row {
        name: it.name.clone(),
        kind: it.kind.title(),
        shown: shown(&it.value),
        note: it.note.clone(),
        used_by: used.remove(&it.name).unwrap_or_default().into_iter().map(|by| (by.workflow.to_string(), by.name)).collect(),
    });
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = Variables {
        page: actor.page("Variables", Area::Settings),
        rows: rows.collect(),
        edits: actor.may(Action::EditWorkflows),
        filled: typed.filled(),
        errors,
    };
    Ok((status, pages::html(&view)?).into_response())
}

async fn form(app: &App, actor: &Actor, name: String, typed: Typed, errors: Errors) -> Result<Response, Problem> {
    let used = used_by(app, actor).await?.remove(&name).unwrap_or_default();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = EditVariable {
        page: actor.page(name.clone(), Area::Settings),
        name,
        used_by: used.into_iter().map(|it| (it.workflow.to_string(), it.name, it.published)).collect(),
        filled: typed.filled(),
        errors,
    };
    Ok((status, pages::html(&view)?).into_response())
}

/// A value in a line.
fn shown(value: &Json) -> String {
    let text = match value {
        Json::String(text) if text.is_empty() => "empty text".to_owned(),
        Json::String(text) => text.clone(),
        Json::Bool(true) => "yes".to_owned(),
        Json::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    };
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
