//! A trigger of a manifest that asks the service for news. Stateless: everything that it remembers is in the cursor.
//!
//! The cursor holds the largest values seen (`at`), what the first look saw (`from`, `first`: nothing older is news), and where a look
//! stopped that met more pages than it may fetch (`page`, with the largest values so far in `ahead`).

use super::{
    action::strange,
    compile::{ANSWER, Fault, ITEM, Inputs, Paging, Plan, Service, Shaping, at, text_at, whole_at},
    document::{Order, PollSpec, Trigger},
    exchange::{self, context},
    input::Input,
    pages::{Next, Turn},
    position::{Position, largest, shifted},
    request::Ready,
};
use crate::sdk::{
    Call,
    poll::{Cursor, Item, Poll as Ask, Polled},
    value,
};
use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use towpath_engine::{
    Json, Object,
    error::StepError,
    expr::{Context, Template},
};

/// How many keys of the first look are remembered.
const REMEMBERED: usize = 500;

/// A polling trigger.
pub struct Poll {
    service: Arc<Service>,
    id: String,
    inputs: Inputs,
    plan: Plan,
    paging: Option<Paging>,
    items: Template,
    cursor: Vec<(String, Template)>,
    keep_if: Option<Template>,
    key: Template,
    output: Shaping,
    every: Duration,
    overlap: u64,
    order: Order,
    samples: usize,
}

/// Where the last look ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    #[serde(default)]
    at: Position,
    #[serde(default, skip_serializing_if = "Position::is_empty")]
    from: Position,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    first: Vec<String>,
    /// The first look isn't over: it stopped at `page`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    starting: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ahead: Option<Position>,
}

struct Found {
    key: String,
    position: Position,
    /// `None`: not what the trigger is for.
    value: Option<Json>,
}

impl Poll {
    pub fn compile(
        service: &Arc<Service>,
        id: &str,
        trigger: &Trigger,
        spec: &PollSpec,
        inputs: &IndexMap<String, Input>,
    ) -> Result<Self, Fault> {
        let path = format!("triggers.{id}.poll");
        let request = spec.request().ok_or_else(|| Fault::new(&path, "it needs a request: get or post"))?;
        if spec.cursor.is_empty() {
            return Err(Fault::new(format!("{path}.cursor"), "without a cursor every look would begin at the beginning"));
        }
        let cursor =
            spec.cursor.iter().map(|(name, value)| Ok((name.clone(), at(&format!("{path}.cursor.{name}"), value, ITEM)?)));
        Ok(Self {
            service: Arc::clone(service),
            id: id.into(),
            inputs: Inputs::compile(&format!("triggers.{id}"), inputs)?,
            plan: Plan::compile(&path, &request)?,
            paging: spec.pages.as_ref().map(|pages| Paging::compile(&path, pages)).transpose()?,
            items: whole_at(&format!("{path}.items"), &spec.items, ANSWER)?,
            cursor: cursor.collect::<Result<_, Fault>>()?,
            keep_if: spec.keep_if.as_ref().map(|test| whole_at(&format!("{path}.keep_if"), test, ITEM)).transpose()?,
            key: text_at(&format!("{path}.key"), &spec.key, ITEM)?,
            output: Shaping::compile(&format!("triggers.{id}"), trigger.output.as_ref(), ITEM)?,
            every: Duration::from_secs(spec.every),
            overlap: spec.overlap,
            order: spec.order,
            samples: spec.samples,
        })
    }

    /// The exact request of a look that begins at a cursor's values, without sending it.
    pub fn request(&self, input: &Object, at: Option<&Object>) -> Result<Ready, StepError> {
        let mut context = exchange::preview_context(self.inputs.complete(input)?);
        let begin = at.map(|at| shifted(&Position(at.clone()), self.overlap)).unwrap_or_default();
        context.set_named("cursor", Json::Object(begin.0));
        context.set_named("page", Turn::begin(self.paging.as_ref(), None).page());
        Ready::build(&self.service, &self.plan, &context)
    }

    async fn look(&self, call: &Call<'_>, state: Option<State>) -> Result<Polled, StepError> {
        let mut context = context(self.inputs.complete(call.input)?, call);
        let sampling = state.is_none();
        let mut state = state.unwrap_or_default();
        let first_look = sampling || state.starting;
        let begin = if first_look { Position::default() } else { shifted(&state.at, self.overlap) };
        context.set_named("cursor", Json::Object(begin.0.clone()));
        let mut turn = Turn::begin(self.paging.as_ref(), None);
        let mut ready = self.begin(&mut context, &mut turn, state.page.take())?;
        let mut found: Vec<Found> = Vec::new();
        let resume = loop {
            let response = exchange::send_and_judge(&self.service, &self.id, &ready, &mut context, call).await?;
            let items = self.items(&context)?;
            let count = items.len();
            found.extend(self.read(items, &mut context)?);
            let next = turn.next(&response.headers, count, &context)?;
            // The first look is for samples only: the newest page is enough.
            if next == Next::End || (first_look && self.order == Order::NewestFirst) {
                break None;
            }
            if turn.is_full() {
                break Some(turn.page());
            }
            match next {
                Next::Page(page) => {
                    context.set_named("page", page);
                    ready = Ready::build(&self.service, &self.plan, &context)?;
                }
                Next::Address(address) => ready = ready.to(&self.service, &address)?,
                Next::End => break None,
            }
        };
        if self.order == Order::NewestFirst {
            found.reverse();
        }
        // Pages may come in another order than their items.
        found.sort_by(|a, b| a.position.order(&b.position));
        Ok(if first_look { self.first(state, found, resume, sampling) } else { self.later(state, found, resume) })
    }

    /// The first request of this look: of the page that the last one stopped at, if it did.
    fn begin<'p>(&'p self, context: &mut Context, turn: &mut Turn<'p>, page: Option<Json>) -> Result<Ready, StepError> {
        let address = page.as_ref().and_then(|page| page["address"].as_str()).map(ToOwned::to_owned);
        *turn = Turn::begin(self.paging.as_ref(), page);
        context.set_named("page", turn.page());
        let ready = Ready::build(&self.service, &self.plan, context)?;
        match address {
            Some(address) => ready.to(&self.service, &address),
            None => Ok(ready),
        }
    }

    fn items(&self, context: &Context) -> Result<Vec<Json>, StepError> {
        match self.items.resolve(context)? {
            Some(Json::Array(items)) => Ok(items),
            None | Some(Json::Null) => Ok(Vec::new()),
            Some(_) => Err(strange(&self.service)),
        }
    }

    fn read(&self, items: Vec<Json>, context: &mut Context) -> Result<Vec<Found>, StepError> {
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            context.set_named("item", item);
            let kept = self.keep_if.as_ref().is_none_or(|test| super::answer::holds(test, context));
            let mut position = Object::new();
            for (name, template) in &self.cursor {
                if let Some(value) = template.resolve(context)?.filter(|value| !value.is_null()) {
                    position.insert(name.clone(), value);
                }
            }
            let key = self.key.resolve(context)?.as_ref().map(value::text).unwrap_or_default();
            if key.is_empty() {
                return Err(strange(&self.service));
            }
            let value = if kept { Some(self.output.item(context)?) } else { None };
            found.push(Found { key, position: Position(position), value });
        }
        Ok(found)
    }

    /// Samples, and the cursor from which news begin.
    fn first(&self, before: State, found: Vec<Found>, resume: Option<Json>, sampling: bool) -> Polled {
        let at = found.iter().fold(before.at, |at, found| largest(at, &found.position));
        let first = found.iter().rev().map(|found| found.key.clone()).chain(before.first).take(REMEMBERED).collect();
        let kept: Vec<Item> = found.into_iter().filter_map(Found::item).collect();
        // A list that begins with its oldest is read to its end; what comes in a later part of the first look is old all the same.
        let skip = if sampling { kept.len().saturating_sub(self.samples) } else { kept.len() };
        let more = resume.is_some();
        let state = State { from: at.clone(), at, first, starting: more, page: resume, ahead: None };
        Polled { items: kept.into_iter().skip(skip).collect(), cursor: Some(state.into()), more, wait: None }
    }

    /// News.
    fn later(&self, state: State, found: Vec<Found>, resume: Option<Json>) -> Polled {
        let ahead =
            found.iter().fold(state.ahead.clone().unwrap_or_else(|| state.at.clone()), |at, found| largest(at, &found.position));
        // A service that can't be asked for the newer part only lists what lies behind the overlap as well.
        let begin = shifted(&state.at, self.overlap);
        let old = |found: &Found| {
            state.first.contains(&found.key) || found.position.is_before(&state.from) || found.position.is_before(&begin)
        };
        let items = found.into_iter().filter(|found| !old(found)).filter_map(Found::item).collect();
        let more = resume.is_some();
        let mut next = if more {
            // The cursor moves when the whole list was read: a list that begins with its newest would lose its older part else.
            State { at: state.at.clone(), page: resume, ahead: Some(ahead), ..state }
        } else {
            State { at: ahead, page: None, ahead: None, ..state }
        };
        // What the first look saw lies behind all that later ones ask for.
        if !next.from.is_empty() && !more && next.from.is_before(&shifted(&next.at, self.overlap)) {
            next.from = Position::default();
            next.first.clear();
        }
        Polled { items, cursor: Some(next.into()), more, wait: None }
    }
}

impl Found {
    fn item(self) -> Option<Item> {
        self.value.map(|value| Item { key: self.key, value })
    }
}

impl From<State> for Cursor {
    fn from(state: State) -> Self {
        Self(serde_json::to_value(state).unwrap_or_else(|_| json!({})))
    }
}

impl Ask for Poll {
    fn poll<'a>(&'a self, call: Call<'a>, cursor: Option<Cursor>) -> BoxFuture<'a, Result<Polled, StepError>> {
        Box::pin(async move {
            // A cursor that can't be read is a defect; beginning anew would lose what came meanwhile without a word.
            let state = cursor.map(|cursor| serde_json::from_value(cursor.0)).transpose();
            let state = state.map_err(|error| {
                StepError::new(
                    towpath_engine::error::ErrorKind::Internal,
                    format!("The place where the last look ended can't be read: {error}."),
                )
            })?;
            self.look(&call, state).await
        })
    }

    fn every(&self) -> Duration {
        self.every
    }
}

impl Shaping {
    /// What a trigger's item is handed on as.
    pub fn item(&self, context: &mut Context) -> Result<Json, StepError> {
        let mut added = Vec::with_capacity(self.add.len());
        for (name, template) in &self.add {
            if let Some(value) = template.resolve(context)? {
                added.push((name.clone(), value));
            }
        }
        let whole = match &self.from {
            Some(from) => from.resolve(context)?.unwrap_or_default(),
            None => context.take_named("item").unwrap_or_default(),
        };
        if added.is_empty() {
            return Ok(whole);
        }
        let mut fields = super::fields_of(whole);
        fields.extend(added);
        Ok(Json::Object(fields))
    }
}
