//! Home: the runs of the last day or week in figures and bars, what failed last, what waits. Before there is a workflow it is the
//! gallery of starters.

use crate::{
    app::App,
    auth::{Actor, permission::Action},
    pages,
    problem::Problem,
    store::{figures, workspaces},
};
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Days, DurationRound, NaiveTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use towpath_web::{
    home::show::{Failure, Home, Span, Waiting, chart},
    layout::Area,
};

#[derive(Deserialize)]
pub struct Filter {
    #[serde(default)]
    period: String,
}

/// `GET /`
pub async fn show(State(app): State<App>, actor: Actor, Query(filter): Query<Filter>) -> Result<Response, Problem> {
    if actor.instance_owner && app.engine.is_held() {
        // Nothing goes on before this is decided.
        return Ok(Redirect::to("/settings/restored").into_response());
    }
    if !figures::any_workflow(&app.pool, actor.workspace).await? {
        return Ok(Redirect::to("/workflows").into_response());
    }
    let span = if filter.period == "week" { Span::Week } else { Span::Day };
    let now = app.clock.now();
    let zone = workspaces::settings(&app.pool, actor.workspace).await?.time_zone.parse().unwrap_or(Tz::UTC);
    let (since, starts) = slices(now, span, zone);
    let (ended, active, waiting, refused, failures) = tokio::try_join!(
        figures::ended(&app.pool, actor.workspace, since, &starts),
        figures::active(&app.pool, actor.workspace),
        figures::waiting(&app.pool, actor.workspace),
        figures::refused(&app.pool, actor.workspace),
        figures::failures(&app.pool, actor.workspace, since, 5),
    )?;
    let bars: Vec<_> =
        starts.iter().zip(&ended[1..]).map(|(start, slice)| (rfc3339(*start), slice.succeeded, slice.failed)).collect();
    let view = Home {
        page: actor.page("Home", Area::Home),
        span,
        succeeded: ended.iter().map(|slice| slice.succeeded).sum(),
        failed: ended.iter().map(|slice| slice.failed).sum(),
        active,
        waiting: Waiting {
            runs: waiting.runs,
            undecided: waiting.undecided,
            refused: refused.into_iter().map(|it| (it.connection.to_string(), it.name, it.runs)).collect(),
            oldest: waiting.oldest.map(|oldest| (oldest.run.to_string(), oldest.workflow_name, rfc3339(oldest.since))),
        },
        chart: chart(&bars),
        failures: failures
            .into_iter()
            .map(|failure| Failure {
                run: failure.run.to_string(),
                workflow: failure.workflow_name,
                reason: failure.reason.unwrap_or_default(),
                at: rfc3339(failure.at),
            })
            .collect(),
        operates: actor.role.may(Action::OperateRuns),
    };
    pages::html(&view)
}

/// How far back the figures go (as the list of runs does), and where the bars begin: twelve of two hours, or seven days as the
/// workspace's calendar has them. The last one holds now.
fn slices(now: DateTime<Utc>, span: Span, zone: Tz) -> (DateTime<Utc>, Vec<DateTime<Utc>>) {
    match span {
        Span::Day => {
            let end = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now) + TimeDelta::hours(1);
            (now - TimeDelta::hours(24), (1..=12).rev().map(|back| end - TimeDelta::hours(2) * back).collect())
        }
        Span::Week => {
            let today = now.with_timezone(&zone).date_naive();
            let midnight = |back: u64| {
                let day = (today - Days::new(back)).and_time(NaiveTime::MIN);
                // Where clocks skip midnight, the day begins at one.
                let local = day.and_local_timezone(zone).earliest();
                local
                    .or_else(|| (day + TimeDelta::hours(1)).and_local_timezone(zone).earliest())
                    .map_or(now, |local| local.to_utc())
            };
            (now - TimeDelta::days(7), (0..7).rev().map(midnight).collect())
        }
    }
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bar_holds_now_and_no_bar_looks_further_back_than_the_figures() {
        let now: DateTime<Utc> = "2026-03-30T10:20:30Z".parse().unwrap();
        for span in [Span::Day, Span::Week] {
            let (since, starts) = slices(now, span, Tz::Europe__Berlin);
            assert!(starts.is_sorted() && starts[0] >= since && *starts.last().unwrap() <= now, "{starts:?}");
        }
    }

    #[test]
    fn days_are_the_workspace_s_own_also_when_clocks_change() {
        // Clocks in Berlin went forward on Sunday the 29th.
        let now: DateTime<Utc> = "2026-03-30T10:20:30Z".parse().unwrap();
        let (_, starts) = slices(now, Span::Week, Tz::Europe__Berlin);
        assert_eq!(rfc3339(starts[5]), "2026-03-28T23:00:00Z");
        assert_eq!(rfc3339(starts[6]), "2026-03-29T22:00:00Z");
    }
}
