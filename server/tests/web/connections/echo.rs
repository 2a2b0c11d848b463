//! Receivers: a service that says back whatever it heard, in every writing that services use; and a mail server that does so, too.

use axum::{
    Router,
    body::Bytes,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

/// What a receiver heard: one text per request, headers and address included.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn add(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }
}

/// A service on a port of its own.
pub struct Echo {
    pub port: u16,
    pub heard: Heard,
}

impl Echo {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Heard::default();
        let heard_here = heard.clone();
        let router = Router::new().fallback(move |request: Request| answer(request, heard_here.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, heard }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// `/echo`, `/fail` (500), `/denied` (401), `/text`, `/file` (no text at all), `/redirect?to=…`
async fn answer(request: Request, heard: Heard) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    heard.add(format!("{} {} {:?} {}", parts.method, parts.uri, parts.headers, String::from_utf8_lossy(&body)));
    if parts.uri.path() == "/redirect" {
        let to = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .find(|(name, _)| name == "to")
            .map(|(_, to)| to.into_owned())
            .unwrap_or_default();
        return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response();
    }
    let said = said(&parts.headers, &parts.uri, &body);
    let status = match parts.uri.path() {
        "/fail" => StatusCode::INTERNAL_SERVER_ERROR,
        "/denied" => StatusCode::UNAUTHORIZED,
        _ => StatusCode::OK,
    };
    let kind = match parts.uri.path() {
        "/text" => "text/plain",
        "/file" => "application/octet-stream",
        _ => "application/json",
    };
    let mirrored = parts.headers.get(header::AUTHORIZATION).cloned().unwrap_or(HeaderValue::from_static("none"));
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::ETAG, mirrored)];
    (status, headers, said).into_response()
}

/// Everything that came, as it came and in other writings.
fn said(headers: &HeaderMap, uri: &Uri, body: &Bytes) -> String {
    let lines: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))).collect();
    let all = lines.join("\r\n");
    let inner = json!({ "headers": lines }).to_string();
    json!({
        "message": format!("I heard {all}"),
        "headers": lines,
        "address": uri.to_string(),
        "base64": BASE64_STANDARD.encode(&all),
        "shifted": [BASE64_STANDARD.encode(format!("x{all}")), BASE64_STANDARD.encode(format!("xy{all}"))],
        "percent": url::form_urlencoded::byte_serialize(all.as_bytes()).collect::<String>(),
        "hex": hex::encode(&all),
        "inner": inner,
        "body": String::from_utf8_lossy(body),
    })
    .to_string()
}

/// A mail server that lets nobody in and says back what it was told.
pub async fn refusing_mail_server() -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    let heard_here = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let heard = heard_here.clone();
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                let _ = write.write_all(b"220 mail.test\r\n").await;
                while let Ok(Some(line)) = lines.next_line().await {
                    heard.add(line.clone());
                    let reply = if line.starts_with("EHLO") {
                        "250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n".to_owned()
                    } else if line.starts_with("QUIT") {
                        "221 bye\r\n".to_owned()
                    } else {
                        format!("535 5.7.8 I don't know {line}\r\n")
                    };
                    if write.write_all(reply.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, heard)
}
