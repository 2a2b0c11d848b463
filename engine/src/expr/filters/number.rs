//! Filters for numbers. Text that is written as a number counts as one.

use super::locale;
use crate::{
    Json,
    expr::{
        error::Fault,
        eval::order,
        functions::{Arguments, Call, Function, Group, Kind, Parameter, may, need},
        number::{self, Num},
        value::{Val, show, wrong},
    },
};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use std::cmp::Ordering;

const fn filter(name: &'static str, call: Call, parameters: &'static [Parameter]) -> Function {
    Function::filter(Group::Number, name, call, parameters)
}

type Value<'a> = Result<Val<'a>, Fault>;

pub(super) const TABLE: &[Function] = &[
    filter("number", to_number, &[may("decimal_sign")]).says(
        "As a number",
        r#""1.234,50" | number(",")"#,
        "1234.5",
        "Reads text as a number. Name a comma as the decimal sign for numbers such as 1.234,50.",
    ),
    filter("round", |call| rounded(call, RoundingStrategy::MidpointAwayFromZero), &[may("digits")]).says(
        "Round",
        "2.345 | round(2)",
        "2.35",
        "To so many digits behind the point (none unless you say so); a half is rounded away from zero.",
    ),
    filter("floor", |call| rounded(call, RoundingStrategy::ToNegativeInfinity), &[may("digits")]).says(
        "Round down",
        "2.7 | floor",
        "2",
        "Down to so many digits behind the point.",
    ),
    filter("ceil", |call| rounded(call, RoundingStrategy::ToPositiveInfinity), &[may("digits")]).says(
        "Round up",
        "2.1 | ceil",
        "3",
        "Up to so many digits behind the point.",
    ),
    filter("abs", abs, &[]).says("Without its sign", "(3 - 10) | abs", "7", "The number without a minus."),
    filter("format_number", format_number, &[may("language"), may("digits")]).says(
        "As people write it",
        r#"1234567.891 | format_number("de", 2)"#,
        r#""1.234.567,89""#,
        "With marks between thousands as the language has it (the workspace's unless you name one) and so many digits behind the point.",
    ),
    filter("currency", currency, &[need("code"), may("language")]).says(
        "As an amount of money",
        r#"1234.5 | currency("EUR", "de")"#,
        "\"1.234,50\u{a0}€\"",
        "With the currency's sign and digits, as the language has it (the workspace's unless you name one).",
    ),
    filter("sum", |call| sum(call).and_then(|(sum, _)| Ok(sum.into_json()?.into())), &[may("field")]).says(
        "Sum",
        r#"[{"price": 19.99}, {"price": 5.01}] | sum("price")"#,
        "25",
        "All numbers of the list, or of one field of its items, added up. An empty list sums up to 0.",
    ),
    filter("average", average, &[may("field")]).says(
        "Average",
        "[2, 4, 9] | average",
        "5",
        "The sum divided by the number of items. Missing for an empty list.",
    ),
    filter("min", |call| extreme(call, Ordering::is_lt), &[may("field")]).says(
        "Smallest",
        "[3, 1, 2] | min",
        "1",
        "The smallest number, the earliest date or the first text of the list, or of one field of its items.",
    ),
    filter("max", |call| extreme(call, Ordering::is_gt), &[may("field")]).says(
        "Largest",
        r#"["2026-01-31", "2026-11-20"] | max"#,
        r#""2026-11-20""#,
        "The largest number, the latest date or the last text of the list, or of one field of its items.",
    ),
    Function { kind: Kind::Function, ..filter("range", range, &[need("from"), may("to")]) }.says(
        "Numbers in a row",
        "range(1, 4)",
        "[1,2,3]",
        "Whole numbers from the first up to, without, the second; range(3) is 0, 1, 2. At most 10,000 of them.",
    ),
    Function { kind: Kind::Function, pure: false, ..filter("random", random, &[may("from"), may("to")]) }.says(
        "A random number",
        "random(1, 1)",
        "1",
        "A whole number between the two, both included; with nothing in the brackets a decimal from 0 to 1. It is the same whenever this run repeats this step.",
    ),
];

fn to_number(mut call: Arguments<'_>) -> Value<'_> {
    let value = call.take(0)?;
    if !call.given(1) {
        return value.as_num(call.who())?.into_json().map(Val::Own);
    }
    let sign = call.text(1)?;
    if !matches!(&*sign, "," | ".") {
        return Err(Fault::new("The decimal sign is a comma or a point.").saw(format!("\"{sign}\"")));
    }
    let text = match value.json()? {
        Json::Number(_) => return Ok(value),
        Json::String(text) => text,
        other => return Err(wrong("number", "text or a number", other)),
    };
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '’') && (!matches!(c, ',' | '.') || sign.starts_with(*c)))
        .map(|c| if c == ',' { '.' } else { c })
        .collect();
    Num::parse(&plain).ok_or_else(|| wrong("number", "a number", &Json::from(text.as_str())))?.into_json().map(Val::Own)
}

fn rounded(mut call: Arguments<'_>, strategy: RoundingStrategy) -> Value<'_> {
    let number = call.number(0)?;
    let digits = u32::try_from(call.whole_or(1, 0, 0, 20)?).unwrap_or(0);
    round(number, digits, strategy).into_json().map(Val::Own)
}

/// A number with at most so many digits behind the point. One that is too large to be a decimal has none to round.
pub(super) fn round(number: Num, digits: u32, strategy: RoundingStrategy) -> Num {
    match number.to_decimal() {
        Some(decimal) => Num::from_decimal(decimal.round_dp_with_strategy(digits, strategy)),
        None if number.to_f64().abs() < 1.0 => Num::Int(0),
        None => number,
    }
}

fn abs(mut call: Arguments<'_>) -> Value<'_> {
    let number = call.number(0)?;
    if number < Num::Int(0) { number.negative() } else { number }.into_json().map(Val::Own)
}

/// A number as a decimal, for printing.
fn decimal(call: &Arguments<'_>, number: Num) -> Result<Decimal, Fault> {
    number.to_decimal().ok_or_else(|| Fault::new(format!("This number is too large for {}.", call.who())))
}

fn format_number(mut call: Arguments<'_>) -> Value<'_> {
    let number = call.number(0)?;
    let number = decimal(&call, number)?;
    let language = call.language(1)?;
    let digits = if call.given(2) { Some(u32::try_from(call.whole(2, 0, 20)?).unwrap_or(0)) } else { None };
    Ok(Val::text(locale::find(&language)?.number(number, digits)))
}

fn currency(mut call: Arguments<'_>) -> Value<'_> {
    let number = call.number(0)?;
    let number = decimal(&call, number)?;
    let code = call.text(1)?.trim().to_ascii_uppercase();
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Fault::new("A currency has a code of three letters, such as EUR or USD.").saw(format!("\"{code}\"")));
    }
    let language = call.language(2)?;
    Ok(Val::text(locale::find(&language)?.money(number, &code)))
}

/// The values of the list, or of one field of its items; null is left out.
fn values<'a>(call: &mut Arguments<'a>) -> Result<Vec<Json>, Fault> {
    let items = call.list(0)?.into_owned();
    if !call.given(1) {
        return Ok(items.into_iter().filter(|item| !item.is_null()).collect());
    }
    let field = call.text(1)?;
    Ok(items.iter().filter_map(|item| super::list::field(item, &field)).filter(|value| !value.is_null()).cloned().collect())
}

fn sum(mut call: Arguments<'_>) -> Result<(Num, usize), Fault> {
    let values = values(&mut call)?;
    let mut sum = Num::Int(0);
    for value in &values {
        let number = Num::read(value).ok_or_else(|| wrong(call.who(), "numbers", value))?;
        sum = number::add(sum, number)?;
    }
    Ok((sum, values.len()))
}

fn average(call: Arguments<'_>) -> Value<'_> {
    let (sum, count) = sum(call)?;
    if count == 0 {
        return Ok(Val::missing("An empty list has no average."));
    }
    number::divide(sum, Num::Int(count as i128))?.into_json().map(Val::Own)
}

fn extreme(mut call: Arguments<'_>, better: fn(Ordering) -> bool) -> Value<'_> {
    let mut values = values(&mut call)?.into_iter();
    let Some(mut best) = values.next() else { return Ok(Val::missing("An empty list has no smallest and no largest item.")) };
    for value in values {
        if better(order(&value, &best)?) {
            best = value;
        }
    }
    Ok(best.into())
}

fn range(mut call: Arguments<'_>) -> Value<'_> {
    const MOST: i64 = 10_000;
    const FAR: i64 = 1 << 53;
    let first = call.whole(0, -FAR, FAR)?;
    let (from, to) = if call.given(1) { (first, call.whole(1, -FAR, FAR)?) } else { (0, first) };
    if to - from > MOST {
        return Err(Fault::new("range makes at most 10,000 numbers.").saw(format!("{} of them", to - from)));
    }
    Ok(Json::Array((from..to).map(Json::from).collect()).into())
}

fn random(mut call: Arguments<'_>) -> Value<'_> {
    let seed = call.scope.seed(call.at).as_u128();
    // The seed is a hash, version and variant bits aside; these 53 bits are among the others.
    let draw = (seed & ((1 << 53) - 1)) as u64;
    if !call.given(0) {
        let fraction = Decimal::from(draw) / Decimal::from(1_u64 << 53);
        return Ok(Json::from(fraction.to_f64().unwrap_or_default()).into());
    }
    const FAR: i64 = 1 << 52;
    let first = call.whole(0, -FAR, FAR)?;
    let (from, to) = if call.given(1) { (first, call.whole(1, -FAR, FAR)?) } else { (0, first) };
    if to < from {
        return Err(Fault::new("random needs the smaller number first.").saw(show(&Json::from(vec![from, to]))));
    }
    let span = u64::try_from(to - from).unwrap_or(0) + 1;
    Ok(Json::from(from + i64::try_from(draw % span).unwrap_or(0)).into())
}
