//! Is this server reached where people and services look for it?

use crate::{
    app::App,
    auth::Actor,
    pages,
    problem::Problem,
    reachability::{Reach, State as Found},
    store::instance,
};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use towpath_web::{
    layout::Area,
    settings::reachability::{FindingRow, Held, Reachability},
};

/// `GET /settings/reachability`
pub async fn show(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let report = match app.reachability.last() {
        Some(report) => report,
        None => app.reachability.look(&app).await,
    };
    let findings = report.findings.iter().map(|finding| {
        let (tone, word) = match finding.state {
            Found::Good => ("ok", "good"),
            Found::Warning => ("wait", "look at this"),
            Found::Bad => ("bad", "broken"),
            Found::Unknown => ("", "unknown"),
        };
        FindingRow { about: finding.about, tone, word, said: finding.said.clone(), advice: finding.advice.clone() }
    });
    pages::html(&Reachability {
        page: actor.page("Reachability", Area::Settings),
        checked_at: Some(report.checked_at.to_rfc3339()),
        webhooks: in_words(report.webhooks),
        findings: findings.collect(),
        held: instance::held(&app.pool).await?.map(|hold| Held { because: hold.because }),
    })
}

/// `POST /settings/reachability`
pub async fn check(State(app): State<App>) -> Result<Response, Problem> {
    app.reachability.look(&app).await;
    Ok(Redirect::to("/settings/reachability").into_response())
}

fn in_words(reach: Reach) -> &'static str {
    match reach {
        Reach::Reachable => "Webhooks reach this server at its public address.",
        Reach::NotReachable => "Webhooks do not reach this server at its public address.",
        Reach::Unknown => "Nobody knows whether webhooks from outside reach this server.",
    }
}
