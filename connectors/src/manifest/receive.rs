//! A trigger of a manifest that the service calls: verified over the raw bytes, read, filtered. Pure.

use super::{
    answer,
    compile::{DELIVERY, EVENT, Fault, Inputs, Shaping, VERIFY, at, text_at, whole_at},
    document::{Algorithm, Encoding, Per, Trigger, Webhook},
    input::Input,
};
use crate::sdk::{
    receive::{Address, HookSecrets, Inbound, NewEvent, NotReceived, Receive as Hear, Received},
    value,
};
use base64::Engine as _;
use hmac::{Hmac, KeyInit, Mac};
use indexmap::IndexMap;
use serde_json::json;
use subtle::ConstantTimeEq;
use towpath_engine::{
    Json, Object,
    expr::{Context, ResolvedPiece, Template},
};
use uuid::Uuid;

/// A trigger that the service calls.
pub struct Receive {
    address: Address,
    verify: Verify,
    inputs: Inputs,
    form_field: Option<String>,
    handshake: Option<(Template, Greeting)>,
    delivery: Option<Template>,
    account: Option<Template>,
    item: Option<Template>,
    items: Option<Template>,
    keep_if: Option<Template>,
    key: Option<Template>,
    output: Shaping,
    setup: String,
}

enum Greeting {
    Json(Template),
    Text(Template),
}

struct Verify {
    algorithm: Algorithm,
    /// The name of the secret.
    secret: String,
    message: Template,
    signature: Template,
    prefix: String,
    encoding: Encoding,
    timestamp: Option<(Template, i64)>,
}

impl Receive {
    pub fn compile(id: &str, trigger: &Trigger, hook: &Webhook, inputs: &IndexMap<String, Input>) -> Result<Self, Fault> {
        let path = format!("triggers.{id}.webhook");
        let optional = |name: &str, text: &Option<String>, names| {
            text.as_ref().map(|text| text_at(&format!("{path}.{name}"), text, names)).transpose()
        };
        let test = |name: &str, text: &Option<String>, names| {
            text.as_ref().map(|text| whole_at(&format!("{path}.{name}"), text, names)).transpose()
        };
        if hook.item.is_some() && hook.items.is_some() {
            return Err(Fault::new(&path, "a delivery has one item or items, not both"));
        }
        if (hook.per == Per::App) != hook.route.is_some() {
            return Err(Fault::new(&path, "route is needed with per: app, and only there"));
        }
        let handshake = hook.handshake.as_ref().map(|handshake| {
            let path = format!("{path}.handshake");
            let greeting = match (&handshake.json, &handshake.text) {
                (Some(json), None) => Greeting::Json(at(&format!("{path}.json"), json, DELIVERY)?),
                (None, Some(text)) => Greeting::Text(text_at(&format!("{path}.text"), text, DELIVERY)?),
                _ => return Err(Fault::new(&path, "a handshake answers with json or with text")),
            };
            Ok((whole_at(&format!("{path}.if"), &handshake.test, DELIVERY)?, greeting))
        });
        let route = hook.route.as_ref().map(|route| route.account.clone());
        Ok(Self {
            address: match hook.per {
                Per::Workflow => Address::Workflow,
                Per::App => Address::App,
            },
            verify: Verify::compile(&format!("{path}.verify"), &hook.verify)?,
            inputs: Inputs::compile(&format!("triggers.{id}"), inputs)?,
            form_field: hook.form_field.clone(),
            handshake: handshake.transpose()?,
            delivery: optional("delivery", &hook.delivery, DELIVERY)?,
            account: optional("route.account", &route, DELIVERY)?,
            item: test("item", &hook.item, DELIVERY)?,
            items: test("items", &hook.items, DELIVERY)?,
            keep_if: test("keep_if", &hook.keep_if, EVENT)?,
            key: optional("key", &hook.key, EVENT)?,
            output: Shaping::compile(&format!("triggers.{id}"), trigger.output.as_ref(), EVENT)?,
            setup: hook.setup.clone(),
        })
    }

    /// What expressions see as `request`.
    fn request(&self, inbound: &Inbound<'_>) -> Result<Json, NotReceived> {
        let form = inbound
            .headers
            .get(http::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
        let body = if form {
            let fields: Vec<(String, String)> = url::form_urlencoded::parse(inbound.body).into_owned().collect();
            match &self.form_field {
                Some(name) => {
                    let text = fields.iter().find(|(field, _)| field == name).map(|(_, text)| text.as_str());
                    let text = text.ok_or_else(|| NotReceived::Unreadable(format!("The form has no field “{name}”.")))?;
                    read(text.as_bytes())?
                }
                None => Json::Object(fields.into_iter().map(|(name, text)| (name, text.into())).collect()),
            }
        } else if inbound.body.is_empty() {
            Json::Null
        } else {
            read(inbound.body)?
        };
        let query: Object = url::form_urlencoded::parse(inbound.query.as_bytes())
            .map(|(name, text)| (name.into_owned(), text.into_owned().into()))
            .collect();
        Ok(json!({ "method": inbound.method, "headers": answer::headers(inbound.headers), "query": query, "body": body }))
    }

    fn greet(&self, greeting: &Greeting, context: &Context) -> Result<Received, NotReceived> {
        let unreadable = |error: towpath_engine::expr::ExprError| NotReceived::Unreadable(error.to_string());
        let (content_type, body) = match greeting {
            Greeting::Json(template) => {
                ("application/json", template.resolve(context).map_err(unreadable)?.unwrap_or_default().to_string())
            }
            Greeting::Text(template) => (
                "text/plain; charset=utf-8",
                template.resolve(context).map_err(unreadable)?.as_ref().map(value::text).unwrap_or_default(),
            ),
        };
        Ok(Received::Handshake { status: 200, content_type: content_type.into(), body: body.into_bytes() })
    }
}

fn read(bytes: &[u8]) -> Result<Json, NotReceived> {
    match towpath_engine::json::read(bytes) {
        Ok(read) if towpath_engine::json::check_depth(&read.value, towpath_engine::json::STORED_DEPTH - 10).is_ok() => {
            Ok(read.value)
        }
        Ok(_) => Err(NotReceived::Unreadable("The delivery nests too deep.".into())),
        Err(error) => Err(NotReceived::Unreadable(format!("The delivery is no JSON: {error}"))),
    }
}

impl Hear for Receive {
    fn receive(&self, inbound: &Inbound<'_>, input: &Object, secrets: &HookSecrets) -> Result<Received, NotReceived> {
        self.verify.check(inbound, secrets)?;
        let roots = Object::from_iter([
            ("request".to_owned(), self.request(inbound)?),
            ("input".to_owned(), Json::Object(self.inputs.complete(input).unwrap_or_else(|_| input.clone()))),
        ]);
        let mut context = Context::named(roots, Uuid::nil(), inbound.now);
        if let Some((_, greeting)) = self.handshake.as_ref().filter(|(test, _)| answer::holds(test, &context)) {
            return self.greet(greeting, &context);
        }
        let text = |template: &Option<Template>, context: &Context| {
            let value = template.as_ref()?.resolve(context).ok().flatten()?;
            Some(value::text(&value)).filter(|text| !text.is_empty())
        };
        let (delivery, account) = (text(&self.delivery, &context), text(&self.account, &context));
        let unreadable = |error: towpath_engine::expr::ExprError| NotReceived::Unreadable(error.to_string());
        let items = match (&self.items, &self.item) {
            (Some(items), _) => match items.resolve(&context).map_err(unreadable)? {
                Some(Json::Array(items)) => items,
                _ => Vec::new(),
            },
            (None, Some(item)) => item.resolve(&context).map_err(unreadable)?.into_iter().collect(),
            (None, None) => vec![self.body(&context)],
        };
        let mut events = Vec::with_capacity(items.len());
        for item in items {
            context.set_named("item", item);
            if !self.keep_if.as_ref().is_none_or(|test| answer::holds(test, &context)) {
                continue;
            }
            let key = text(&self.key, &context);
            let value = self.output.item(&mut context).map_err(|error| NotReceived::Unreadable(error.message))?;
            events.push(NewEvent { delivery: delivery.clone(), key, account: account.clone(), value });
        }
        if events.is_empty() {
            return Ok(Received::Ignored("The delivery is about something else than this trigger.".into()));
        }
        Ok(Received::Events(events))
    }

    fn address(&self) -> Address {
        self.address
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.verify.secret.clone()]
    }

    fn setup(&self) -> &str {
        &self.setup
    }
}

impl Receive {
    fn body(&self, context: &Context) -> Json {
        static BODY: std::sync::LazyLock<Template> =
            std::sync::LazyLock::new(|| text_at("", "{{ request.body }}", DELIVERY).expect("the expression is a constant"));
        BODY.resolve(context).ok().flatten().unwrap_or_default()
    }
}

impl Verify {
    fn compile(path: &str, spec: &super::document::Verify) -> Result<Self, Fault> {
        let secret = whole_at(&format!("{path}.secret"), &spec.secret, VERIFY)?;
        let name = match secret.paths().as_slice() {
            [path] => path.strip_prefix("secret.").filter(|name| !name.contains(['.', '['])).map(ToOwned::to_owned),
            _ => None,
        };
        let secret =
            name.ok_or_else(|| Fault::new(format!("{path}.secret"), "name one secret, as in {{ secret.signing_secret }}"))?;
        let message = text_at(&format!("{path}.message"), &spec.message, VERIFY)?;
        let signature = whole_at(&format!("{path}.equals"), &spec.equals, VERIFY)?;
        for (name, template) in [("message", &message), ("equals", &signature)] {
            if template.paths().iter().any(|path| path.starts_with("secret")) {
                return Err(Fault::new(format!("{path}.{name}"), "the secret is the key of the signature and no part of it"));
            }
        }
        if !message.paths().iter().any(|path| path == "request.raw") {
            return Err(Fault::new(
                format!("{path}.message"),
                "a signature that doesn't cover request.raw proves nothing about the body",
            ));
        }
        let timestamp = match (&spec.timestamp, spec.max_age) {
            (Some(text), Some(age)) if age > 0 => Some((whole_at(&format!("{path}.timestamp"), text, VERIFY)?, age)),
            (None, None) => None,
            _ => return Err(Fault::new(path, "timestamp and max_age belong together")),
        };
        if let Some((template, _)) = &timestamp
            && !template.paths().iter().all(|path| message.paths().contains(path))
        {
            return Err(Fault::new(
                format!("{path}.timestamp"),
                "the time must be part of the signed message, or anybody could change it",
            ));
        }
        Ok(Self {
            algorithm: spec.hmac,
            secret,
            message,
            signature,
            prefix: spec.prefix.clone(),
            encoding: spec.encoding,
            timestamp,
        })
    }

    fn check(&self, inbound: &Inbound<'_>, secrets: &HookSecrets) -> Result<(), NotReceived> {
        let no = |why: &str| Err(NotReceived::Unverified(why.into()));
        let Some(key) = secrets.0.get(&self.secret).filter(|key| !key.is_empty()) else {
            return no("No secret is set for this trigger, so nothing can be verified.");
        };
        let request = json!({ "method": inbound.method, "headers": answer::headers(inbound.headers), "raw": "" });
        let context = Context::named(Object::from_iter([("request".to_owned(), request)]), Uuid::nil(), inbound.now);
        let text = |template: &Template| template.resolve(&context).ok().flatten().as_ref().map(value::text);
        let Some(given) = text(&self.signature).filter(|given| !given.is_empty()) else {
            return no("The delivery is not signed.");
        };
        if let Some((template, most)) = &self.timestamp {
            let Some(at) = text(template).and_then(|at| at.trim().parse::<i64>().ok()) else {
                return no("The delivery doesn't say when it was signed.");
            };
            if (inbound.now.timestamp() - at).saturating_abs() > *most {
                return no("The signature is too old, or this server's clock is wrong.");
            }
        }
        let mut message = Vec::with_capacity(inbound.body.len() + 64);
        let Ok(pieces) = self.message.resolve_pieces(&context) else { return no("What is signed could not be put together.") };
        for piece in pieces {
            match piece {
                ResolvedPiece::Literal(text) => message.extend_from_slice(text.as_bytes()),
                ResolvedPiece::Value { path, .. } if path.as_deref() == Some("request.raw") => {
                    message.extend_from_slice(inbound.body)
                }
                ResolvedPiece::Value { value, .. } => {
                    message.extend_from_slice(value.as_ref().map(value::text).unwrap_or_default().as_bytes());
                }
            }
        }
        let Some(given) = given.strip_prefix(&self.prefix).and_then(|given| self.decode(given.trim())) else {
            return no("The signature is written in another way than the service's.");
        };
        if bool::from(self.sign(key, &message).ct_eq(&given)) { Ok(()) } else { no("The signature is wrong: check the secret.") }
    }

    fn decode(&self, text: &str) -> Option<Vec<u8>> {
        match self.encoding {
            Encoding::Hex => hex::decode(text).ok(),
            Encoding::Base64 => base64::engine::general_purpose::STANDARD.decode(text).ok(),
        }
    }

    fn sign(&self, key: &[u8], message: &[u8]) -> Vec<u8> {
        fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
            let mut mac = <M as KeyInit>::new_from_slice(key).expect("a key of any length");
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        }
        match self.algorithm {
            Algorithm::Sha1 => mac::<Hmac<sha1::Sha1>>(key, message),
            Algorithm::Sha256 => mac::<Hmac<sha2::Sha256>>(key, message),
            Algorithm::Sha512 => mac::<Hmac<sha2::Sha512>>(key, message),
        }
    }
}
