//! From a compiled request and its values to the exact request. Pure: nothing is sent, and it refuses hosts that the manifest
//! doesn't declare and values that would climb out of their place in the path.

use super::compile::{Body, Plan, Service};
use crate::sdk::{mask, show, value};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use towpath_engine::{
    Json, Object,
    error::{ErrorKind, StepError},
    expr::{Context, ResolvedPiece, Template},
};
use url::Url;

/// What stays as it is in one segment of a path: RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request that could be sent as it is, but for the sign-in.
#[derive(Clone, Debug)]
pub struct Ready {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Ready {
    /// The request that the values in `context` make.
    pub fn build(service: &Service, plan: &Plan, context: &Context) -> Result<Self, StepError> {
        let mut url = address(service, plan, context)?;
        let query = object(&plan.query, context)?;
        let pairs = pairs(&query);
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        let mut headers = HeaderMap::new();
        for fields in [object(&service.headers, context)?, object(&plan.headers, context)?] {
            for (name, value) in &fields {
                let (name, value) = header(name, value)?;
                headers.insert(name, value);
            }
        }
        let body = match &plan.body {
            Body::Empty => Bytes::new(),
            Body::Json(template) => {
                headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json; charset=utf-8"));
                template.resolve(context)?.unwrap_or(Json::Null).to_string().into()
            }
            Body::Form(template) => {
                headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/x-www-form-urlencoded"));
                let fields = object(template, context)?;
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(super::request::pairs(&fields));
                form.finish().into()
            }
        };
        Ok(Self { method: plan.method.clone(), url, headers, body })
    }

    /// The same request to another address, such as the next page's.
    pub fn to(&self, service: &Service, address: &str) -> Result<Self, StepError> {
        let url = self.url.join(address).map_err(|error| {
            StepError::new(ErrorKind::Internal, format!("{} named a next page that is no address: {error}.", service.name))
        })?;
        check_host(service, &url)?;
        Ok(Self { url, ..self.clone() })
    }

    /// As the run page and the preview show it: secrets by their names masked.
    pub fn show(&self) -> Json {
        json!({
            "method": self.method.as_str(),
            "url": mask::url(&self.url),
            "headers": mask::headers(&self.headers),
            "body": show::bytes(&self.body),
        })
    }

    /// As `towpath connector request` prints it: every part as data, nothing masked, because nothing in it is secret.
    pub fn to_json(&self) -> Json {
        let headers: Object = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned().into()))
            .collect();
        let query: Vec<Json> = self.url.query_pairs().map(|(name, value)| json!([name, value])).collect();
        let body = match std::str::from_utf8(&self.body) {
            Ok("") => Json::Null,
            Ok(text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
            Err(_) => Json::Null,
        };
        json!({ "method": self.method.as_str(), "url": self.url.as_str(), "path": self.url.path(), "query": query, "headers": headers, "body": body })
    }
}

fn address(service: &Service, plan: &Plan, context: &Context) -> Result<Url, StepError> {
    let mut path = String::new();
    for piece in plan.path.resolve_pieces(context)? {
        match piece {
            ResolvedPiece::Literal(text) => path.push_str(&text),
            ResolvedPiece::Value { path: name, value } => {
                let text = value.as_ref().map(value::text).unwrap_or_default();
                if text.is_empty() {
                    let field = name.as_deref().and_then(|name| name.strip_prefix("input.")).unwrap_or_default();
                    let error = StepError::invalid_input(format!("The address needs {}, which is empty.", named(field)));
                    return Err(if field.is_empty() { error } else { error.field(field) });
                }
                path.extend(utf8_percent_encode(&text, SEGMENT));
            }
        }
    }
    // An address parser would climb out of the place that the value has in the path.
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(StepError::invalid_input("A value in the address is “.” or “..”, which leads elsewhere."));
    }
    let whole = if path.starts_with('/') {
        let base = service.base.resolve(context)?.as_ref().map(value::text).unwrap_or_default();
        format!("{base}{path}")
    } else {
        path
    };
    let url = Url::parse(&whole).map_err(|error| StepError::invalid_input(format!("“{whole}” is not an address: {error}.")))?;
    check_host(service, &url)?;
    Ok(url)
}

fn named(field: &str) -> String {
    if field.is_empty() { "a value".into() } else { format!("“{field}”") }
}

/// Only the hosts that the manifest declares, whatever a value or an answer says.
pub fn check_host(service: &Service, url: &Url) -> Result<(), StepError> {
    let host = url.host_str().unwrap_or_default();
    let known = service.hosts.iter().any(|pattern| fits(pattern, url));
    if known && matches!(url.scheme(), "https" | "http") {
        return Ok(());
    }
    Err(StepError::new(
        ErrorKind::Forbidden,
        format!("{} may not talk to {host}: its manifest doesn't name that host.", service.name),
    ))
}

/// `slack.com`, `*.example.com` (any depth below it, not itself), `crm.internal:8443` (that port alone), `*`.
pub fn fits(pattern: &str, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let (pattern, port) = with_port(pattern);
    if port.is_some_and(|port| url.port_or_known_default() != Some(port)) {
        return false;
    }
    match pattern.strip_prefix("*.") {
        Some(end) => host.len() > end.len() + 1 && host.ends_with(end) && host[..host.len() - end.len()].ends_with('.'),
        None => pattern == "*" || pattern.eq_ignore_ascii_case(host),
    }
}

/// A pattern's host and port.
pub fn with_port(pattern: &str) -> (&str, Option<u16>) {
    match pattern.rsplit_once(':') {
        Some((host, port)) => port.parse().map_or((pattern, None), |port| (host, Some(port))),
        None => (pattern, None),
    }
}

fn header(name: &str, value: &Json) -> Result<(HeaderName, HeaderValue), StepError> {
    let wrong = || {
        StepError::invalid_input(format!(
            "The header {name} can't hold this value: it has a line break or another control character."
        ))
    };
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
    Ok((name, HeaderValue::from_bytes(value::text(value).as_bytes()).map_err(|_| wrong())?))
}

fn object(template: &Template, context: &Context) -> Result<Object, StepError> {
    match template.resolve(context)? {
        Some(Json::Object(fields)) => Ok(fields.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        _ => Ok(Object::new()),
    }
}

/// Names and values as text; a list is its name several times.
fn pairs(fields: &Object) -> Vec<(&str, String)> {
    let each = fields.iter().flat_map(|(name, value)| {
        let values = if let Json::Array(values) = value { values.as_slice() } else { std::slice::from_ref(value) };
        values.iter().filter(|value| !value.is_null()).map(move |value| (name.as_str(), value::text(value)))
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_fits_with_its_port_and_below_its_name() {
        let table = [
            ("slack.com", "https://slack.com/a", true),
            ("slack.com", "https://slack.com:8443/a", true),
            ("slack.com", "https://evil-slack.com", false),
            ("*.example.com", "https://a.b.example.com", true),
            ("*.example.com", "https://example.com", false),
            ("crm.internal:8443", "https://crm.internal:8443/x", true),
            ("crm.internal:8443", "https://crm.internal/x", false),
            ("crm.internal:443", "https://crm.internal/x", true),
            ("*", "https://anything.example", true),
        ];
        for (pattern, url, expected) in table {
            assert_eq!(fits(pattern, &Url::parse(url).unwrap()), expected, "{pattern} {url}");
        }
    }
}
