//! How numbers and amounts of money are written in the languages of the world, as far as signs and their places go (after
//! Unicode's CLDR).

use crate::expr::error::Fault;
use rust_decimal::{Decimal, RoundingStrategy};

/// A blank that doesn't break the line.
const BLANK: &str = "\u{a0}";
/// A narrow one.
const NARROW: &str = "\u{202f}";

/// The habits of one language or region.
#[derive(Clone, Copy, Debug)]
pub(super) struct Locale {
    /// Between thousands, and before the fraction.
    thousands: &'static str,
    point: &'static str,
    money: Money,
    /// Four digits without a mark: 1234 but 12.345.
    from_five: bool,
    /// 12,34,567
    lakh: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Money {
    /// `$1.00`
    Before,
    /// `€ 1,00`
    BeforeApart,
    /// `1,00 €`
    After,
}

const fn locale(thousands: &'static str, point: &'static str, money: Money) -> Locale {
    Locale { thousands, point, money, from_five: false, lakh: false }
}

const LOCALES: &[(&str, Locale)] = &[
    ("en", locale(",", ".", Money::Before)),
    ("en-in", Locale { lakh: true, ..locale(",", ".", Money::Before) }),
    ("hi", Locale { lakh: true, ..locale(",", ".", Money::Before) }),
    ("en-za", locale(BLANK, ",", Money::BeforeApart)),
    ("de", locale(".", ",", Money::After)),
    ("de-at", locale(BLANK, ",", Money::BeforeApart)),
    ("de-ch", locale("’", ".", Money::BeforeApart)),
    ("de-li", locale("’", ".", Money::BeforeApart)),
    ("fr", locale(NARROW, ",", Money::After)),
    ("fr-ch", locale(NARROW, ",", Money::After)),
    ("it", locale(".", ",", Money::After)),
    ("it-ch", locale("’", ".", Money::BeforeApart)),
    ("es", Locale { from_five: true, ..locale(".", ",", Money::After) }),
    ("es-mx", locale(",", ".", Money::Before)),
    ("pt", locale(".", ",", Money::BeforeApart)),
    ("pt-pt", Locale { from_five: true, ..locale(BLANK, ",", Money::After) }),
    ("nl", locale(".", ",", Money::BeforeApart)),
    ("da", locale(".", ",", Money::After)),
    ("sv", locale(BLANK, ",", Money::After)),
    ("nb", locale(BLANK, ",", Money::After)),
    ("no", locale(BLANK, ",", Money::After)),
    ("fi", locale(BLANK, ",", Money::After)),
    ("is", locale(".", ",", Money::After)),
    ("pl", Locale { from_five: true, ..locale(BLANK, ",", Money::After) }),
    ("cs", locale(BLANK, ",", Money::After)),
    ("sk", locale(BLANK, ",", Money::After)),
    ("hu", Locale { from_five: true, ..locale(BLANK, ",", Money::After) }),
    ("ro", locale(".", ",", Money::After)),
    ("bg", Locale { from_five: true, ..locale(BLANK, ",", Money::After) }),
    ("hr", locale(".", ",", Money::After)),
    ("sl", locale(".", ",", Money::After)),
    ("sr", locale(".", ",", Money::After)),
    ("el", locale(".", ",", Money::After)),
    ("et", Locale { from_five: true, ..locale(BLANK, ",", Money::After) }),
    ("lv", Locale { from_five: true, ..locale(BLANK, ",", Money::After) }),
    ("lt", locale(BLANK, ",", Money::After)),
    ("uk", locale(BLANK, ",", Money::After)),
    ("ru", locale(BLANK, ",", Money::After)),
    ("tr", locale(".", ",", Money::Before)),
    ("id", locale(".", ",", Money::BeforeApart)),
    ("vi", locale(".", ",", Money::After)),
    ("he", locale(",", ".", Money::After)),
    ("ja", locale(",", ".", Money::Before)),
    ("ko", locale(",", ".", Money::Before)),
    ("zh", locale(",", ".", Money::Before)),
    ("th", locale(",", ".", Money::Before)),
];

/// Signs of currencies; one that isn't here is written by its code.
const SIGNS: &[(&str, &str)] = &[
    ("EUR", "€"),
    ("USD", "$"),
    ("GBP", "£"),
    ("JPY", "¥"),
    ("CNY", "CN¥"),
    ("INR", "₹"),
    ("KRW", "₩"),
    ("BRL", "R$"),
    ("CAD", "CA$"),
    ("AUD", "A$"),
    ("NZD", "NZ$"),
    ("MXN", "MX$"),
    ("HKD", "HK$"),
    ("TWD", "NT$"),
    ("ILS", "₪"),
    ("VND", "₫"),
    ("PHP", "₱"),
    ("TRY", "₺"),
    ("UAH", "₴"),
    ("RUB", "₽"),
    ("PLN", "zł"),
    ("CZK", "Kč"),
    ("HUF", "Ft"),
    ("SEK", "kr"),
    ("NOK", "kr"),
    ("DKK", "kr."),
];

/// Currencies whose amounts don't have two digits behind the point (ISO 4217).
fn digits(code: &str) -> u32 {
    match code {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV" | "XAF" | "XOF"
        | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// The habits of a language such as `de` or `de-CH`; a region that has none of its own follows its language.
pub(super) fn find(written: &str) -> Result<Locale, Fault> {
    let tag = written.trim().to_ascii_lowercase().replace('_', "-");
    let language = tag.split('-').next().unwrap_or_default();
    let find = |name: &str| LOCALES.iter().find(|(known, _)| *known == name).map(|(_, locale)| *locale);
    find(&tag).or_else(|| find(language)).ok_or_else(|| {
        Fault::new("This language isn't known here; write its code, such as en, de, fr or de-CH.").saw(format!("\"{written}\""))
    })
}

impl Locale {
    /// The number with marks between thousands; without a word about digits it keeps its own.
    pub fn number(self, number: Decimal, digits: Option<u32>) -> String {
        let shown = match digits {
            Some(digits) => {
                let rounded = number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
                format!("{:.*}", digits as usize, rounded.abs())
            }
            None => number.normalize().abs().to_string(),
        };
        let (whole, fraction) = shown.split_once('.').unwrap_or((&shown, ""));
        let zero = shown.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        let mut out = String::from(if number.is_sign_negative() && !zero { "-" } else { "" });
        out.push_str(&self.grouped(whole));
        if !fraction.is_empty() {
            out.push_str(self.point);
            out.push_str(fraction);
        }
        out
    }

    /// The amount with the currency's sign.
    pub fn money(self, amount: Decimal, code: &str) -> String {
        let number = self.number(amount, Some(digits(code)));
        let sign = SIGNS.iter().find(|(known, _)| *known == code).map_or(code, |(_, sign)| sign);
        let (minus, number) = number.strip_prefix('-').map_or(("", number.as_str()), |rest| ("-", rest));
        match self.money {
            // A code instead of a sign stands apart: CHF 5.00.
            Money::Before if sign.chars().all(|c| c.is_ascii_alphabetic()) => format!("{minus}{sign}{BLANK}{number}"),
            Money::Before => format!("{minus}{sign}{number}"),
            Money::BeforeApart => format!("{sign}{BLANK}{minus}{number}"),
            Money::After => format!("{minus}{number}{BLANK}{sign}"),
        }
    }

    fn grouped(self, whole: &str) -> String {
        if whole.len() < 4 || (self.from_five && whole.len() == 4) {
            return whole.to_owned();
        }
        let mut out = String::with_capacity(whole.len() * 2);
        for (index, digit) in whole.chars().enumerate() {
            let left = whole.len() - index;
            let mark = if self.lakh && left > 3 { (left - 3).is_multiple_of(2) } else { left.is_multiple_of(3) };
            if index > 0 && mark {
                out.push_str(self.thousands);
            }
            out.push(digit);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: &str, code: &str, language: &str) -> String {
        find(language).unwrap().money(amount.parse().unwrap(), code).replace(BLANK, "_").replace(NARROW, "~")
    }

    #[test]
    fn money_is_written_as_each_language_has_it() {
        for (amount, code, language, written) in [
            ("1234.5", "USD", "en", "$1,234.50"),
            ("-1234.5", "USD", "en-US", "-$1,234.50"),
            ("1234.5", "CHF", "en", "CHF_1,234.50"),
            ("1234.5", "EUR", "de", "1.234,50_€"),
            ("1234567.005", "EUR", "fr", "1~234~567,01_€"),
            ("1234.5", "CHF", "de-CH", "CHF_1’234.50"),
            ("1234.5", "EUR", "nl", "€_1.234,50"),
            ("1234.5", "BRL", "pt-BR", "R$_1.234,50"),
            ("1234.5", "EUR", "es", "1234,50_€"),
            ("12345.5", "EUR", "es", "12.345,50_€"),
            ("12345678", "INR", "en-IN", "₹1,23,45,678.00"),
            ("1234.5", "JPY", "ja", "¥1,235"),
            ("0.0005", "KWD", "en", "KWD_0.001"),
            ("-0.001", "EUR", "en", "€0.00"),
        ] {
            assert_eq!(money(amount, code, language), written);
        }
        assert!(find("klingon").is_err());
    }

    #[test]
    fn every_language_groups_and_rounds() {
        for (name, locale) in LOCALES {
            let written = locale.number("1234567.895".parse().unwrap(), Some(2));
            assert!(written.ends_with(&format!("{}90", locale.point)), "{name}: {written}");
            assert_eq!(written.chars().filter(char::is_ascii_digit).collect::<String>(), "123456790", "{name}");
        }
    }
}
