//! Carries `http.request` out: load the files, send through the door, show what went and what came, hand the answer on.

use super::{
    answer,
    plan::{Body, Content, IDEMPOTENCY_KEY, MAX_RESPONSE, Plan},
};
use crate::sdk::{
    Action, Call, Files, HttpBody, HttpRequest, HttpResponse, Output, Part, PartContent, mask, outcome, value::FileValue,
};
use futures_util::future::BoxFuture;
use http::HeaderValue;
use serde_json::json;
use towpath_engine::{
    Json, Object,
    error::{ErrorKind, StepError},
};

/// How much of a body the run page shows, in bytes.
const SHOWN: usize = 16 * 1024;

/// The action `http.request`.
pub struct Send;

impl Action for Send {
    fn run<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Output, StepError>> {
        Box::pin(async move {
            let mut plan = Plan::from_input(call.input)?;
            if plan.wants_key() {
                let key = HeaderValue::from_str(&call.key.to_string()).expect("a UUID is a header value");
                plan.headers.insert(IDEMPOTENCY_KEY, key);
            }
            call.trace.request(show(&plan));
            let body = load(&plan.body, &*call.doors.files).await?;
            let request = HttpRequest {
                method: plan.method,
                url: plan.url,
                headers: plan.headers,
                body,
                authenticate: true,
                redirects: plan.redirects,
                deadline: call.deadline,
                max_response: MAX_RESPONSE,
            };
            let response = call.doors.http.send(request).await?;
            call.trace.response(show_answer(&response));
            if plan.fail_on_error {
                outcome::of(&response)?;
            }
            if let Some(cut) = response.cut {
                return Err(cut);
            }
            let value = answer::value(&response, &*call.doors.files, call.trace).await;
            Ok(Output { value: value.map_err(after_the_fact)? })
        })
    }

    fn preview(&self, input: &Object) -> Result<Json, StepError> {
        let mut plan = Plan::from_input(input)?;
        if plan.wants_key() {
            plan.headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("(one per run, the same for every try)"));
        }
        Ok(show(&plan))
    }
}

/// The request has been taken; that its answer could not be kept is no leave to send it again.
fn after_the_fact(mut error: StepError) -> StepError {
    if error.kind == ErrorKind::Unavailable {
        error.kind = ErrorKind::Uncertain;
    }
    error
}

async fn load(body: &Body, files: &dyn Files) -> Result<HttpBody, StepError> {
    Ok(match body {
        Body::Empty => HttpBody::Empty,
        Body::Bytes(bytes) => HttpBody::Bytes(bytes.clone()),
        Body::File(file) => HttpBody::Bytes(files.read(file.id).await?),
        Body::Multipart(parts) => {
            let mut loaded = Vec::with_capacity(parts.len());
            for part in parts {
                let content = match &part.content {
                    Content::Text(text) => PartContent::Text(text.clone()),
                    Content::File(file) => PartContent::File {
                        name: file.name.clone(),
                        media_type: file.media_type.clone(),
                        bytes: files.read(file.id).await?,
                    },
                };
                loaded.push(Part { name: part.name.clone(), content });
            }
            HttpBody::Multipart(loaded)
        }
    })
}

/// The request as the run page and the preview show it.
fn show(plan: &Plan) -> Json {
    let body = match &plan.body {
        Body::Empty => Json::Null,
        Body::Bytes(bytes) => show_bytes(bytes),
        Body::File(file) => show_file(file),
        Body::Multipart(parts) => {
            let parts = parts.iter().map(|part| match &part.content {
                Content::Text(text) => json!({ "name": part.name, "value": show_bytes(text.as_bytes()) }),
                Content::File(file) => json!({ "name": part.name, "file": show_file(file) }),
            });
            parts.collect()
        }
    };
    json!({ "method": plan.method.as_str(), "url": mask::url(&plan.url), "headers": mask::headers(&plan.headers), "body": body })
}

fn show_file(file: &FileValue) -> Json {
    format!("{} ({}, {} bytes)", file.name, file.media_type, file.size).into()
}

fn show_answer(response: &HttpResponse) -> Json {
    json!({
        "status": response.status.as_u16(),
        "url": mask::url(&response.url),
        "headers": mask::headers(&response.headers),
        "body": show_bytes(&response.body),
        "took_ms": u64::try_from(response.took.as_millis()).unwrap_or(u64::MAX),
    })
}

/// The start of a body as text, or its size when it isn't text.
fn show_bytes(bytes: &[u8]) -> Json {
    if bytes.is_empty() {
        return Json::Null;
    }
    let start = &bytes[..bytes.len().min(SHOWN)];
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // The cut may go through a character; anything else isn't text.
        Err(error) if error.error_len().is_none() && bytes.len() > SHOWN => {
            std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return format!("({} bytes that are not text)", bytes.len()).into(),
    };
    if bytes.len() > SHOWN { format!("{text}… (the first 16 KiB of {} bytes)", bytes.len()).into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::{Doors, Http, Mail, MailMessage, StepTrace};
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use std::{
        sync::{Arc, Mutex},
        time::{Duration, Instant},
    };
    use towpath_engine::ids::FileId;
    use uuid::Uuid;

    /// A door that remembers what it was given and answers as it was told.
    struct Fake {
        sent: Arc<Mutex<Vec<HttpRequest>>>,
        status: u16,
        headers: HeaderMap,
        body: &'static [u8],
    }

    impl Http for Fake {
        fn send<'a>(&'a self, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse, StepError>> {
            let response = HttpResponse {
                status: StatusCode::from_u16(self.status).unwrap(),
                url: request.url.clone(),
                headers: self.headers.clone(),
                body: self.body.into(),
                took: Duration::from_millis(3),
                received: "2026-03-02T09:41:00Z".parse().unwrap(),
                rewritten: false,
                cut: None,
            };
            self.sent.lock().unwrap().push(request);
            Box::pin(async move { Ok(response) })
        }
    }

    struct NoMail;
    impl Mail for NoMail {
        fn send<'a>(&'a self, _: MailMessage, _: Instant) -> BoxFuture<'a, Result<String, StepError>> {
            unreachable!("a request sends no mail")
        }
        fn default_from(&self) -> Option<String> {
            None
        }
    }

    struct OneFile;
    impl Files for OneFile {
        fn read<'a>(&'a self, _: FileId) -> BoxFuture<'a, Result<Bytes, StepError>> {
            Box::pin(async { Ok(Bytes::from_static(b"a,b")) })
        }
        fn write<'a>(&'a self, name: String, media_type: String, bytes: Bytes) -> BoxFuture<'a, Result<Json, StepError>> {
            Box::pin(async move { Ok(json!({ "stored": name, "type": media_type, "size": bytes.len() })) })
        }
    }

    type Ran = (Result<Json, StepError>, crate::sdk::Collected, Vec<HttpRequest>);

    async fn run(input: Json, status: u16, content_type: &str, body: &'static [u8]) -> Ran {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, content_type.parse().unwrap())]);
        let doors = Doors {
            http: Box::new(Fake { sent: sent.clone(), status, headers, body }),
            mail: Box::new(NoMail),
            files: Box::new(OneFile),
            code: Box::new(crate::sdk::code::NoCode),
            tables: Box::new(crate::sdk::tables::NoTables),
        };
        let trace = StepTrace::default();
        let input = input.as_object().unwrap().clone();
        let call =
            Call { input: &input, key: Uuid::nil(), deadline: Instant::now(), connection: None, doors: &doors, trace: &trace };
        let result = Send.run(call).await.map(|output| output.value);
        let sent = std::mem::take(&mut *sent.lock().unwrap());
        (result, trace.take(), sent)
    }

    #[tokio::test]
    async fn a_request_goes_out_with_its_key_and_is_shown_without_its_secrets() {
        let input = json!({
            "method": "POST", "url": "https://x.example/?token=t1", "body_kind": "json", "json": { "a": 1 },
            "headers": { "Authorization": "Bearer t2", "X-Api-Key": "t3" }
        });
        let (result, trace, sent) = run(input, 200, "application/json", b"{\"id\":9007199254740993}").await;
        assert_eq!(result.unwrap()["body"]["id"], json!(9007199254740993_u64));
        assert_eq!(sent[0].headers["authorization"], "Bearer t2");
        assert_eq!(sent[0].headers["idempotency-key"], Uuid::nil().to_string().as_str());
        let shown = trace.request.unwrap();
        assert_eq!(shown["method"], "POST");
        assert_eq!(shown["url"], "https://x.example/?token=***");
        assert_eq!(shown["headers"]["authorization"], "Bearer ***");
        assert_eq!(shown["headers"]["x-api-key"], "***");
        assert_eq!(shown["body"], "{\"a\":1}");
        assert_eq!(trace.response.unwrap()["status"], 200);
    }

    #[tokio::test]
    async fn an_error_answer_fails_the_step_unless_the_step_says_otherwise() {
        let (result, trace, _) = run(json!({ "url": "https://x.example/" }), 404, "text/plain", b"gone").await;
        let error = result.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert!(error.message.contains("“gone”"), "{}", error.message);
        assert_eq!(trace.response.unwrap()["body"], "gone");
        let (result, ..) = run(json!({ "url": "https://x.example/", "fail_on_error": false }), 404, "text/plain", b"gone").await;
        assert_eq!(result.unwrap()["status"], 404);
    }

    #[tokio::test]
    async fn files_go_out_by_their_bytes_and_come_in_as_references() {
        let file = FileValue { id: FileId::new(), name: "a.csv".into(), media_type: "text/csv".into(), size: 3 }.to_json();
        let input = json!({ "method": "POST", "url": "https://x.example/", "body_kind": "multipart", "parts": { "note": 1, "file": [file, file] } });
        let (result, trace, sent) = run(input, 200, "image/png", b"\x89PNG").await;
        assert_eq!(result.unwrap()["body"], json!({ "stored": "download", "type": "image/png", "size": 4 }));
        let HttpBody::Multipart(parts) = &sent[0].body else { panic!() };
        assert_eq!(parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["note", "file", "file"]);
        assert!(matches!(&parts[1].content, PartContent::File { bytes, .. } if bytes.as_ref() == b"a,b"));
        assert_eq!(trace.request.unwrap()["body"][1]["file"], "a.csv (text/csv, 3 bytes)");

        let raw = json!({ "method": "PUT", "url": "https://x.example/", "body_kind": "raw", "raw": file });
        let (_, _, sent) = run(raw, 200, "text/plain", b"").await;
        assert_eq!(sent[0].headers["content-type"], "text/csv");
        assert!(matches!(&sent[0].body, HttpBody::Bytes(bytes) if bytes.as_ref() == b"a,b"));
    }

    #[test]
    fn a_preview_is_the_request_without_sending_it() {
        let input = json!({ "method": "POST", "url": "https://x.example/", "body_kind": "form", "form": { "a": "b" } });
        let preview = Send.preview(input.as_object().unwrap()).unwrap();
        assert_eq!(preview["body"], "a=b");
        assert_eq!(preview["headers"]["content-type"], "application/x-www-form-urlencoded");
        assert!(preview["headers"]["idempotency-key"].as_str().unwrap().contains("same for every try"));
    }

    #[test]
    fn bodies_are_cut_between_characters() {
        let long = "ä".repeat(SHOWN);
        let Json::String(shown) = show_bytes(long.as_bytes()) else { panic!() };
        assert!(shown.ends_with("… (the first 16 KiB of 32768 bytes)"));
        let odd = format!("x{long}");
        assert!(matches!(show_bytes(odd.as_bytes()), Json::String(text) if text.starts_with("xää")));
        assert_eq!(show_bytes(b"\xff\x00"), json!("(2 bytes that are not text)"));
    }
}
