//! A hosted form: shown, sent, thanked for.

use crate::{
    app::App,
    dispatch::TriggerKind,
    ingest::{
        Addressee, Arrival, Taken, body,
        decide::{Reason, Refusal, Standing},
        form::{After, Settings, answers, answers::Sent, token},
        questions, take,
        target::{self, Target},
        webhook::address_of,
    },
    pages,
    problem::{Code, Problem},
    store::endpoints::Kind,
};
use axum::{
    extract::{Path, Query, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{collections::HashMap, sync::Arc};
use towpath_connectors::triggers::question::{Question, QuestionKind};
use towpath_engine::ids::EndpointId;
use towpath_web::forms::{
    message::Message,
    page::{Choice, Control, Field, Page},
};

/// The field that only robots fill in.
const TRAP: &str = "towpath_website";
/// The field with the page's token.
const TOKEN: &str = "towpath_page";
/// Up to so many choices are all in sight.
const MOST_RADIOS: usize = 5;

#[derive(Deserialize)]
pub struct Link {
    #[serde(default)]
    preview: String,
}

/// A form that was asked for.
struct Form {
    id: EndpointId,
    target: Arc<Target>,
    /// The preview's token, when it lets in.
    preview: Option<String>,
}

impl Form {
    async fn find(app: &App, id: &str, link: Link) -> Result<Self, Problem> {
        let id: EndpointId = id.parse().map_err(|_| Problem::not_found())?;
        let target = app.ingest.targets.find(app, id, Kind::Form).await?.ok_or_else(Problem::not_found)?;
        let preview = token::check_preview(&app.vault, id, &link.preview, app.clock.now()).then_some(link.preview);
        Ok(Self { id, target, preview })
    }

    fn settings(&self) -> Result<&Settings, Problem> {
        match &self.target.settings {
            target::Settings::Form(settings) => Ok(settings),
            target::Settings::Webhook(_) | target::Settings::Service(_) => Err(Problem::not_found()),
        }
    }

    fn address(&self, below: &str) -> String {
        let query = self.preview.as_ref().map(|token| format!("?preview={token}")).unwrap_or_default();
        format!("/forms/{}{below}{query}", self.id)
    }

    fn note(&self) -> Option<String> {
        match self.target.standing {
            Standing::Unpublished => Some("This is a preview. What you send becomes a sample and starts nothing.".into()),
            Standing::Paused => {
                Some("This form is paused at the moment. What you send is kept and will be looked at later.".into())
            }
            Standing::Published { .. } | Standing::NotStartable { .. } => None,
        }
    }
}

/// `GET /forms/{id}`
pub async fn show(State(app): State<App>, Path(id): Path<String>, Query(link): Query<Link>) -> Result<Response, Problem> {
    let form = Form::find(&app, &id, link).await?;
    let settings = form.settings()?;
    if form.target.standing == Standing::Unpublished && form.preview.is_none() {
        let message = Message {
            title: "This form is not published yet".into(),
            paragraphs: vec!["Please come back later, or ask whoever gave you the link.".into()],
            received: false,
            again: None,
        };
        return Ok(protect(pages::html(&message)?, settings));
    }
    render(&app, &form, settings, &Sent::default(), &HashMap::new(), None)
}

/// `GET /forms/{id}/sent`
pub async fn sent(State(app): State<App>, Path(id): Path<String>, Query(link): Query<Link>) -> Result<Response, Problem> {
    let form = Form::find(&app, &id, link).await?;
    let settings = form.settings()?;
    let mut paragraphs = match &settings.after {
        After::Message(paragraphs) => paragraphs.clone(),
        After::Redirect(_) => vec!["Thank you. We have received your answers.".into()],
    };
    if form.target.standing == Standing::Paused {
        paragraphs.push("The form is paused at the moment: your answers are kept and will be looked at later.".into());
    }
    let again = form.preview.is_some().then(|| form.address(""));
    let message = Message { title: settings.title.clone(), paragraphs, received: true, again };
    Ok(protect(pages::html(&message)?, settings))
}

/// `POST /forms/{id}`
pub async fn submit(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(link): Query<Link>,
    request: Request,
) -> Result<Response, Problem> {
    let form = Form::find(&app, &id, link).await?;
    let settings = form.settings()?;
    let (parts, body) = request.into_parts();
    let address = address_of(&parts);
    let addressee = Addressee::from(&*form.target);
    let arrive = |verified, event, delivery, size| {
        let arrival = Arrival { kind: TriggerKind::Form, event, verified, delivery, event_key: None, wait: None, address, size };
        take(&app, &addressee, arrival)
    };
    let refuse = async |refusal: Refusal, size| arrive(Err(refusal), Default::default(), None, size).await;

    let bytes = match body::read(&parts.headers, body, app.ingest.max_body).await {
        Ok(bytes) => bytes,
        Err(refusal) => {
            let too_large = refusal.reason == Reason::TooLarge;
            refuse(refusal, 0).await?;
            let said = if too_large {
                (StatusCode::PAYLOAD_TOO_LARGE, "Together, your answers and files are too large. Please send smaller files.")
            } else {
                (StatusCode::REQUEST_TIMEOUT, "Your answers did not arrive whole. Please send them again.")
            };
            return render(&app, &form, settings, &Sent::default(), &HashMap::new(), Some(said));
        }
    };
    let size = bytes.len();
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let sent = match Sent::read(kind, bytes).await {
        Ok(sent) => sent,
        Err(detail) => {
            refuse(Refusal::new(Reason::Malformed, detail.clone()), size).await?;
            return Err(Problem::new(Code::InvalidInput, detail));
        }
    };
    if !sent.typed(TRAP).is_empty() {
        refuse(Refusal::new(Reason::Spam, "The field that people don't see was filled in: a robot did that."), size).await?;
        // A robot that is told learns.
        return Ok(done(&form, settings));
    }
    let seen = match token::check(&app.vault, form.id, sent.typed(TOKEN), app.clock.now()) {
        Ok(seen) => seen,
        Err(_) => {
            let problem = "Please look over your answers and send them once more.";
            return render(&app, &form, settings, &sent, &HashMap::new(), Some((StatusCode::UNPROCESSABLE_ENTITY, problem)));
        }
    };
    let answers = match answers::check(settings, &sent) {
        Ok(answers) => answers,
        Err(wrong) => return render(&app, &form, settings, &sent, &wrong, None),
    };
    let event = answers.event(&app.pool, form.target.workspace, app.clock.now()).await?;
    // The same answers from the same page are a double click; other answers from it are another submission.
    let delivery = format!("form:{}:{}", seen.0.simple(), sent.digest(settings));
    match arrive(Ok(()), event, Some(delivery), size).await {
        Ok(Taken::Refused(refusal)) => Err(Problem::new(Code::InvalidInput, refusal.detail)),
        Ok(_) => Ok(done(&form, settings)),
        Err(error) => {
            tracing::warn!(%error, "a form's answers could not be stored");
            let problem = "We could not store your answers just now. They are still here: please send them again in a moment.";
            let mut response =
                render(&app, &form, settings, &sent, &HashMap::new(), Some((StatusCode::SERVICE_UNAVAILABLE, problem)))?;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            Ok(response)
        }
    }
}

/// Where the visitor goes now. A redirect, so that reloading the page sends nothing twice.
fn done(form: &Form, settings: &Settings) -> Response {
    let location = match &settings.after {
        After::Redirect(url) => url.as_str().to_owned(),
        After::Message(_) => form.address("/sent"),
    };
    let location = HeaderValue::from_str(&location).unwrap_or(HeaderValue::from_static("/"));
    protect((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(), settings)
}

fn render(
    app: &App,
    form: &Form,
    settings: &Settings,
    sent: &Sent,
    wrong: &HashMap<String, String>,
    problem: Option<(StatusCode, &str)>,
) -> Result<Response, Problem> {
    let fields = settings.questions.iter().enumerate().map(|(at, question)| {
        let mut error = wrong.get(&question.name).cloned();
        if question.kind == QuestionKind::File && sent.has_file(&question.name) {
            error = error.or(Some("Please choose the file again: a browser does not keep it.".into()));
        }
        field(at, question, sent.typed(&question.name), error)
    });
    let page = Page {
        title: settings.title.clone(),
        description: settings.description.clone(),
        note: form.note(),
        problem: problem.map(|(_, text)| text.to_owned()),
        action: form.address(""),
        has_files: settings.has_files(),
        fields: fields.collect(),
        submit_label: settings.submit_label.clone(),
        token: token::issue(&app.vault, form.id, app.clock.now()),
    };
    let status = match problem {
        Some((status, _)) => status,
        None if wrong.is_empty() => StatusCode::OK,
        None => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Ok(protect((status, pages::html(&page)?).into_response(), settings))
}

fn field(at: usize, question: &Question, typed: &str, error: Option<String>) -> Field {
    let id = format!("field-{at}");
    let line = |kind, complete| Control::Line { kind, value: typed.to_owned(), complete };
    let control = match question.kind {
        QuestionKind::Text => line("text", ""),
        QuestionKind::Email => line("email", "email"),
        QuestionKind::Number => line("number", ""),
        QuestionKind::Date => line("date", ""),
        QuestionKind::LongText => Control::Lines { value: typed.to_owned() },
        QuestionKind::File => Control::File,
        QuestionKind::Consent | QuestionKind::Boolean => Control::Consent { checked: !typed.is_empty() },
        QuestionKind::Choice => {
            let choices: Vec<Choice> = questions::options(question)
                .enumerate()
                .map(|(n, text)| Choice { id: format!("{id}-{n}"), text: text.to_owned(), chosen: text == typed.trim() })
                .collect();
            if choices.len() <= MOST_RADIOS { Control::Radios(choices) } else { Control::Select(choices) }
        }
    };
    Field {
        id,
        name: question.name.clone(),
        label: question.label.clone(),
        help: question.help.clone(),
        required: question.required,
        error,
        control,
    }
}

/// A public page with a policy of its own: no scripts at all, and the form may lead to where its owner sends people.
fn protect(mut response: Response, settings: &Settings) -> Response {
    let onward = match &settings.after {
        After::Redirect(url) => format!(" {}", url.origin().ascii_serialization()),
        After::Message(_) => String::new(),
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'{onward}; frame-ancestors 'none'; base-uri 'none'"
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // The address of an unpublished form is nobody else's business.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
