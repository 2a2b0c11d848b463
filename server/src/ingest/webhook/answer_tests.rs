//! What callers hear.

use super::*;
use axum::body::to_bytes;
use serde_json::Value;
use towpath_engine::{error::StepError, record::FailedStep, workflow::StepPath};

fn settings(input: Value) -> Settings {
    Settings::read(input.as_object().unwrap()).unwrap()
}

async fn heard(taken: Taken, input: Value, form_post: bool) -> (u16, HeaderMap, Value) {
    let response = to(taken, &settings(input), form_post);
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, headers, serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned().into()))
}

fn answer(status: u16, headers: &[(&str, &str)], body: AnswerBody) -> Taken {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Taken::Answered(Answered::Answer(RunId::new(), Answer { status, headers, body }))
}

#[tokio::test]
async fn an_accepted_event_is_answered_with_its_run_and_a_repeat_with_the_first_one() {
    let run = RunId::new();
    let (status, _, body) = heard(Taken::Started { run, duplicate: false }, json!({}), false).await;
    assert_eq!((status, body), (202, json!({ "run": run })));
    let (status, _, body) = heard(Taken::Started { run, duplicate: true }, json!({}), false).await;
    assert_eq!((status, body), (200, json!({ "run": run, "duplicate": true })));
    let (status, _, body) = heard(Taken::Answered(Answered::Later(run)), json!({}), false).await;
    assert_eq!((status, body), (202, json!({ "run": run })));
}

#[tokio::test]
async fn whoever_may_not_call_hears_the_same_as_for_an_address_that_does_not_exist() {
    let unknown = nowhere();
    let unknown = (unknown.status().as_u16(), to_bytes(unknown.into_body(), 1 << 20).await.unwrap());
    for reason in [Reason::Address, Reason::Credentials, Reason::Signature, Reason::Timestamp, Reason::NotSetUp] {
        let response = to(Taken::Refused(Refusal::new(reason, "the owner reads this")), &settings(json!({})), false);
        let this = (response.status().as_u16(), to_bytes(response.into_body(), 1 << 20).await.unwrap());
        assert_eq!(this, unknown, "{reason:?}");
    }
    for (reason, status) in
        [(Reason::Method, 405), (Reason::TooLarge, 413), (Reason::Encoding, 415), (Reason::Cut, 408), (Reason::Malformed, 400)]
    {
        let (answered, headers, _) = heard(Taken::Refused(Refusal::new(reason, "x")), json!({ "methods": ["PUT"] }), false).await;
        assert_eq!(answered, status);
        assert_eq!(headers.get("allow").is_some(), reason == Reason::Method);
    }
}

#[tokio::test]
async fn a_workflows_answer_passes_without_the_headers_that_speak_for_the_server() {
    let (status, headers, body) = heard(
        answer(
            418,
            &[
                ("X-Own", "yes"),
                ("Set-Cookie", "a=b"),
                ("Content-Security-Policy", "default-src *"),
                ("Strict-Transport-Security", "max-age=0"),
                ("Clear-Site-Data", "\"*\""),
                ("Service-Worker-Allowed", "/"),
                ("Access-Control-Allow-Origin", "*"),
                ("Transfer-Encoding", "chunked"),
                ("bad name", "x"),
                ("X-Split", "a\r\nSet-Cookie: b=c"),
            ],
            AnswerBody::Html("<h1>hi</h1>".into()),
        ),
        json!({}),
        false,
    )
    .await;
    assert_eq!((status, body), (418, json!("<h1>hi</h1>")));
    let mut names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-security-policy", "content-type", "towpath-run", "x-content-type-options", "x-own"]);
    assert_eq!(headers["content-security-policy"], "sandbox");
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn an_answer_that_is_no_answer_to_http_is_made_one() {
    assert_eq!(heard(answer(101, &[], AnswerBody::Empty), json!({}), false).await.0, 200);
    assert_eq!(heard(answer(9, &[], AnswerBody::Empty), json!({}), false).await.0, 200);
    let (_, headers, _) = heard(answer(204, &[], AnswerBody::Empty), json!({}), false).await;
    assert!(!headers.contains_key("content-type"));
}

#[tokio::test]
async fn a_run_that_fails_says_so_and_nothing_more() {
    let error = FailedStep { step: StepPath("pay".into()), error: StepError::invalid_input("the card number 4111 is wrong") };
    let end = |state, error| Taken::Answered(Answered::Ended(RunId::new(), End { state, reason: None, error }));
    let (status, _, body) = heard(end(EndState::Failed, Some(error)), json!({ "redirect": "https://a.example/" }), true).await;
    assert_eq!(status, 500);
    assert!(!body.to_string().contains("4111") && !body.to_string().contains("pay"), "{body}");
    assert_eq!(heard(end(EndState::Succeeded, None), json!({}), false).await.0, 200);
}

#[tokio::test]
async fn a_browser_that_posted_a_form_is_sent_on() {
    let taken = || Taken::Started { run: RunId::new(), duplicate: false };
    let (status, headers, _) = heard(taken(), json!({ "redirect": "https://shop.example/thanks" }), true).await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (303, "https://shop.example/thanks"));
    assert_eq!(heard(taken(), json!({ "redirect": "https://shop.example/thanks" }), false).await.0, 202);
    let refused = Taken::Refused(Refusal::new(Reason::Malformed, "x"));
    assert_eq!(heard(refused, json!({ "redirect": "https://shop.example/thanks" }), true).await.0, 400);
}

#[test]
fn only_the_triggers_origins_may_read_the_answer_and_never_with_cookies() {
    let asked = |origins: &[&str], origin: &str| {
        let request: HeaderMap =
            [(header::ORIGIN, origin.parse().unwrap()), (header::ACCESS_CONTROL_REQUEST_HEADERS, "x-a".parse().unwrap())]
                .into_iter()
                .collect();
        let response = preflight(&settings(json!({ "cors_origins": origins })), &request);
        assert_eq!(response.status(), 204);
        assert!(!response.headers().contains_key("access-control-allow-credentials"));
        let allowed = response.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(allowed.is_some(), response.headers().contains_key("access-control-allow-methods"));
        allowed
    };
    assert_eq!(asked(&[], "https://a.example"), None);
    assert_eq!(asked(&["https://a.example"], "https://a.example").as_deref(), Some("https://a.example"));
    assert_eq!(asked(&["https://a.example"], "https://b.example"), None);
    assert_eq!(asked(&["https://a.example"], "null"), None);
    assert_eq!(asked(&["*"], "https://b.example").as_deref(), Some("*"));
}
