//! Arithmetic as people expect it: whole numbers stay whole and exact, decimals are computed as decimals (0.1 + 0.2 is 0.3), and
//! a result that can't be held is an error.

use super::error::Fault;
use crate::Json;
use rust_decimal::{Decimal, MathematicalOps, prelude::FromPrimitive, prelude::ToPrimitive};
use serde_json::Number;
use std::cmp::Ordering;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Num {
    Int(i128),
    Float(f64),
}

impl Num {
    pub fn of(number: &Number) -> Self {
        match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Self::Int(int.into()),
            (_, Some(int)) => Self::Int(int.into()),
            _ => Self::Float(number.as_f64().unwrap_or_default()),
        }
    }

    /// A number, or text that is written as one (`12`, `-3.5`, `1e3`, blanks around it allowed).
    pub fn read(value: &Json) -> Option<Self> {
        match value {
            Json::Number(number) => Some(Self::of(number)),
            Json::String(text) => Self::parse(text),
            _ => None,
        }
    }

    /// Text written as a number, with a point and without marks between thousands.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        // Rust would also read `inf`, `nan`, `.5` and `1.`; only the last two are numbers to people.
        if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !digits.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        match text.parse::<i128>() {
            Ok(int) => Some(Self::Int(int)),
            Err(_) => text.parse::<f64>().ok().filter(|float| float.is_finite()).map(Self::Float),
        }
    }

    pub fn to_f64(self) -> f64 {
        match self {
            #[allow(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }

    /// The decimal that the number's shortest digits spell, if 28 digits can hold it.
    pub fn to_decimal(self) -> Option<Decimal> {
        match self {
            Self::Int(int) => Decimal::from_i128(int),
            Self::Float(float) => {
                let text = float.to_string();
                if text.len() > 40 { None } else { text.parse().ok().filter(|decimal: &Decimal| decimal.to_f64() == Some(float)) }
            }
        }
    }

    /// A whole decimal becomes a whole number.
    pub fn from_decimal(decimal: Decimal) -> Self {
        match decimal.is_integer().then(|| decimal.to_i128()).flatten() {
            Some(int) => Self::Int(int),
            None => Self::Float(decimal.normalize().to_string().parse().unwrap_or_default()),
        }
    }

    /// The number as JSON, or an error when 64 bits can't hold it.
    pub fn into_json(self) -> Result<Json, Fault> {
        let number = match self {
            Self::Int(int) => i64::try_from(int).map(Number::from).or_else(|_| u64::try_from(int).map(Number::from)).ok(),
            Self::Float(float) => Number::from_f64(float),
        };
        number.map(Json::Number).ok_or_else(|| Fault::new("The result is too large to count with exactly."))
    }

    pub fn is_zero(self) -> bool {
        self.to_f64() == 0.0
    }

    pub fn negative(self) -> Self {
        match self {
            Self::Int(int) => Self::Int(-int),
            Self::Float(float) => Self::Float(-float),
        }
    }
}

impl PartialEq for Num {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Num {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Int(a), Self::Float(b)) => compare(*a, *b),
            (Self::Float(a), Self::Int(b)) => compare(*b, *a).map(Ordering::reverse),
        }
    }
}

/// A whole number against a double, exactly: 9007199254740993 is more than 9007199254740992.0.
fn compare(int: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, reason = "saturates at the ends of i128, which no 64-bit number reaches")]
    let floor = float.floor() as i128;
    Some(int.cmp(&floor).then(if float.fract() == 0.0 { Ordering::Equal } else { Ordering::Less }))
}

const TOO_LARGE: &str = "The result is too large to count with exactly.";

/// `+`, `-`, `*`.
pub(super) fn combine(
    a: Num,
    b: Num,
    whole: fn(i128, i128) -> Option<i128>,
    decimal: fn(Decimal, Decimal) -> Option<Decimal>,
    float: fn(f64, f64) -> f64,
) -> Result<Num, Fault> {
    if let (Num::Int(a), Num::Int(b)) = (a, b) {
        return whole(a, b).map(Num::Int).ok_or_else(|| TOO_LARGE.into());
    }
    if let Some(result) = a.to_decimal().zip(b.to_decimal()).and_then(|(a, b)| decimal(a, b)) {
        return Ok(Num::from_decimal(result));
    }
    finite(float(a.to_f64(), b.to_f64()))
}

pub(crate) fn add(a: Num, b: Num) -> Result<Num, Fault> {
    combine(a, b, i128::checked_add, Decimal::checked_add, |a, b| a + b)
}

pub(super) fn subtract(a: Num, b: Num) -> Result<Num, Fault> {
    combine(a, b, i128::checked_sub, Decimal::checked_sub, |a, b| a - b)
}

pub(super) fn multiply(a: Num, b: Num) -> Result<Num, Fault> {
    combine(a, b, i128::checked_mul, Decimal::checked_mul, |a, b| a * b)
}

/// Whole when it comes out even, else a decimal.
pub(crate) fn divide(a: Num, b: Num) -> Result<Num, Fault> {
    if b.is_zero() {
        return Err("A number can't be divided by zero.".into());
    }
    if let (Num::Int(a), Num::Int(b)) = (a, b)
        && a.checked_rem(b) == Some(0)
    {
        return Ok(Num::Int(a / b));
    }
    match a.to_decimal().zip(b.to_decimal()).and_then(|(a, b)| a.checked_div(b)) {
        Some(result) if !result.is_zero() => Ok(Num::from_decimal(result)),
        _ => finite(a.to_f64() / b.to_f64()),
    }
}

/// The whole part of a quotient, rounded down: `7 // 2` is 3 and `-7 // 2` is -4.
pub(super) fn floor_divide(a: Num, b: Num) -> Result<Num, Fault> {
    if b.is_zero() {
        return Err("A number can't be divided by zero.".into());
    }
    if let (Num::Int(a), Num::Int(b)) = (a, b) {
        let quotient = a.checked_div_euclid(b).ok_or(TOO_LARGE)?;
        // Euclid rounds so that the remainder is positive; down means away from zero for a negative divisor.
        return Ok(Num::Int(if b < 0 && a.rem_euclid(b) != 0 { quotient - 1 } else { quotient }));
    }
    match divide(a, b)? {
        int @ Num::Int(_) => Ok(int),
        Num::Float(float) => Ok(whole(float.floor())),
    }
}

/// What remains of a division rounded down; it has the divisor's sign.
pub(super) fn remainder(a: Num, b: Num) -> Result<Num, Fault> {
    subtract(a, multiply(floor_divide(a, b)?, b)?)
}

pub(super) fn power(a: Num, b: Num) -> Result<Num, Fault> {
    if let (Num::Int(base), Num::Int(exponent)) = (a, b)
        && let Ok(exponent) = u32::try_from(exponent)
    {
        return base.checked_pow(exponent).map(Num::Int).ok_or_else(|| TOO_LARGE.into());
    }
    if let (Some(base), Num::Int(exponent @ 0..=100)) = (a.to_decimal(), b)
        && let Some(result) = u64::try_from(exponent).ok().and_then(|exponent| base.checked_powu(exponent))
    {
        return Ok(Num::from_decimal(result));
    }
    finite(a.to_f64().powf(b.to_f64()))
}

fn finite(float: f64) -> Result<Num, Fault> {
    if float.is_finite() { Ok(Num::Float(float)) } else { Err(TOO_LARGE.into()) }
}

/// A double without a fraction as a whole number, where that loses nothing.
pub(crate) fn whole(float: f64) -> Num {
    if float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 {
        #[allow(clippy::cast_possible_truncation, reason = "checked right above")]
        return Num::Int(float as i128);
    }
    Num::Float(float)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(result: Result<Num, Fault>) -> String {
        result.unwrap().into_json().unwrap().to_string()
    }

    #[test]
    fn money_adds_up() {
        assert_eq!(text(add(Num::Float(0.1), Num::Float(0.2))), "0.3");
        assert_eq!(text(multiply(Num::Float(19.99), Num::Int(3))), "59.97");
        assert_eq!(text(multiply(Num::Float(1.1), Num::Float(1.1))), "1.21");
        assert_eq!(text(subtract(Num::Float(1.5), Num::Float(0.5))), "1");
    }

    #[test]
    fn division_is_whole_when_it_comes_out_even() {
        assert_eq!(text(divide(Num::Int(10), Num::Int(2))), "5");
        assert_eq!(text(divide(Num::Int(1), Num::Int(3))), "0.3333333333333333");
        assert_eq!(text(divide(Num::Int(1), Num::Int(8))), "0.125");
        assert!(divide(Num::Int(1), Num::Float(0.0)).is_err());
        for (a, b, quotient, rest) in [(7, 2, 3, 1), (-7, 2, -4, 1), (7, -2, -4, -1), (-7, -2, 3, -1), (6, -2, -3, 0)] {
            assert_eq!(floor_divide(Num::Int(a), Num::Int(b)).unwrap(), Num::Int(quotient), "{a} // {b}");
            assert_eq!(remainder(Num::Int(a), Num::Int(b)).unwrap(), Num::Int(rest), "{a} % {b}");
        }
    }

    #[test]
    fn what_64_bits_cannot_hold_is_an_error() {
        assert!(multiply(Num::Int(i128::MAX), Num::Int(2)).is_err());
        assert!(power(Num::Int(10), Num::Int(40)).is_err());
        assert!(power(Num::Int(10), Num::Int(30)).unwrap().into_json().is_err());
        assert!(power(Num::Float(1e300), Num::Int(2)).is_err());
        assert_eq!(text(add(Num::Int(i128::from(u64::MAX) - 1), Num::Int(1))), u64::MAX.to_string());
    }

    #[test]
    fn only_what_people_call_a_number_is_read_as_one() {
        for (written, read) in
            [("12", Some(12.0)), (" -3.5 ", Some(-3.5)), ("1e3", Some(1000.0)), ("+7", Some(7.0)), (".5", Some(0.5))]
        {
            assert_eq!(Num::parse(written).map(Num::to_f64), read, "{written}");
        }
        for written in ["", "abc", "inf", "NaN", "-inf", "1,5", "0x10", "1e999", "12 apples", "-", ".", "+-1"] {
            assert!(Num::parse(written).is_none(), "{written}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_and_doubles_are_compared_exactly(int in any::<i64>(), float in any::<f64>()) {
            let expected = Decimal::from_i128(int.into()).zip(Num::Float(float).to_decimal()).map(|(a, b)| a.cmp(&b));
            if let Some(expected) = expected {
                prop_assert_eq!(Num::Int(int.into()).partial_cmp(&Num::Float(float)), Some(expected));
            }
        }

        #[test]
        fn arithmetic_never_panics(a in any::<f64>(), b in any::<f64>(), c in any::<i64>(), d in any::<i64>()) {
            let numbers = [Num::Float(a), Num::Float(b), Num::Int(c.into()), Num::Int(d.into()), Num::Int(i128::MAX), Num::Int(i128::MIN + 1)];
            for x in numbers {
                for y in numbers {
                    for operation in [add, subtract, multiply, divide, floor_divide, remainder, power] {
                        let _ = operation(x, y).and_then(Num::into_json);
                    }
                }
            }
        }
    }
}
