//! One's own account as a page.

use crate::{
    app::App,
    auth::{Actor, session},
    pages,
    problem::Problem,
    store::sessions,
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::SecondsFormat;
use towpath_web::{
    form::Errors,
    layout::Area,
    settings::account::{Account, SessionRow},
};

/// `GET /settings`
pub async fn show(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let name = actor.name.clone();
    page(&app, &actor, name, Errors::default()).await
}

/// The page, with the name as it was typed and what is wrong.
pub(super) async fn page(app: &App, actor: &Actor, name: String, errors: Errors) -> Result<Response, Problem> {
    let now = app.clock.now();
    let sessions = sessions::list(&app.pool, actor.person, now, now - session::IDLE)
        .await?
        .into_iter()
        .map(|row| SessionRow {
            current: row.id_hash == actor.session,
            key: hex::encode(&row.id_hash),
            device: device(&row.user_agent),
            address: row.address,
            signed_in: row.created_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            seen: row.seen_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        })
        .collect();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = Account { page: actor.page("Your account", Area::Settings), name, email: actor.email.clone(), errors, sessions };
    Ok((status, pages::html(&view)?).into_response())
}

/// "Firefox on Linux", from what browsers say of themselves; they say it in layers, so the order matters.
fn device(user_agent: &str) -> String {
    let first = |known: &[(&str, &'static str)]| known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name);
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("HeadlessChrome/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "An unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_named_as_people_name_them() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1";
        assert_eq!(device(chrome), "Chrome on Linux");
        assert_eq!(device(edge), "Edge on Windows");
        assert_eq!(device(phone), "Safari on iPhone");
        assert_eq!(device(""), "An unknown browser");
    }
}
