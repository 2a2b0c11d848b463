//! Signatures against the examples that the senders' own documentation prints, and against independent computations.

use super::*;
use crate::ingest::webhook::settings::Settings;
use serde_json::json;
use towpath_engine::Json;

const SLACK: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&\
                     user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2F\
                     commands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.\
                     803a0bc887a14d10d2c447fce8b6703c";

/// A signed request as a sender documents it: settings, secret, headers, body, and when it was signed.
struct Example {
    input: Json,
    secret: &'static str,
    headers: Vec<(&'static str, String)>,
    body: &'static [u8],
    at: i64,
}

fn examples() -> Vec<Example> {
    let owned =
        |pairs: &[(&'static str, &str)]| pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>();
    vec![
        // Printed in GitHub's "Validating webhook deliveries".
        Example {
            input: json!({ "auth": "hmac", "preset": "github" }),
            secret: "It's a Secret to Everybody",
            headers: owned(&[("x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")]),
            body: b"Hello, World!",
            at: 0,
        },
        // Printed in the Standard Webhooks libraries' own tests.
        Example {
            input: json!({ "auth": "standard_webhooks" }),
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            headers: owned(&[
                ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
                ("webhook-timestamp", "1614265330"),
                ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            ]),
            body: br#"{"test": 2432232314}"#,
            at: 1_614_265_330,
        },
        // Printed in Slack's "Verifying requests from Slack".
        Example {
            input: json!({ "auth": "hmac", "preset": "slack" }),
            secret: "8f742231b10e8888abcd99yyyzzz85a5",
            headers: owned(&[
                ("x-slack-request-timestamp", "1531420618"),
                ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
            ]),
            body: SLACK.as_bytes(),
            at: 1_531_420_618,
        },
        // The rest was computed apart from this code.
        Example {
            input: json!({ "auth": "hmac", "preset": "stripe" }),
            secret: "whsec_test_secret",
            headers: owned(&[(
                "stripe-signature",
                "t=1492774577,v1=799c4ba7bb339f3c8601adfd112f0e477c930a268be1243d341abb8286501c2f,v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39",
            )]),
            body: br#"{"id":"evt_1"}"#,
            at: 1_492_774_577,
        },
        Example {
            input: json!({ "auth": "hmac", "preset": "shopify" }),
            secret: "hush",
            headers: owned(&[("x-shopify-hmac-sha256", "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY=")]),
            body: br#"{"id":1}"#,
            at: 0,
        },
        Example {
            input: json!({ "auth": "hmac", "hmac_header": "X-Sig", "hmac_algorithm": "sha1", "hmac_prefix": "sha1:" }),
            secret: "Jefe",
            headers: owned(&[("x-sig", "sha1:effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")]),
            body: b"what do ya want for nothing?",
            at: 0,
        },
        Example {
            input: json!({ "auth": "hmac", "hmac_header": "X-Sig", "hmac_algorithm": "sha512" }),
            secret: "Jefe",
            headers: owned(&[(
                "x-sig",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            )]),
            body: b"what do ya want for nothing?",
            at: 0,
        },
    ]
}

fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

fn auth(input: &Json) -> Auth {
    Settings::read(input.as_object().unwrap()).unwrap().auth
}

fn check(example: &Example, secret: &str, pairs: &[(&'static str, String)], body: &[u8], at: i64) -> Result<(), Reason> {
    let now = DateTime::from_timestamp(at, 0).unwrap();
    signature(&auth(&example.input), Some(&Secret::new(secret)), &headers(pairs), body, now).map_err(|refusal| refusal.reason)
}

#[test]
fn the_examples_that_senders_print_are_accepted() {
    for example in examples() {
        assert_eq!(check(&example, example.secret, &example.headers, example.body, example.at), Ok(()), "{}", example.input);
    }
}

#[test]
fn a_body_with_any_byte_changed_added_or_missing_is_refused() {
    for example in examples() {
        for at in 0..example.body.len() {
            for change in [1, 0x80] {
                let mut body = example.body.to_vec();
                body[at] ^= change;
                let checked = check(&example, example.secret, &example.headers, &body, example.at);
                assert_eq!(checked, Err(Reason::Signature), "{} byte {at}", example.input);
            }
        }
        for body in [[example.body, b"\n"].concat(), example.body[1..].to_vec(), Vec::new()] {
            assert_eq!(
                check(&example, example.secret, &example.headers, &body, example.at),
                Err(Reason::Signature),
                "{}",
                example.input
            );
        }
    }
}

#[test]
fn a_header_with_any_character_changed_is_refused() {
    for example in examples() {
        for (index, (name, value)) in example.headers.iter().enumerate() {
            // Stripe's old v0 signature is not looked at.
            for at in 0..value.find(",v0=").unwrap_or(value.len()) {
                let mut changed = value.clone().into_bytes();
                // Case does not matter in hex, and a character is never replaced by itself.
                changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
                let mut pairs = example.headers.clone();
                pairs[index].1 = String::from_utf8(changed).unwrap();
                // The last character of base64 holds two bits that belong to no byte: an equal value is the same signature.
                let same_bytes = BASE64.decode(value.rsplit(',').next().unwrap()).ok().is_some_and(|bytes| {
                    BASE64.decode(pairs[index].1.rsplit(',').next().unwrap()).is_ok_and(|changed| changed == bytes)
                });
                let checked = check(&example, example.secret, &pairs, example.body, example.at);
                assert!(same_bytes || checked.is_err(), "{} {name} character {at}", example.input);
            }
        }
    }
}

#[test]
fn another_secret_an_empty_one_and_none_let_nobody_in() {
    for example in examples() {
        let other = if example.secret.starts_with("whsec_M") { "whsec_AAAA" } else { "another" };
        assert_eq!(check(&example, other, &example.headers, example.body, example.at), Err(Reason::Signature));
        assert_eq!(check(&example, "", &example.headers, example.body, example.at), Err(Reason::NotSetUp));
        let none = signature(&auth(&example.input), None, &headers(&example.headers), example.body, DateTime::UNIX_EPOCH);
        assert_eq!(none.unwrap_err().reason, Reason::NotSetUp);
    }
}

#[test]
fn a_request_without_its_signature_is_refused() {
    for example in examples() {
        for missing in 0..example.headers.len() {
            let mut pairs = example.headers.clone();
            pairs.remove(missing);
            assert!(check(&example, example.secret, &pairs, example.body, example.at).is_err(), "{}", example.input);
        }
    }
}

#[test]
fn a_signed_time_more_than_five_minutes_away_is_refused() {
    for example in examples().into_iter().filter(|example| example.at > 0) {
        for (apart, expected) in [
            (-301, Err(Reason::Timestamp)),
            (-300, Ok(())),
            (300, Ok(())),
            (301, Err(Reason::Timestamp)),
            (86_400, Err(Reason::Timestamp)),
        ] {
            let checked = check(&example, example.secret, &example.headers, example.body, example.at + apart);
            assert_eq!(checked, expected, "{} {apart}", example.input);
        }
    }
}

#[test]
fn a_sender_who_changes_its_secret_may_sign_with_both() {
    let mut examples = examples();
    let standard = &mut examples[1];
    standard.headers[2].1 = format!("v1,{} v1a,whatever {}", BASE64.encode([7; 32]), standard.headers[2].1);
    assert_eq!(check(standard, standard.secret, &standard.headers, standard.body, standard.at), Ok(()));
}

#[test]
fn passwords_and_tokens_are_compared_whole() {
    let secret = Secret::new("s3cret:with colon");
    let basic = auth(&json!({ "auth": "basic", "basic_user": "ada" }));
    let ask = |auth: &Auth, name: &'static str, value: String| {
        credentials(auth, Some(&secret), &headers(&[(name, value)])).map_err(|refusal| refusal.reason)
    };
    let basic_of = |text: &str| format!("Basic {}", BASE64.encode(text));
    assert_eq!(ask(&basic, "authorization", basic_of("ada:s3cret:with colon")), Ok(()));
    for wrong in ["ada:s3cret", "ada:", "eve:s3cret:with colon", "ada:s3cret:with colon2", ":s3cret:with colon"] {
        assert_eq!(ask(&basic, "authorization", basic_of(wrong)), Err(Reason::Credentials), "{wrong}");
    }
    assert_eq!(ask(&basic, "authorization", "Basic !!".into()), Err(Reason::Credentials));
    assert_eq!(ask(&basic, "x-other", "x".into()), Err(Reason::Credentials));

    let header = auth(&json!({ "auth": "header", "header_name": "X-Token" }));
    assert_eq!(ask(&header, "x-token", "s3cret:with colon".into()), Ok(()));
    assert_eq!(ask(&header, "x-token", "s3cret:with colo".into()), Err(Reason::Credentials));
    assert_eq!(ask(&header, "x-token", String::new()), Err(Reason::Credentials));
    assert_eq!(credentials(&header, None, &HeaderMap::new()).unwrap_err().reason, Reason::NotSetUp);
    assert_eq!(
        credentials(&header, Some(&Secret::new("")), &headers(&[("x-token", String::new())])).unwrap_err().reason,
        Reason::NotSetUp
    );
}
