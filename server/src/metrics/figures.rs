//! The counters and histograms, one set per process.

use ::metrics::{Counter, Histogram, Key, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use std::{sync::LazyLock, time::Duration};
use towpath_engine::record::EndState;

use crate::dispatch::TriggerKind;

/// Seconds, from a pure step to a slow call.
const SECONDS: [f64; 15] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 300.0];
/// Operations in one commit.
const SIZES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// The process's figures.
pub fn figures() -> &'static Figures {
    static FIGURES: LazyLock<Figures> = LazyLock::new(Figures::new);
    &FIGURES
}

/// What is counted while it happens. Handles are made once: to count is an atomic addition, to time is to append to a lock-free list
/// that is folded every few seconds.
pub struct Figures {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    accepted: [Counter; KINDS.len()],
    accept_seconds: Histogram,
    duplicates: Counter,
    started: Counter,
    ended: [Counter; 4],
    start_lag: Histogram,
    retries: Counter,
    blocked: Counter,
    calls: [Counter; 6],
    code_ended: Counter,
    denied: Counter,
    unauthenticated: Counter,
    batch_size: Histogram,
    commit_seconds: Histogram,
    schedule_lateness: Histogram,
}

const KINDS: [&str; 8] = ["webhook", "form", "manual", "replay", "schedule", "poll", "failure", "call"];
const STATES: [&str; 4] = ["succeeded", "failed", "cancelled", "dead_lettered"];
const CLASSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"];

impl Figures {
    fn new() -> Self {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Full("towpath_commit_operations".to_owned()), &SIZES))
            .expect("there are buckets")
            .build_recorder();
        let counter = |name: &'static str, about: &'static str| {
            recorder.describe_counter(name.into(), None, about.into());
            recorder.register_counter(&Key::from_static_name(name), &METADATA)
        };
        let labelled = |name: &'static str, label: &'static str, value: &'static str, about: &'static str| {
            recorder.describe_counter(name.into(), None, about.into());
            recorder.register_counter(&Key::from_parts(name, vec![Label::from_static_parts(label, value)]), &METADATA)
        };
        let histogram = |name: &'static str, unit: Unit, about: &'static str| {
            recorder.describe_histogram(name.into(), Some(unit), about.into());
            recorder.register_histogram(&Key::from_static_name(name), &METADATA)
        };
        recorder.describe_histogram(
            "towpath_step_seconds".into(),
            Some(Unit::Seconds),
            "Time of one attempt of a step that acts outside, by connector and outcome.".into(),
        );
        Self {
            accepted: KINDS.map(|kind| {
                labelled(
                    "towpath_events_accepted_total",
                    "kind",
                    kind,
                    "Events that are on disk with their run, by how they came.",
                )
            }),
            accept_seconds: histogram("towpath_accept_seconds", Unit::Seconds, "Time from an event at the door to its commit."),
            duplicates: counter("towpath_duplicate_deliveries_total", "Events that had come before and started no second run."),
            started: counter("towpath_runs_started_total", "Runs that were accepted."),
            ended: STATES.map(|state| labelled("towpath_runs_ended_total", "state", state, "Runs that ended, by state.")),
            start_lag: histogram(
                "towpath_start_lag_seconds",
                Unit::Seconds,
                "Time from the moment in which a run was due to its first step: what people feel.",
            ),
            retries: counter("towpath_step_retries_total", "Attempts of steps after the first."),
            blocked: counter("towpath_blocked_calls_total", "Outgoing connections that were refused because of their address."),
            calls: CLASSES.map(|class| {
                labelled(
                    "towpath_outbound_calls_total",
                    "status",
                    class,
                    "Outgoing HTTP requests, by class of status; none: no answer.",
                )
            }),
            code_ended: counter(
                "towpath_code_processes_ended_total",
                "Processes of code steps that were ended because the code broke a limit, or that ended by themselves.",
            ),
            denied: labelled(
                "towpath_denied_total",
                "reason",
                "forbidden",
                "Requests that their route's rule refused, by reason.",
            ),
            unauthenticated: labelled(
                "towpath_denied_total",
                "reason",
                "not_signed_in",
                "Requests that their route's rule refused, by reason.",
            ),
            batch_size: histogram("towpath_commit_operations", Unit::Count, "Operations in one commit of the engine's writer."),
            commit_seconds: histogram("towpath_commit_seconds", Unit::Seconds, "Time of one commit of the engine's writer."),
            schedule_lateness: histogram(
                "towpath_schedule_lateness_seconds",
                Unit::Seconds,
                "Time from a schedule's moment to its event.",
            ),
            handle: recorder.handle(),
            recorder,
        }
    }

    /// An event and its run are on disk.
    pub fn accepted(&self, kind: TriggerKind, took: Duration) {
        self.accepted[kind as usize - 1].increment(1);
        self.started.increment(1);
        self.accept_seconds.record(took);
    }

    /// An event came again.
    pub fn duplicate(&self) {
        self.duplicates.increment(1);
    }

    /// A process of a code step was not fit for another job.
    pub fn code_ended(&self) {
        self.code_ended.increment(1);
    }

    pub fn ended(&self, state: EndState) {
        self.ended[match state {
            EndState::Succeeded => 0,
            EndState::Failed => 1,
            EndState::Cancelled => 2,
            EndState::DeadLettered => 3,
        }]
        .increment(1);
    }

    /// A run began to do something so long after it was due.
    pub fn start_lag(&self, lag: chrono::TimeDelta) {
        self.start_lag.record(lag.to_std().unwrap_or_default());
    }

    /// One attempt of a step that acts outside. `operation` is an operation of the registry: its connector is a bounded label.
    pub fn step(&self, operation: &str, succeeded: bool, took: Duration) {
        let connector = operation.split('.').next().unwrap_or_default().to_owned();
        let labels = vec![
            Label::new("connector", connector),
            Label::from_static_parts("outcome", if succeeded { "succeeded" } else { "failed" }),
        ];
        self.recorder.register_histogram(&Key::from_parts("towpath_step_seconds", labels), &METADATA).record(took);
    }

    pub fn retry(&self) {
        self.retries.increment(1);
    }

    /// An outgoing request was answered with this status, or with none.
    pub fn call(&self, status: Option<u16>) {
        let class = status.map_or(5, |status| usize::from(status / 100).clamp(1, 5) - 1);
        self.calls[class].increment(1);
    }

    /// The guard refused an address.
    pub fn blocked(&self) {
        self.blocked.increment(1);
    }

    /// A route's rule refused somebody who is signed in.
    pub fn denied(&self) {
        self.denied.increment(1);
    }

    /// A route's rule refused somebody who isn't.
    pub fn unauthenticated(&self) {
        self.unauthenticated.increment(1);
    }

    /// The engine's writer committed.
    pub fn committed(&self, operations: usize, took: Duration) {
        self.batch_size.record(u32::try_from(operations).unwrap_or(u32::MAX));
        self.commit_seconds.record(took);
    }

    /// A schedule's event came so long after its moment.
    pub fn schedule_late(&self, lateness: chrono::TimeDelta) {
        self.schedule_lateness.record(lateness.to_std().unwrap_or_default());
    }

    /// Everything counted so far, as text.
    pub(super) fn render(&self) -> String {
        self.handle.render()
    }

    /// Folds what was timed since the last time; without it the lists grow until somebody asks.
    pub async fn keep_small(&self) {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            self.handle.run_upkeep();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown_and_every_label_is_from_a_closed_set() {
        let figures = Figures::new();
        figures.accepted(TriggerKind::Form, Duration::from_millis(3));
        figures.duplicate();
        figures.ended(EndState::Failed);
        figures.start_lag(chrono::TimeDelta::milliseconds(-5));
        figures.step("http.request", true, Duration::from_millis(20));
        for status in [Some(99), Some(200), Some(404), Some(599), Some(999), None] {
            figures.call(status);
        }
        figures.committed(7, Duration::from_millis(2));
        let text = figures.render();
        for line in [
            "towpath_events_accepted_total{kind=\"form\"} 1",
            "towpath_events_accepted_total{kind=\"webhook\"} 0",
            "towpath_duplicate_deliveries_total 1",
            "towpath_runs_ended_total{state=\"failed\"} 1",
            "towpath_start_lag_seconds_bucket{le=\"0.0005\"} 1",
            "towpath_step_seconds_count{connector=\"http\",outcome=\"succeeded\"} 1",
            "towpath_outbound_calls_total{status=\"1xx\"} 1",
            "towpath_outbound_calls_total{status=\"5xx\"} 2",
            "towpath_outbound_calls_total{status=\"none\"} 1",
            "towpath_commit_operations_bucket{le=\"8\"} 1",
            "towpath_commit_operations_bucket{le=\"4\"} 0",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is missing in\n{text}");
        }
    }
}
