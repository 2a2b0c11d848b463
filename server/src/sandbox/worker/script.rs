//! One piece of JavaScript in a fresh world of its own: values in, the body of an asynchronous function, values out. It has the
//! language and a console; no modules, no timers, nothing of the system. Nothing that it does to its world is there for the next one.

use super::{
    super::{
        LOG_BYTES, LOG_LINES, MEMORY, OUTPUT, explain,
        wire::{At, Failure, Frame},
    },
    Ran,
};
use rquickjs::{
    Context, Ctx, Error, FromJs, Function, Object, Promise, Runtime, Value,
    context::{EvalOptions, intrinsic},
};
use serde_json::value::RawValue;
use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

const PRELUDE: &str = include_str!("prelude.js");
/// The name of the user's code in stacks.
const FILE: &str = "code";
/// What stands before the user's code, on its first line.
const BEFORE: &str = "(async function (input) {";
const AFTER: &str = "\n})";
/// How deep calls may go, in bytes of stack; a thread of a process has eight times as much.
const STACK: usize = 1 << 20;
/// How much of a console's line is kept, in bytes.
const LINE: usize = 10 << 10;
/// How long it may take to read code that isn't run.
const READING: Duration = Duration::from_secs(1);

/// The language, without what only measures or renders.
type World = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
    intrinsic::WeakRef,
);

/// What a script may use.
#[derive(Clone, Debug)]
pub struct Limits {
    pub time: Duration,
    /// In bytes.
    pub memory: usize,
    /// In bytes of JSON.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), memory: MEMORY, output: OUTPUT }
    }
}

/// What happened while the script ran that it can't be asked about itself.
#[derive(Default)]
struct Noted {
    is_late: Cell<bool>,
    is_too_much: Cell<bool>,
}

/// Runs the code over an input, which is JSON. `then` hears what came of it before the script's world is taken apart.
pub fn run<T>(code: &str, input: &str, limits: &Limits, log: Rc<dyn Fn(&str)>, then: impl FnOnce(Ran) -> T) -> T {
    match world(limits) {
        Ok((_runtime, context, noted)) => {
            let ran = context.with(|ctx| {
                let script = Script { ctx, noted: Rc::clone(&noted) };
                let ran = script.run(code, input, limits, log);
                if noted.is_late.get() { Err(Failure::TookTooLong) } else { ran }
            });
            then(ran)
        }
        Err(_) => then(Err(Failure::NeededTooMuch)),
    }
}

/// Reads code without running it.
pub fn check(code: &str) -> Option<Failure> {
    let limits = Limits { time: READING, ..Limits::default() };
    let (_runtime, context, noted) = world(&limits).ok()?;
    let failure = context.with(|ctx| Script { ctx, noted: Rc::clone(&noted) }.read(code).err());
    if noted.is_late.get() { None } else { failure }
}

fn world(limits: &Limits) -> rquickjs::Result<(Runtime, Context, Rc<Noted>)> {
    let runtime = Runtime::new()?;
    runtime.set_memory_limit(limits.memory);
    runtime.set_max_stack_size(STACK);
    let noted = Rc::new(Noted::default());
    let (late, deadline) = (Rc::clone(&noted), Instant::now() + limits.time);
    runtime.set_interrupt_handler(Some(Box::new(move || {
        let is_late = Instant::now() >= deadline;
        late.is_late.set(late.is_late.get() || is_late);
        is_late
    })));
    let context = Context::custom::<World>(&runtime)?;
    Ok((runtime, context, noted))
}

struct Script<'js> {
    ctx: Ctx<'js>,
    noted: Rc<Noted>,
}

impl<'js> Script<'js> {
    fn run(&self, code: &str, input: &str, limits: &Limits, log: Rc<dyn Fn(&str)>) -> Ran {
        let prelude = self.prelude(limits, log).map_err(|error| self.failed(&error, None))?;
        let failed = |error: Error| self.failed(&error, Some(&prelude));
        let body = self.read(code)?;
        let input: Value<'_> = call(&prelude, "read", (input, has_long_number(input))).map_err(failed)?;
        let promise: Value<'_> = body.call((input,)).map_err(failed)?;
        let promise = Promise::from_value(promise).map_err(failed)?;
        let result: Value<'_> = match promise.finish() {
            Err(Error::WouldBlock) => return Err(Failure::WaitsForEver),
            other => other.map_err(failed)?,
        };
        let output: rquickjs::Result<String> = call(&prelude, "write", (result,));
        let output = output.map_err(|error| match self.failed(&error, Some(&prelude)) {
            _ if self.noted.is_too_much.get() => Failure::GaveTooMuch,
            Failure::Thrown { message, .. } if message.contains("call stack") => {
                Failure::NotJson { message: "it nests too deep".to_owned() }
            }
            Failure::Thrown { message, .. } if message.contains("circular") => {
                Failure::NotJson { message: "it holds itself (a circular reference)".to_owned() }
            }
            Failure::Thrown { message, frames, .. } if frames.is_empty() => Failure::NotJson { message },
            other => other,
        })?;
        if output.len() > limits.output {
            return Err(Failure::GaveTooMuch);
        }
        RawValue::from_string(output).map_err(|error| Failure::NotJson { message: error.to_string() })
    }

    /// The user's code as a function that nobody has called.
    fn read(&self, code: &str) -> Result<Function<'js>, Failure> {
        if code.contains('\0') {
            return Err(Failure::Syntax { message: "it holds a character that can't be seen (NUL)".to_owned(), at: None });
        }
        let mut options = EvalOptions::default();
        options.strict = false;
        options.filename = Some(FILE.to_owned());
        let function = self.ctx.eval_with_options(format!("{BEFORE}{code}{AFTER}"), options);
        function.map_err(|error| match self.failed(&error, None) {
            Failure::Thrown { name: Some(name), message, frames } if name == "SyntaxError" => {
                let last = u32::try_from(code.lines().count()).unwrap_or(u32::MAX).max(1);
                let at = frames.first().map(|frame| At { line: frame.at.line.min(last), ..frame.at });
                Failure::Syntax { message, at }
            }
            other => other,
        })
    }

    fn prelude(&self, limits: &Limits, log: Rc<dyn Fn(&str)>) -> rquickjs::Result<Object<'js>> {
        let mut options = EvalOptions::default();
        options.filename = Some("towpath".to_owned());
        let prelude: Function<'_> = self.ctx.eval_with_options(PRELUDE.trim_end(), options)?;
        let console = Console::new(log);
        let say = Function::new(self.ctx.clone(), move |line: String| console.say(&line))?;
        let noted = Rc::clone(&self.noted);
        let too_much = Function::new(self.ctx.clone(), move || noted.is_too_much.set(true))?;
        prelude.call((say, too_much, limits.output))
    }

    /// What went wrong. With the prelude also what the code threw itself is shown as a console would.
    fn failed(&self, error: &Error, prelude: Option<&Object<'js>>) -> Failure {
        if !error.is_exception() {
            return match error {
                Error::Allocation => Failure::NeededTooMuch,
                other => Failure::Thrown { name: None, message: other.to_string(), frames: Vec::new() },
            };
        }
        let thrown = self.ctx.catch();
        // An engine without memory for an error throws nothing at all.
        if thrown.is_null() || thrown.is_uncatchable_error() {
            return Failure::NeededTooMuch;
        }
        let text = |name: &str| thrown.as_object().and_then(|it| it.get::<_, Value<'_>>(name).ok()).and_then(|it| text(&it));
        if !thrown.is_error() {
            let shown = prelude.and_then(|prelude| call::<_, String>(prelude, "show", (thrown.clone(),)).ok());
            self.ctx.catch();
            return Failure::Thrown { name: None, message: shown.unwrap_or_default(), frames: Vec::new() };
        }
        let (name, message, stack) = (text("name"), text("message").unwrap_or_default(), text("stack").unwrap_or_default());
        // A getter of the code's own may have thrown.
        self.ctx.catch();
        if name.as_deref() == Some("InternalError") && (message.starts_with("out of memory") || message == "string too long") {
            return Failure::NeededTooMuch;
        }
        Failure::Thrown { name, message, frames: frames(&stack) }
    }
}

/// Calls one of the prelude's functions.
fn call<'js, A: rquickjs::function::IntoArgs<'js>, R: FromJs<'js>>(
    prelude: &Object<'js>,
    name: &str,
    args: A,
) -> rquickjs::Result<R> {
    prelude.get::<_, Function<'js>>(name)?.call(args)
}

fn text(value: &Value<'_>) -> Option<String> {
    value.as_string()?.to_string().ok()
}

/// May a number in this JSON have more digits than a JavaScript number keeps? Looking into texts as well does no harm.
fn has_long_number(json: &str) -> bool {
    let mut digits = 0;
    json.bytes().any(|byte| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits >= 16
    })
}

/// The lines of a stack that are in the user's code: `    at name (code:3:5)`.
fn frames(stack: &str) -> Vec<Frame> {
    stack.lines().filter_map(frame).collect()
}

fn frame(line: &str) -> Option<Frame> {
    let line = line.trim().strip_prefix("at ")?;
    let (function, place) = match line.rsplit_once(" (") {
        Some((function, place)) => (Some(function), place.strip_suffix(')')?),
        None => (None, line),
    };
    let mut numbers = place.strip_prefix(FILE)?.strip_prefix(':')?.split(':').map(str::parse::<u32>);
    let (line, column) = (numbers.next()?.ok()?, numbers.next().and_then(Result::ok).unwrap_or(1));
    let before = if line == 1 { u32::try_from(BEFORE.len()).unwrap_or(0) } else { 0 };
    let named = function.map(str::trim).filter(|name| !name.is_empty() && !name.starts_with('<'));
    Some(Frame { function: named.map(ToOwned::to_owned), at: At { line, column: column.saturating_sub(before).max(1) } })
}

/// Lines of a console, within bounds.
struct Console {
    log: Rc<dyn Fn(&str)>,
    lines: Cell<usize>,
    bytes: Cell<usize>,
}

impl Console {
    fn new(log: Rc<dyn Fn(&str)>) -> Self {
        Self { log, lines: Cell::new(0), bytes: Cell::new(0) }
    }

    fn say(&self, line: &str) {
        let (lines, bytes) = (self.lines.get() + 1, self.bytes.get());
        if bytes == usize::MAX {
            return;
        }
        let line = &line[..line.floor_char_boundary(LINE)];
        if lines > LOG_LINES || bytes + line.len() > LOG_BYTES {
            self.bytes.set(usize::MAX);
            return (self.log)(&explain::log_cut());
        }
        self.lines.set(lines);
        self.bytes.set(bytes + line.len());
        (self.log)(line);
    }
}

#[cfg(test)]
mod tests;
