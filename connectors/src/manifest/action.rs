//! Carries an action of a manifest out: look-up, pages, output. It decides nothing about retries; the effect that the manifest
//! declares does.

use super::{
    compile::{ANSWER, Fault, Inputs, Paging, Plan, Service, Shaping, whole_at},
    document,
    exchange::{self, context},
    pages::{Next, Turn},
    request::Ready,
};
use crate::sdk::{Action as Act, Call, Output};
use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use serde_json::json;
use std::sync::Arc;
use towpath_engine::{
    Json, Object,
    error::{ErrorKind, StepError},
    expr::{Context, Template},
};

/// An action of a manifest.
pub struct Action {
    service: Arc<Service>,
    /// The operation's id within the connector.
    id: String,
    inputs: Inputs,
    lookup: Option<Plan>,
    plan: Plan,
    paging: Option<Paging>,
    items: Option<Template>,
    output: Shaping,
}

impl Action {
    /// `inputs`: the action's inputs with `use` followed.
    pub fn compile(
        service: &Arc<Service>,
        id: &str,
        spec: &document::Action,
        inputs: &IndexMap<String, super::input::Input>,
    ) -> Result<Self, Fault> {
        let path = format!("actions.{id}");
        let request = spec.request().ok_or_else(|| Fault::new(&path, "it needs a request: get, post, put, patch or delete"))?;
        let lookup = spec.lookup.as_ref().map(|lookup| {
            let path = format!("{path}.lookup");
            let request = lookup.request().filter(|request| request.method == "GET");
            Plan::compile(&path, &request.ok_or_else(|| Fault::new(&path, "a look-up is a get"))?)
        });
        if spec.pages.is_some() && spec.items.is_none() {
            return Err(Fault::new(format!("{path}.pages"), "pages need items: the list in each answer"));
        }
        Ok(Self {
            service: Arc::clone(service),
            id: id.into(),
            inputs: Inputs::compile(&path, inputs)?,
            lookup: lookup.transpose()?,
            plan: Plan::compile(&path, &request)?,
            paging: spec.pages.as_ref().map(|pages| Paging::compile(&path, pages)).transpose()?,
            items: spec.items.as_ref().map(|items| whole_at(&format!("{path}.items"), items, ANSWER)).transpose()?,
            output: Shaping::compile(&path, spec.output.as_ref(), ANSWER)?,
        })
    }

    /// The exact request of an input, without sending it; of an action with a look-up, as if that had found nothing.
    pub fn request(&self, input: &Object) -> Result<Ready, StepError> {
        let mut context = exchange::preview_context(self.inputs.complete(input)?);
        context.set_named("page", Turn::begin(self.paging.as_ref(), None).page());
        Ready::build(&self.service, &self.plan, &context)
    }

    /// The look-up that goes first, if there is one.
    pub fn lookup_request(&self, input: &Object) -> Result<Option<Ready>, StepError> {
        let Some(plan) = &self.lookup else { return Ok(None) };
        let context = exchange::preview_context(self.inputs.complete(input)?);
        Ready::build(&self.service, plan, &context).map(Some)
    }

    /// Does a request of it carry the run's key?
    pub fn is_keyed(&self) -> bool {
        self.plan.templates().iter().any(|template| template.paths().iter().any(|path| path == "run.key"))
    }

    /// Everything that the action lists, in the service's order. `complete` is false when there was more than the manifest fetches.
    pub async fn list(&self, input: &Object, call: &Call<'_>) -> Result<(Vec<Json>, bool, Context), StepError> {
        let mut context = context(self.inputs.complete(input)?, call);
        self.look_up(&mut context, call).await?;
        let mut turn = Turn::begin(self.paging.as_ref(), None);
        let (mut all, mut complete) = (Vec::new(), true);
        context.set_named("page", turn.page());
        let mut ready = Ready::build(&self.service, &self.plan, &context)?;
        loop {
            let response = exchange::send_and_judge(&self.service, &self.id, &ready, &mut context, call).await?;
            let items = match &self.items {
                Some(items) => match items.resolve(&context)? {
                    Some(Json::Array(items)) => items,
                    None | Some(Json::Null) => Vec::new(),
                    Some(_) => return Err(strange(&self.service)),
                },
                None => Vec::new(),
            };
            let count = items.len();
            all.extend(items);
            match turn.next(&response.headers, count, &context)? {
                Next::End => break,
                _ if turn.is_full() => {
                    complete = false;
                    break;
                }
                Next::Page(page) => {
                    context.set_named("page", page);
                    ready = Ready::build(&self.service, &self.plan, &context)?;
                }
                Next::Address(address) => ready = ready.to(&self.service, &address)?,
            }
        }
        if turn.fetched > 1 {
            call.trace.log(format!("{} pages were read; the last request and answer are shown.", turn.fetched));
        }
        Ok((all, complete, context))
    }

    async fn look_up(&self, context: &mut Context, call: &Call<'_>) -> Result<(), StepError> {
        let Some(plan) = &self.lookup else { return Ok(()) };
        match exchange::judged(&self.service, &self.id, plan, context, call).await {
            Ok(_) => {
                if let Some(found) = context.take_named("response") {
                    context.set_named("found", found);
                }
                Ok(())
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                call.trace.log("The look-up found nothing.");
                Ok(())
            }
            // Nothing has been changed yet: an outcome that nobody knows is no reason to ask a person.
            Err(error) if matches!(error.kind, ErrorKind::Uncertain | ErrorKind::Timeout) => {
                Err(StepError { kind: ErrorKind::Unavailable, ..error })
            }
            Err(error) => Err(error),
        }
    }

    fn shape(&self, items: Vec<Json>, complete: bool, context: &mut Context) -> Result<Json, StepError> {
        let mut added = Vec::with_capacity(self.output.add.len());
        for (name, template) in &self.output.add {
            if let Some(value) = template.resolve(context)? {
                added.push((name.clone(), value));
            }
        }
        let whole = match &self.output.from {
            Some(from) => from.resolve(context)?.unwrap_or_else(|| json!({})),
            None if self.items.is_some() => json!({ "items": items, "complete": complete }),
            None => body_of(context),
        };
        if added.is_empty() {
            return Ok(whole);
        }
        let mut fields = super::fields_of(whole);
        fields.extend(added);
        Ok(Json::Object(fields))
    }
}

fn body_of(context: &mut Context) -> Json {
    let body = context.take_named("response").and_then(|response| match response {
        Json::Object(mut fields) => fields.swap_remove("body"),
        _ => None,
    });
    match body {
        None | Some(Json::Null) => json!({}),
        Some(body) => body,
    }
}

pub fn strange(service: &Service) -> StepError {
    StepError::new(ErrorKind::Internal, format!("{} answered in another shape than its connector knows.", service.name))
        .hint("The service may have changed. Look at its answer, and for a newer version of Towpath.")
}

impl Act for Action {
    fn run<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Output, StepError>> {
        Box::pin(async move {
            let (items, complete, mut context) = self.list(call.input, &call).await?;
            // The service has done it: an answer of another shape is no leave to do it again.
            let value =
                self.shape(items, complete, &mut context).map_err(|error| StepError { kind: ErrorKind::Internal, ..error })?;
            Ok(Output { value })
        })
    }

    fn preview(&self, input: &Object) -> Result<Json, StepError> {
        Ok(self.request(input)?.show())
    }
}
