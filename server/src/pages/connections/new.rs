//! A new connection: to which service, then its form.

use super::edit::{Sent, form};
use crate::{
    api::connections::{New, create},
    app::App,
    auth::Actor,
    connections::probe,
    pages,
    problem::Problem,
    store::connections,
};
use axum::{
    extract::{Form, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use towpath_web::{
    connections::choose::{Choose, Service},
    layout::Area,
};

#[derive(Deserialize)]
pub struct Chosen {
    connector: Option<String>,
    auth: Option<String>,
}

/// `GET /connections/new`, `?connector=` once one is chosen, `&auth=` where there are several ways.
pub async fn show(State(app): State<App>, actor: Actor, Query(chosen): Query<Chosen>) -> Result<Response, Problem> {
    let Some(id) = chosen.connector else {
        let services = app.registry.connectors().filter(|connector| !connector.auth.is_empty()).map(|connector| Service {
            id: connector.id.clone(),
            name: connector.name.clone(),
            icon: connector.icon.clone(),
            sentence: connector.sentence.clone(),
        });
        let services = services.collect();
        return pages::html(&Choose { page: actor.page("New connection", Area::Connections), services });
    };
    let connector = app.registry.connector(&id).ok_or_else(Problem::not_found)?;
    let auth = match &chosen.auth {
        Some(auth) => connector.auth.iter().find(|it| it.id == *auth),
        None => connector.auth.first(),
    };
    let auth = auth.ok_or_else(Problem::not_found)?;
    form(&app, &actor, None, (connector, auth), None, None).await
}

/// `POST /connections`
pub async fn submit(State(app): State<App>, actor: Actor, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Problem> {
    let sent = Sent::of(pairs);
    let connector = app.registry.connector(&sent.connector).ok_or_else(Problem::not_found)?;
    let auth = connector.auth.iter().find(|it| it.id == sent.auth).ok_or_else(Problem::not_found)?;
    let new = New {
        connector: sent.connector.clone(),
        auth: Some(sent.auth.clone()),
        name: sent.name.clone(),
        fields: sent.fields(auth),
        hosts: vec![sent.hosts.clone()],
        sharing: sent.sharing(),
        people: sent.people.clone(),
    };
    match create(&app, &actor, new).await {
        Ok(id) => {
            // Where the service can say at once whether it works, it is asked.
            let asks = connector.test.as_ref().is_some_and(|probe| !probe.url.contains("connection.test_url"));
            if asks || connector.test.is_none() {
                let found = connections::find(&app.pool, actor.workspace, actor.person, id).await?;
                if let Err(error) = probe::test(&app.connections, actor.workspace, actor.person, &found, None).await {
                    tracing::info!(connection = %id, %error, "a new connection could not be tested");
                }
            }
            Ok(Redirect::to(&format!("/connections/{id}?done=connected")).into_response())
        }
        Err(problem) if !problem.fields.is_empty() => {
            form(&app, &actor, None, (connector, auth), Some(&sent), Some(problem)).await
        }
        Err(problem) => Err(problem),
    }
}
