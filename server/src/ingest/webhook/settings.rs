//! A webhook trigger's settings, read from the document once and then used in typed form only. What can't be read is an issue
//! that blocks publishing, and a trigger with such an issue lets nobody in.

use super::verify::{Algorithm, Encoding, List, Scheme, SecretForm};
use axum::http::{HeaderName, Method};
use ipnet::IpNet;
use std::{net::IpAddr, time::Duration};
use towpath_engine::{Json, Object, workflow::Span};
use url::Url;

/// A webhook's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    pub methods: Vec<Method>,
    pub respond: Respond,
    pub auth: Auth,
    /// Where this sender puts the id of a delivery, when not in `webhook-id` or `idempotency-key`.
    pub delivery_header: Option<HeaderName>,
    /// The form field in which the sender wraps its JSON, when it sends forms.
    pub form_payload: Option<&'static str>,
    /// Origins (`https://example.com`) whose pages may call; `*` is any.
    pub cors_origins: Vec<String>,
    /// Where a browser goes after it posted a form here.
    pub redirect: Option<Url>,
    /// Empty: from anywhere.
    pub allowed_addresses: Vec<IpNet>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Respond {
    /// 202 as soon as the event is on disk.
    AtOnce,
    /// What the run's Respond step says, within this time.
    WhenDone(Duration),
}

/// What callers show.
#[derive(Clone, Debug)]
pub enum Auth {
    None,
    /// The password is the secret.
    Basic {
        user: String,
    },
    /// A header whose value is the secret.
    Header {
        name: HeaderName,
    },
    Signed(Scheme),
}

impl Auth {
    pub fn needs_secret(&self) -> bool {
        !matches!(self, Self::None)
    }
}

/// A setting that can't be used: the input field, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub field: &'static str,
    pub message: String,
}

const LONGEST_WAIT: Duration = Duration::from_secs(300);
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

impl Settings {
    /// Reads a trigger's `input`; all mistakes at once.
    pub fn read(input: &Object) -> Result<Self, Vec<Wrong>> {
        let mut form = Form { input, wrong: Vec::new() };
        let preset = form.preset();
        let settings = Self {
            methods: form.methods(),
            respond: form.respond(),
            auth: form.auth(preset),
            delivery_header: form.header("delivery_header").or_else(|| preset.and_then(Preset::delivery_header)),
            form_payload: preset.and_then(Preset::form_payload),
            cors_origins: form.origins(),
            redirect: form.url("redirect"),
            allowed_addresses: form.networks(),
        };
        if form.wrong.is_empty() { Ok(settings) } else { Err(form.wrong) }
    }

    /// May a caller with this address call? An address that isn't known is outside every list.
    pub fn allows(&self, address: Option<IpAddr>) -> bool {
        self.allowed_addresses.is_empty()
            || address
                .is_some_and(|address| self.allowed_addresses.iter().any(|network| network.contains(&address.to_canonical())))
    }

    /// Would [`Auth`] without its secret let somebody in? Never: this says what is missing.
    pub fn secret_missing(&self) -> Option<Wrong> {
        let message = match &self.auth {
            Auth::None => return None,
            Auth::Basic { .. } => "Set the password that callers send. Until then nobody is let in.",
            Auth::Header { .. } => "Set the token that callers send. Until then nobody is let in.",
            Auth::Signed(_) => "Set the secret that callers sign with. Until then nobody is let in.",
        };
        Some(Wrong { field: "auth", message: message.into() })
    }
}

/// Senders whose way of signing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    Github,
    Stripe,
    Shopify,
    Slack,
    Gitlab,
}

impl Preset {
    fn auth(self) -> Auth {
        let plain = |header, encoding, prefix: &str, timestamp, message: &str| {
            Auth::Signed(Scheme {
                header: HeaderName::from_static(header),
                algorithm: Algorithm::Sha256,
                encoding,
                list: List::One { prefix: prefix.into() },
                timestamp_header: timestamp,
                message: message.into(),
                secret: SecretForm::Text,
            })
        };
        match self {
            // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
            Self::Github => plain("x-hub-signature-256", Encoding::Hex, "sha256=", None, "{body}"),
            // https://docs.stripe.com/webhooks#verify-manually
            Self::Stripe => Auth::Signed(Scheme {
                header: HeaderName::from_static("stripe-signature"),
                algorithm: Algorithm::Sha256,
                encoding: Encoding::Hex,
                list: List::Stripe,
                timestamp_header: None,
                message: "{timestamp}.{body}".into(),
                secret: SecretForm::Text,
            }),
            // https://shopify.dev/docs/apps/build/webhooks/subscribe/https
            Self::Shopify => plain("x-shopify-hmac-sha256", Encoding::Base64, "", None, "{body}"),
            // https://docs.slack.dev/authentication/verifying-requests-from-slack
            Self::Slack => plain(
                "x-slack-signature",
                Encoding::Hex,
                "v0=",
                Some(HeaderName::from_static("x-slack-request-timestamp")),
                "v0:{timestamp}:{body}",
            ),
            // https://docs.gitlab.com/user/project/integrations/webhooks
            Self::Gitlab => Auth::Header { name: HeaderName::from_static("x-gitlab-token") },
        }
    }

    /// GitHub and Slack can send `payload=<JSON>` in place of JSON.
    fn form_payload(self) -> Option<&'static str> {
        matches!(self, Self::Github | Self::Slack).then_some("payload")
    }

    fn delivery_header(self) -> Option<HeaderName> {
        match self {
            Self::Github => Some(HeaderName::from_static("x-github-delivery")),
            Self::Shopify => Some(HeaderName::from_static("x-shopify-webhook-id")),
            Self::Gitlab => Some(HeaderName::from_static("x-gitlab-webhook-uuid")),
            Self::Stripe | Self::Slack => None,
        }
    }
}

struct Form<'a> {
    input: &'a Object,
    wrong: Vec<Wrong>,
}

impl Form<'_> {
    fn wrong(&mut self, field: &'static str, message: impl Into<String>) {
        self.wrong.push(Wrong { field, message: message.into() });
    }

    /// A text that isn't blank.
    fn text(&self, field: &str) -> Option<&str> {
        self.input.get(field).and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty())
    }

    /// A list of lines, or one text with lines.
    fn lines(&self, field: &str) -> Vec<String> {
        let texts: Vec<&str> = match self.input.get(field) {
            Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).collect(),
            Some(Json::String(text)) => text.split(['\n', ',']).collect(),
            _ => Vec::new(),
        };
        texts.into_iter().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    fn choice<T: Copy>(&mut self, field: &'static str, default: T, options: &[(&str, T)]) -> T {
        let Some(text) = self.text(field) else { return default };
        if let Some((_, value)) = options.iter().find(|(name, _)| *name == text) {
            return *value;
        }
        let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
        let message = format!("\"{text}\" is not one of the choices: {}.", names.join(", "));
        self.wrong(field, message);
        default
    }

    fn header(&mut self, field: &'static str) -> Option<HeaderName> {
        let text = self.text(field)?.to_owned();
        let name = HeaderName::try_from(text.as_str()).ok();
        if name.is_none() {
            self.wrong(field, format!("\"{text}\" can't be the name of a header; use letters, digits and hyphens."));
        }
        name
    }

    fn methods(&mut self) -> Vec<Method> {
        let mut methods = Vec::new();
        for name in self.lines("methods") {
            match METHODS.iter().find(|method| method.as_str().eq_ignore_ascii_case(&name)) {
                Some(method) if !methods.contains(method) => methods.push(method.clone()),
                Some(_) => {}
                None => {
                    self.wrong("methods", format!("\"{name}\" can't start a run; choose from GET, POST, PUT, PATCH and DELETE."));
                }
            }
        }
        if methods.is_empty() { vec![Method::POST] } else { methods }
    }

    fn respond(&mut self) -> Respond {
        if !self.choice("respond", false, &[("at_once", false), ("when_done", true)]) {
            return Respond::AtOnce;
        }
        let Some(text) = self.text("timeout") else { return Respond::WhenDone(Duration::from_secs(30)) };
        match text.parse::<Span>() {
            Ok(Span(within)) if !within.is_zero() && within <= LONGEST_WAIT => Respond::WhenDone(within),
            Ok(_) => {
                self.wrong("timeout", "A caller can be kept waiting for at most 5 minutes, and for more than nothing.");
                Respond::AtOnce
            }
            Err(message) => {
                self.wrong("timeout", message);
                Respond::AtOnce
            }
        }
    }

    fn preset(&mut self) -> Option<Preset> {
        if self.text("auth") != Some("hmac") {
            return None;
        }
        // The form shows its first choice until somebody picks another.
        let unpicked = if self.text("hmac_header").is_some() { None } else { Some(Preset::Github) };
        self.choice(
            "preset",
            unpicked,
            &[
                ("custom", None),
                ("github", Some(Preset::Github)),
                ("stripe", Some(Preset::Stripe)),
                ("shopify", Some(Preset::Shopify)),
                ("slack", Some(Preset::Slack)),
                ("gitlab", Some(Preset::Gitlab)),
            ],
        )
    }

    fn auth(&mut self, preset: Option<Preset>) -> Auth {
        #[derive(Clone, Copy)]
        enum Kind {
            None,
            Basic,
            Header,
            Standard,
            Hmac,
        }
        let kinds = [
            ("none", Kind::None),
            ("basic", Kind::Basic),
            ("header", Kind::Header),
            ("standard_webhooks", Kind::Standard),
            ("hmac", Kind::Hmac),
        ];
        match (self.choice("auth", Kind::None, &kinds), preset) {
            (Kind::None, _) => Auth::None,
            (Kind::Basic, _) => match self.text("basic_user") {
                Some(user) if user.contains(':') => {
                    self.wrong("basic_user", "A user name in basic authentication can't hold a colon.");
                    Auth::None
                }
                Some(user) => Auth::Basic { user: user.to_owned() },
                None => {
                    self.wrong("basic_user", "Say which user name callers send.");
                    Auth::None
                }
            },
            (Kind::Header, _) if self.text("header_name").is_none() => {
                Auth::Header { name: HeaderName::from_static("x-webhook-token") }
            }
            (Kind::Header, _) => self.header("header_name").map_or(Auth::None, |name| Auth::Header { name }),
            (Kind::Standard, _) => Auth::Signed(Scheme::standard_webhooks()),
            (Kind::Hmac, Some(preset)) => preset.auth(),
            (Kind::Hmac, None) => self.custom(),
        }
    }

    fn custom(&mut self) -> Auth {
        if self.text("hmac_header").is_none() {
            self.wrong("hmac_header", "Say in which header the signature comes, for example X-Signature.");
        }
        let Some(header) = self.header("hmac_header") else { return Auth::None };
        let algorithms = [("sha256", Algorithm::Sha256), ("sha1", Algorithm::Sha1), ("sha512", Algorithm::Sha512)];
        let algorithm = self.choice("hmac_algorithm", Algorithm::Sha256, &algorithms);
        let encoding = self.choice("hmac_encoding", Encoding::Hex, &[("hex", Encoding::Hex), ("base64", Encoding::Base64)]);
        let prefix = self.text("hmac_prefix").unwrap_or_default().to_owned();
        let timestamp_header = self.header("hmac_timestamp_header");
        let message = self.text("hmac_message").unwrap_or("{body}").to_owned();
        if !message.contains("{body}") {
            self.wrong("hmac_message", "The signed message must hold {body}; otherwise anybody could change the body.");
        }
        match (message.contains("{timestamp}"), timestamp_header.is_some()) {
            (true, false) => {
                self.wrong("hmac_timestamp_header", "The signed message holds {timestamp}: say in which header it comes.")
            }
            (false, true) => {
                self.wrong("hmac_message", "A time that isn't signed proves nothing: put {timestamp} into the signed message.")
            }
            _ => {}
        }
        let list = List::One { prefix };
        Auth::Signed(Scheme { header, algorithm, encoding, list, timestamp_header, message, secret: SecretForm::Text })
    }

    fn origins(&mut self) -> Vec<String> {
        let mut origins = Vec::new();
        for line in self.lines("cors_origins") {
            let origin = Url::parse(&line).ok().map(|url| url.origin()).filter(url::Origin::is_tuple);
            match origin {
                _ if line == "*" => origins.push(line),
                Some(origin) if line.starts_with("http") => origins.push(origin.ascii_serialization()),
                _ => self.wrong("cors_origins", format!("\"{line}\" is not an origin; write https://example.com, or * for any.")),
            }
        }
        origins
    }

    fn url(&mut self, field: &'static str) -> Option<Url> {
        let text = self.text(field)?.to_owned();
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if url.is_none() {
            self.wrong(field, format!("\"{text}\" is not an address to go to; write it in full, as https://example.com/thanks."));
        }
        url
    }

    fn networks(&mut self) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for line in self.lines("allowed_addresses") {
            match line.parse::<IpNet>().ok().or_else(|| line.parse::<IpAddr>().ok().map(IpNet::from)) {
                Some(network) => networks.push(network),
                None => self.wrong(
                    "allowed_addresses",
                    format!("\"{line}\" is neither an address nor a network; write 203.0.113.7 or 203.0.113.0/24."),
                ),
            }
        }
        networks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(input: Json) -> Result<Settings, Vec<Wrong>> {
        Settings::read(input.as_object().unwrap())
    }

    #[test]
    fn a_bare_webhook_takes_post_from_anybody_and_answers_at_once() {
        let settings = read(json!({})).unwrap();
        assert_eq!(settings.methods, [Method::POST]);
        assert_eq!(settings.respond, Respond::AtOnce);
        assert!(matches!(settings.auth, Auth::None));
        assert!(settings.allows(None));
    }

    #[test]
    fn every_mistake_is_said_at_once_and_at_its_field() {
        let wrong = read(json!({
            "methods": ["HEAD"], "respond": "later", "auth": "header", "header_name": "ä", "cors_origins": ["example.com"], "redirect": "javascript:alert(1)",
            "allowed_addresses": ["10.0.0.1/40"], "delivery_header": "a b",
        }))
        .unwrap_err();
        let fields: Vec<_> = wrong.iter().map(|it| it.field).collect();
        assert_eq!(
            fields,
            ["methods", "respond", "header_name", "delivery_header", "cors_origins", "redirect", "allowed_addresses"]
        );
    }

    #[test]
    fn a_signed_message_without_the_body_or_with_an_unsigned_time_is_a_mistake() {
        let hmac = |more: Json| {
            let mut input = json!({ "auth": "hmac", "hmac_header": "x-sig" });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            read(input).map(|_| ()).map_err(|wrong| wrong[0].field)
        };
        assert_eq!(hmac(json!({})), Ok(()));
        assert_eq!(hmac(json!({ "hmac_message": "{timestamp}" })), Err("hmac_message"));
        assert_eq!(hmac(json!({ "hmac_message": "{timestamp}.{body}" })), Err("hmac_timestamp_header"));
        assert_eq!(hmac(json!({ "hmac_timestamp_header": "x-time" })), Err("hmac_message"));
    }

    #[test]
    fn an_address_list_matches_networks_and_not_prefixes_of_text() {
        let settings = read(json!({ "allowed_addresses": ["10.0.0.1", "192.168.4.0/22", "2001:db8::/32"] })).unwrap();
        for (address, allowed) in [
            ("10.0.0.1", true),
            ("10.0.0.11", false),
            ("192.168.7.255", true),
            ("192.168.8.1", false),
            ("2001:db8:1::1", true),
            ("::ffff:10.0.0.1", true),
            ("::1", false),
        ] {
            assert_eq!(settings.allows(Some(address.parse().unwrap())), allowed, "{address}");
        }
        assert!(!settings.allows(None), "an unknown address is outside every list");
    }

    #[test]
    fn a_preset_brings_its_delivery_header_and_the_trigger_may_name_another() {
        let github = read(json!({ "auth": "hmac", "preset": "github" })).unwrap();
        assert_eq!(github.delivery_header.unwrap(), "x-github-delivery");
        let own = read(json!({ "auth": "hmac", "preset": "github", "delivery_header": "X-Event" })).unwrap();
        assert_eq!(own.delivery_header.unwrap(), "x-event");
    }
}
