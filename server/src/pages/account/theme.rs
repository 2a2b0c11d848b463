//! Light, dark, or as the device has it. A cookie keeps it, so that a page is right from its first byte.

use super::{local_path, with_cookie};
use crate::auth::{Actor, visit::THEME_COOKIE};
use axum::{
    Form,
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use towpath_web::layout::Theme;
use url::Url;

#[derive(Deserialize)]
pub struct Input {
    #[serde(default)]
    theme: String,
}

/// `POST /theme`
pub async fn submit(actor: Actor, headers: HeaderMap, Form(input): Form<Input>) -> Response {
    // Back to the page with the switch; the referrer is ours, because the origin was checked.
    let back = headers
        .get(header::REFERER)
        .and_then(|value| value.to_str().ok()?.parse::<Url>().ok())
        .map(|url| url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path())));
    let secure = if actor.visit.https { "; Secure" } else { "" };
    let name = Theme::from_name(&input.theme).name();
    let cookie = format!("{THEME_COOKIE}={name}; Path=/; SameSite=Lax; HttpOnly; Max-Age=31536000{secure}");
    with_cookie(Redirect::to(local_path(back.as_deref().unwrap_or("/"))).into_response(), &cookie)
}
