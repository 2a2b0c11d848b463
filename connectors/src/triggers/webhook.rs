//! The webhook trigger: a run starts when a request arrives at a URL. The secret that verifies its callers is never in the document.

use crate::sdk::form::{Change, choice, choices, field};
use serde_json::json;
use towpath_engine::catalogue::{Category, FieldKind, Operation, Role};

/// Services whose way of signing is known, so that nobody has to write it down.
const PRESETS: [(&str, &str); 5] =
    [("github", "GitHub"), ("shopify", "Shopify"), ("slack", "Slack"), ("stripe", "Stripe"), ("custom", "Another service")];

const METHODS: [(&str, &str); 5] = [("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH"), ("DELETE", "DELETE"), ("GET", "GET")];

pub fn operation() -> Operation {
    Operation {
        name: "webhook".into(),
        role: Role::Trigger,
        connector: "towpath".into(),
        connection: None,
        title: "Webhook".into(),
        sentence: "When a request arrives at a URL".into(),
        keywords: ["http", "hook", "api", "incoming", "callback", "endpoint", "post", "receive", "github", "stripe", "shopify", "slack"]
            .map(Into::into)
            .to_vec(),
        icon: "bolt".into(),
        category: Category::Start,
        inputs: vec![
            choice(
                "auth",
                "Who may send",
                &[
                    ("none", "Anybody who knows the address"),
                    ("hmac", "A service that proves itself (GitHub, Stripe, Shopify …)"),
                    ("standard_webhooks", "A service that signs by Standard Webhooks"),
                    ("header", "Whoever sends a secret in a header"),
                    ("basic", "Whoever knows a user name and a password"),
                ],
            )
            .help("The address can't be guessed. For anything that matters, have the sender prove itself as well."),
            choice("preset", "Which service", &PRESETS)
                .help("Towpath knows how these services prove themselves. Pick “Another service” to describe a signature yourself.")
                .show_if("auth", &["hmac"]),
            field("hmac_header", "Header with the signature", FieldKind::Text)
                .placeholder("X-Signature")
                .required()
                .literal()
                .show_if("preset", &["custom"]),
            choice("hmac_algorithm", "Algorithm", &[("sha256", "SHA-256"), ("sha512", "SHA-512"), ("sha1", "SHA-1 (old)")])
                .show_if("preset", &["custom"]),
            choice("hmac_encoding", "Written as", &[("hex", "Hexadecimal (0–9, a–f)"), ("base64", "Base64")])
                .show_if("preset", &["custom"]),
            field("hmac_prefix", "Text before the signature", FieldKind::Text)
                .help("Some services write sha256= before it. Leave it empty if there is nothing.")
                .placeholder("sha256=")
                .literal()
                .show_if("preset", &["custom"]),
            field("hmac_message", "What is signed", FieldKind::Text)
                .help("{body} stands for the request's body and {timestamp} for the time it was signed.")
                .placeholder("{timestamp}.{body}")
                .default(json!("{body}"))
                .literal()
                .show_if("preset", &["custom"]),
            field("hmac_timestamp_header", "Header with the time of signing", FieldKind::Text)
                .help("If the service sends one: requests older than five minutes are then refused.")
                .placeholder("X-Timestamp")
                .literal()
                .show_if("preset", &["custom"]),
            field("header_name", "Name of the header", FieldKind::Text)
                .default(json!("X-Webhook-Token"))
                .required()
                .literal()
                .show_if("auth", &["header"]),
            field("basic_user", "User name", FieldKind::Text).required().literal().show_if("auth", &["basic"]),
            choice(
                "respond",
                "When to answer",
                &[("at_once", "At once, before the workflow runs"), ("when_done", "When the workflow has run, by its Respond step")],
            )
            .help("Answering at once is what most services expect: they give up after a few seconds."),
            field("timeout", "Longest wait for the answer", FieldKind::Span)
                .help("Who waits longer hears that the request was accepted; the workflow goes on.")
                .default(json!("30s"))
                .literal()
                .show_if("respond", &["when_done"]),
            field("methods", "Accepted methods", FieldKind::Choices { options: choices(&METHODS) })
                .help("POST is what services send. Add GET only if you need it: chat programs open links to preview them.")
                .default(json!(["POST"]))
                .required()
                .literal()
                .advanced(),
            field("delivery_header", "Header that names the delivery", FieldKind::Text)
                .help("Two requests with the same value start one run. Without a name, webhook-id and Idempotency-Key are looked at.")
                .placeholder("X-Delivery-Id")
                .literal()
                .advanced(),
            field("allowed_addresses", "Allowed addresses", FieldKind::Lines)
                .help("One network or address per line. Leave it empty to accept requests from anywhere.")
                .placeholder("192.0.2.0/24")
                .literal()
                .advanced(),
            field("cors_origins", "Web pages that may send", FieldKind::Lines)
                .help("One per line. Needed only when the request is sent by a script on a web page.")
                .placeholder("https://shop.example")
                .literal()
                .advanced(),
            field("redirect", "Page to open after a form post", FieldKind::Text)
                .help("When a form on your own site posts here, its visitor is sent on to this page.")
                .placeholder("https://shop.example/thank-you")
                .literal()
                .advanced(),
        ],
        effect: None,
        sample: json!({
            "method": "POST",
            "path": "",
            "headers": { "content-type": "application/json", "user-agent": "Shop/1.0" },
            "query": {},
            "address": "203.0.113.7",
            "body": {
                "orderId": "ORD-000123",
                "total": 249.5,
                "currency": "EUR",
                "customer": { "name": "Ada Lovelace", "email": "ada@example.com" },
                "items": [{ "sku": "TEA-1", "name": "Black tea", "quantity": 2, "price": 124.75 }]
            }
        }),
        help: "Towpath gives this workflow an address of its own. Each request to it is stored and then starts a run, so nothing is \
               lost when the server restarts. JSON, forms, files and plain text are all understood."
            .into(),
    }
}
