//! The workspace's settings.

use crate::{
    api::workspaces::NewSettings,
    app::App,
    auth::{Actor, permission::Action},
    pages,
    people::{checked_name, is_email, languages},
    problem::Problem,
    store::workspaces::{self, Settings},
};
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use towpath_web::{
    form::Errors,
    layout::Area,
    settings::workspace::{Workspace, ZoneGroup},
};
use url::Url;

#[derive(Deserialize)]
pub struct Input {
    #[serde(default)]
    name: String,
    #[serde(default)]
    time_zone: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    alert_mail: String,
    #[serde(default)]
    alert_url: String,
}

impl From<NewSettings> for Input {
    fn from(sent: NewSettings) -> Self {
        Self {
            name: sent.name,
            time_zone: sent.time_zone,
            language: sent.language,
            alert_mail: sent.alert_mail.unwrap_or_default(),
            alert_url: sent.alert_url.unwrap_or_default(),
        }
    }
}

/// `GET /settings/workspace`
pub async fn show(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let now = workspaces::settings(&app.pool, actor.workspace).await?;
    let input = Input {
        name: now.name,
        time_zone: now.time_zone,
        language: now.language,
        alert_mail: now.alert_mail.unwrap_or_default(),
        alert_url: now.alert_url.unwrap_or_default(),
    };
    page(&app, &actor, input, Errors::default())
}

/// `POST /settings/workspace`
pub async fn submit(State(app): State<App>, actor: Actor, Form(input): Form<Input>) -> Result<Response, Problem> {
    match read(&input) {
        Ok(settings) => {
            workspaces::save_settings(&app.pool, actor.workspace, &settings).await?;
            Ok(Redirect::to("/settings/workspace?done=saved").into_response())
        }
        Err(errors) => page(&app, &actor, input, errors),
    }
}

/// What was typed, as settings; or what is wrong with it.
pub fn read(input: &Input) -> Result<Settings, Errors> {
    let mut errors = Errors::default();
    let name = checked_name("name", &input.name).unwrap_or_else(|_| {
        errors.add("name", "Write a name of at most 200 characters.");
        String::new()
    });
    let zone = input.time_zone.parse::<chrono_tz::Tz>();
    if zone.is_err() {
        errors.add("time_zone", "Pick a time zone from the list.");
    }
    let language = languages::of_tag(&input.language);
    if language.is_none() {
        errors.add("language", "Pick a language from the list.");
    }
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let alert_mail = given(&input.alert_mail);
    if alert_mail.as_deref().is_some_and(|mail| !is_email(mail)) {
        errors.add("alert_mail", "Write an address such as ada@example.com.");
    }
    let alert_url = given(&input.alert_url);
    if alert_url.as_deref().is_some_and(|url| !is_web_address(url)) {
        errors.add("alert_url", "Write a whole address that begins with https:// or http://.");
    }
    match (zone, language) {
        (Ok(zone), Some(language)) if errors.is_empty() => {
            Ok(Settings { name, time_zone: zone.name().to_owned(), language: language.to_owned(), alert_mail, alert_url })
        }
        _ => Err(errors),
    }
}

fn is_web_address(text: &str) -> bool {
    text.len() <= 2_000
        && !text.chars().any(char::is_control)
        && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn page(app: &App, actor: &Actor, input: Input, errors: Errors) -> Result<Response, Problem> {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = Workspace {
        page: actor.page("Workspace settings", Area::Settings),
        zones: zones(&input.time_zone),
        name: input.name,
        time_zone: input.time_zone,
        languages: languages::ALL,
        language: input.language,
        deletes: actor.role.may(Action::DeleteWorkspace),
        alert_mail: input.alert_mail,
        alert_url: input.alert_url,
        mail_works: app.config.mail.smtp.is_some(),
        errors,
    };
    Ok((status, pages::html(&view)?).into_response())
}

/// Region/city names only: the rest of the database is old spellings. A zone that is set already stays in the list.
fn zones(current: &str) -> Vec<ZoneGroup> {
    const REGIONS: [&str; 9] =
        ["Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific", "Antarctica"];
    let names = || chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let in_region = |region: &str, name: &str| name.split_once('/').is_some_and(|(first, _)| first == region);
    let mut groups = vec![ZoneGroup { region: "Everywhere", zones: vec!["UTC"] }];
    if let Some(other) =
        names().find(|name| *name == current && *name != "UTC" && !REGIONS.iter().any(|region| in_region(region, name)))
    {
        groups[0].zones.push(other);
    }
    groups.extend(REGIONS.map(|region| ZoneGroup { region, zones: names().filter(|name| in_region(region, name)).collect() }));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> Input {
        Input {
            name: "Home".into(),
            time_zone: "Europe/Berlin".into(),
            language: "de-DE".into(),
            alert_mail: String::new(),
            alert_url: String::new(),
        }
    }

    #[test]
    fn alerts_are_optional_and_checked() {
        assert_eq!(read(&input()).unwrap().alert_mail, None);
        let errors =
            read(&Input { alert_mail: "nobody".into(), alert_url: "javascript:alert(1)".into(), ..input() }).unwrap_err();
        assert!(errors.of("alert_mail").is_some() && errors.of("alert_url").is_some() && errors.of("name").is_none());
        assert!(read(&Input { alert_url: "https://chat.example/hook".into(), ..input() }).is_ok());
    }

    #[test]
    fn the_zone_that_is_set_is_in_the_list() {
        for current in ["UTC", "Europe/Berlin", "Cuba"] {
            assert_eq!(
                zones(current).iter().flat_map(|group| &group.zones).filter(|zone| **zone == current).count(),
                1,
                "{current}"
            );
        }
        assert!(read(&Input { time_zone: "Mars/Base".into(), ..input() }).is_err());
        assert!(read(&Input { language: "tlh".into(), ..input() }).is_err());
    }
}
