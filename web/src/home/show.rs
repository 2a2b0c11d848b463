//! Home: figures, a chart whose numbers can be read, the last failures.

use crate::layout::Page;
use askama::Template;
use towpath_engine::expr::write_whole;

#[derive(Template)]
#[template(path = "home/show.html")]
pub struct Home {
    pub page: Page,
    pub span: Span,
    pub succeeded: i64,
    pub failed: i64,
    /// Queued or under way, now.
    pub active: i64,
    pub waiting: Waiting,
    pub chart: Vec<Bar>,
    pub failures: Vec<Failure>,
    /// May this person decide about runs?
    pub operates: bool,
}

/// How far back the page looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Day,
    Week,
}

pub struct Waiting {
    pub runs: i64,
    pub undecided: i64,
    /// Connections that their services refuse, and how many runs wait for each: id, name, runs.
    pub refused: Vec<(String, String, i64)>,
    /// Run, workflow's name, since when (RFC 3339).
    pub oldest: Option<(String, String, String)>,
}

pub struct Failure {
    pub run: String,
    pub workflow: String,
    pub reason: String,
    /// RFC 3339.
    pub at: String,
}

/// One slice of the chart. Heights are in hundredths of the chart's height and drawn from the bottom.
#[derive(Debug, PartialEq, Eq)]
pub struct Bar {
    /// When the slice begins, RFC 3339.
    pub from: String,
    pub succeeded: i64,
    pub failed: i64,
    pub succeeded_height: i64,
    pub failed_height: i64,
}

impl Bar {
    pub fn total(&self) -> i64 {
        self.succeeded + self.failed
    }

    /// The number above the bar: short, and nothing for nothing.
    pub fn label(&self) -> String {
        if self.total() == 0 { String::new() } else { short(self.total()) }
    }

    /// Where the green part begins, from the top.
    pub fn succeeded_top(&self) -> i64 {
        100 - self.succeeded_height
    }

    /// The red part stands on the green one.
    pub fn failed_top(&self) -> i64 {
        self.succeeded_top() - self.failed_height
    }
}

impl Home {
    pub fn ended(&self) -> i64 {
        self.succeeded + self.failed
    }

    /// "2 % of 350", or nothing when nothing failed.
    pub fn failure_rate(&self) -> String {
        let (failed, ended) = (self.failed, self.ended());
        if failed == 0 {
            return String::new();
        }
        match share(failed, ended) {
            0 => format!("under 1 % of {}", self.figure(&ended)),
            percent => format!("{percent} % of {}", self.figure(&ended)),
        }
    }

    pub fn period(&self) -> &'static str {
        match self.span {
            Span::Day => "day",
            Span::Week => "week",
        }
    }

    pub fn period_words(&self) -> &'static str {
        match self.span {
            Span::Day => "the last 24 hours",
            Span::Week => "the last 7 days",
        }
    }

    /// A number as people write it: 12,345.
    pub fn figure(&self, number: &i64) -> String {
        let language = self.page.nav.as_ref().map_or("en", |nav| nav.language.as_str());
        write_whole(*number, language)
    }
}

/// The bars of slices (start, succeeded, failed), the highest as high as the chart. Something is never drawn as nothing.
pub fn chart(slices: &[(String, i64, i64)]) -> Vec<Bar> {
    let highest = slices.iter().map(|(_, succeeded, failed)| succeeded + failed).max().unwrap_or(0).max(1);
    let height = |number: i64| if number == 0 { 0 } else { (number * 100 / highest).max(2) };
    slices
        .iter()
        .map(|(from, succeeded, failed)| {
            let failed_height = height(*failed);
            Bar {
                from: from.clone(),
                succeeded: *succeeded,
                failed: *failed,
                succeeded_height: height(*succeeded).min(100 - failed_height),
                failed_height,
            }
        })
        .collect()
}

fn short(number: i64) -> String {
    match number {
        ..1_000 => number.to_string(),
        1_000..10_000 => format!("{}.{}k", number / 1_000, number % 1_000 / 100),
        10_000..1_000_000 => format!("{}k", number / 1_000),
        _ => format!("{}.{}M", number / 1_000_000, number % 1_000_000 / 100_000),
    }
}

/// Whole percent, to the nearest; what is not all is not called all.
fn share(part: i64, all: i64) -> i64 {
    let most = if part < all { 99 } else { 100 };
    ((part * 200 + all) / (all * 2)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_fit_and_nothing_small_vanishes() {
        let bars = chart(&[("a".into(), 100_000, 0), ("b".into(), 3, 1), ("c".into(), 0, 0), ("d".into(), 99_999, 1)]);
        assert_eq!((bars[0].succeeded_height, bars[0].failed_height), (100, 0));
        assert_eq!((bars[1].succeeded_height, bars[1].failed_height), (2, 2));
        assert_eq!((bars[2].succeeded_height, bars[2].failed_height), (0, 0));
        assert!(bars.iter().all(|bar| bar.failed_top() >= 0), "{bars:?}");
        assert_eq!(bars[2].label(), "");
    }

    #[test]
    fn a_share_is_rounded_and_all_only_when_it_is_all() {
        for ((part, all), percent) in [((6, 7), 86), ((1, 1_000), 0), ((1, 200), 1), ((999, 1_000), 99), ((3, 3), 100)] {
            assert_eq!(share(part, all), percent);
        }
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(
            (short(999), short(1_240), short(45_678), short(2_345_678)),
            ("999".into(), "1.2k".into(), "45k".into(), "2.3M".into())
        );
    }
}
