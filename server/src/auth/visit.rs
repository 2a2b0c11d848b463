//! Where a request comes from: the address, the transport, the name it was sent to. Headers of proxies are believed only when
//! the proxy is one of ours.

use super::{Settings, forwarded::Told};
use crate::app::App;
use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use axum_extra::extract::CookieJar;
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};
use towpath_web::layout::{Page, Theme};
use uuid::Uuid;

/// The cookie that remembers light or dark.
pub const THEME_COOKIE: &str = "towpath-theme";

/// The listener puts this into the extensions of a request that came over TLS which this process ended.
#[derive(Clone, Copy, Debug)]
pub struct OverTls;

/// One request's way here. In the extensions of every request, and an extractor.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The caller's own address, behind trusted proxies too.
    pub address: IpAddr,
    pub https: bool,
    /// Was it sent to the public URL, over https?
    pub public: bool,
    /// Host and port as the browser knows them, lower case, default ports left out.
    pub authority: String,
    /// Does the traffic stay on this machine?
    pub local: bool,
    pub theme: Theme,
    /// Shown to the person when something breaks, and written to the log.
    pub request: Uuid,
    /// The key of a sentence to confirm what was just done, from `?done=`.
    pub done: Option<&'static str>,
}

impl Visit {
    /// The facts of a request.
    pub fn of(parts: &Parts, settings: &Settings) -> Self {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |connect| connect.0.ip().to_canonical());
        let trusted = |address: &IpAddr| settings.trusted_proxies.iter().any(|net| net.contains(address));
        let behind_proxy = trusted(&peer);
        let host = parts
            .uri
            .authority()
            .map(|authority| authority.as_str())
            .or_else(|| text(&parts.headers, header::HOST.as_str()))
            .unwrap_or_default();
        let told = if behind_proxy { Told::of(&parts.headers, trusted) } else { Told::default() };
        let authority = told.host.as_deref().unwrap_or(host).to_ascii_lowercase();

        let public_https = settings
            .public_url
            .as_ref()
            .is_some_and(|url| url.scheme() == "https" && super::csrf::authority_of(url) == without_port(&authority, "443"));
        let https = parts.extensions.get::<OverTls>().is_some() || told.proto.as_deref() == Some("https") || public_https;

        Self {
            address: told.address.unwrap_or(peer),
            https,
            public: public_https,
            local: peer.is_loopback() && is_loopback_name(&authority),
            authority: without_port(&authority, if https { "443" } else { "80" }).to_owned(),
            theme: CookieJar::from_headers(&parts.headers)
                .get(THEME_COOKIE)
                .map_or(Theme::System, |cookie| Theme::from_name(cookie.value())),
            request: Uuid::now_v7(),
            done: parts.uri.query().and_then(crate::pages::done::of_query),
        }
    }

    /// Would a password in this request be readable on its way?
    pub fn insecure(&self) -> bool {
        !self.https && !self.local
    }

    /// The address that people type, without a slash at its end.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.https { "https" } else { "http" }, self.authority)
    }

    /// The frame of a page for somebody who isn't signed in.
    pub fn page(&self, title: impl Into<String>) -> Page {
        Page {
            title: title.into(),
            theme: self.theme,
            insecure: self.insecure(),
            held: false,
            nav: None,
            notice: self.done.map(str::to_owned),
        }
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self::of(parts, &app.auth.settings)))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `localhost`, names below it, and loopback addresses.
fn is_loopback_name(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The authority without a port that is the scheme's own.
pub(super) fn without_port<'a>(authority: &'a str, port: &str) -> &'a str {
    authority.strip_suffix(port).and_then(|rest| rest.strip_suffix(':')).unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn visit(peer: &str, headers: &[(&str, &str)], settings: &Settings) -> Visit {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 5000)));
        Visit::of(&parts, settings)
    }

    fn behind(proxy: &str) -> Settings {
        Settings { trusted_proxies: vec![proxy.parse().unwrap()], public_url: None }
    }

    #[test]
    fn forwarded_headers_of_a_stranger_mean_nothing() {
        let seen = visit(
            "203.0.113.9",
            &[
                ("host", "towpath.example"),
                ("x-forwarded-for", "127.0.0.1"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "evil.example"),
            ],
            &behind("10.0.0.0/8"),
        );
        assert_eq!(
            (seen.address.to_string().as_str(), seen.https, seen.authority.as_str()),
            ("203.0.113.9", false, "towpath.example")
        );
        assert!(seen.insecure());
    }

    #[test]
    fn a_trusted_proxy_tells_address_scheme_and_name() {
        let seen = visit(
            "10.0.0.2",
            &[
                ("host", "inner:8080"),
                ("x-forwarded-for", "6.6.6.6, 203.0.113.9, 10.1.1.1"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "Towpath.example:443"),
            ],
            &behind("10.0.0.0/8"),
        );
        assert_eq!(
            (seen.address.to_string().as_str(), seen.https, seen.authority.as_str()),
            ("203.0.113.9", true, "towpath.example")
        );
        assert!(!seen.insecure());
    }

    #[test]
    fn only_a_loopback_peer_that_asked_for_a_loopback_name_is_local() {
        let local = |peer, host| visit(peer, &[("host", host)], &Settings::default()).local;
        assert!(local("127.0.0.1", "localhost:8080") && local("::1", "[::1]:8080") && local("127.0.0.1", "127.0.0.1"));
        assert!(!local("127.0.0.1", "towpath.example"), "a proxy on this machine that nobody told us about");
        assert!(!local("192.168.1.4", "localhost"));
        assert!(!local("127.0.0.1", "localhost.example"));
    }

    #[test]
    fn the_public_url_makes_its_own_name_https_and_no_other() {
        let settings = Settings { public_url: Some("https://towpath.example".parse().unwrap()), trusted_proxies: vec![] };
        assert!(visit("10.0.0.2", &[("host", "towpath.example")], &settings).https);
        assert!(!visit("127.0.0.1", &[("host", "localhost:8080")], &settings).https);
    }
}
