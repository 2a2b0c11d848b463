//! What answers plain http where https is spoken: it sends browsers on, under this server's own names only, tells a certificate
//! authority what it asks for, and says whether the process is alive. It takes nothing in.

use super::{gate::LocalAddress, health, host::OwnNames};
use crate::{app::App, auth::csrf::authority_of, tls::Tls};
use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::Arc;
use url::Url;

struct Redirect {
    names: OwnNames,
    public: Option<Url>,
    /// Where https is spoken.
    port: u16,
}

/// The router for a plain listener, whose https is on `port`.
pub fn router(app: &App, tls: &Tls, port: u16) -> Router {
    let public = app.config.server.public_url.clone().filter(|url| url.scheme() == "https");
    let redirect = Arc::new(Redirect { names: OwnNames::of_this_machine(public.as_ref()), public, port });
    Router::new()
        .route("/.well-known/acme-challenge/{token}", get(proof).with_state(tls.clone()))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz).with_state(app.clone()))
        .fallback(send_on)
        .with_state(redirect)
}

async fn proof(State(tls): State<Tls>, Path(token): Path<String>) -> Response {
    match tls.http_proof(&token) {
        Some(answer) => ([(header::CONTENT_TYPE, "application/octet-stream")], answer).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn send_on(State(redirect): State<Arc<Redirect>>, uri: Uri, headers: HeaderMap, request: Request) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let local = request.extensions().get::<LocalAddress>().map_or([0, 0, 0, 0].into(), |local| local.0.ip());
    let target = redirect.names.include(host, local).then(|| redirect.target(host, &uri)).flatten();
    match target {
        // 308: a form's or a program's POST stays one.
        Some(target) => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, target)]).into_response(),
        None => (StatusCode::MISDIRECTED_REQUEST, "This server does not answer under that name.\n").into_response(),
    }
}

impl Redirect {
    /// The same page over https: at the public URL if it was asked for by that name, else under the name that was used.
    fn target(&self, host: &str, uri: &Uri) -> Option<String> {
        let rest = uri.path_and_query().map_or("/", |rest| rest.as_str());
        let asked: Authority = host.parse().ok()?;
        if let Some(public) =
            self.public.as_ref().filter(|url| url.host_str().is_some_and(|own| own.eq_ignore_ascii_case(asked.host())))
        {
            return Some(format!("https://{}{rest}", authority_of(public)));
        }
        let port = if self.port == 443 { String::new() } else { format!(":{}", self.port) };
        Some(format!("https://{}{port}{rest}", asked.host()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_to_the_same_page_over_https() {
        let public: Url = "https://flows.example.com".parse().unwrap();
        let redirect = |port| Redirect { names: OwnNames::new("box", Some(&public)), public: Some(public.clone()), port };
        let uri: Uri = "/runs?state=failed".parse().unwrap();
        assert_eq!(redirect(8470).target("Flows.example.com", &uri).unwrap(), "https://flows.example.com/runs?state=failed");
        assert_eq!(redirect(8470).target("192.168.1.5:8470", &uri).unwrap(), "https://192.168.1.5:8470/runs?state=failed");
        assert_eq!(redirect(443).target("[::1]:80", &uri).unwrap(), "https://[::1]/runs?state=failed");
        assert_eq!(redirect(443).target("a b", &uri), None);
    }
}
