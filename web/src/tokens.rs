//! The design tokens keep what they promise: WCAG AA contrast, light and dark.

use std::collections::HashMap;

const TOKENS: &str = include_str!("../assets/css/parts/tokens.css");

/// Name → (light, dark), for every token that is a pair of plain colours.
fn colours() -> HashMap<&'static str, [f64; 2]> {
    TOKENS
        .lines()
        .filter_map(|line| {
            let (name, pair) = line.trim().strip_prefix("--")?.split_once(": light-dark(")?;
            let (light, dark) = pair.trim_end_matches(");").split_once(", ")?;
            Some((name, [luminance(light)?, luminance(dark)?]))
        })
        .collect()
}

/// Relative luminance, as WCAG defines it.
fn luminance(hex: &str) -> Option<f64> {
    let digits = hex.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&digits[at..at + 2], 16).ok()?) / 255.0;
        Some(if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) })
    };
    Some(0.2126 * channel(0)? + 0.7152 * channel(2)? + 0.0722 * channel(4)?)
}

fn contrast(one: f64, other: f64) -> f64 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn text_can_be_read_on_every_ground_it_stands_on_light_and_dark() {
    let colours = colours();
    let grounds = ["bg", "surface", "sunken", "raised"];
    let mut pairs: Vec<(&str, &str, f64)> = Vec::new();
    for ground in grounds {
        pairs.extend(["text", "text-muted", "accent"].map(|text| (text, ground, 4.5)));
    }
    pairs
        .extend([("ok", "ok-soft"), ("bad", "bad-soft"), ("wait", "wait-soft"), ("info", "info-soft")].map(|(a, b)| (a, b, 4.5)));
    pairs.extend([("on-accent", "accent", 4.5), ("on-accent", "accent-strong", 4.5), ("on-bad", "bad", 4.5)]);
    pairs.extend([("accent", "accent-soft", 4.5), ("bad", "surface", 4.5), ("bad", "bg", 4.5)]);
    // Borders of controls and the focus ring.
    pairs.extend([("line-strong", "surface", 3.0), ("line-strong", "bg", 3.0), ("accent", "bg", 3.0)]);
    for (text, ground, least) in pairs {
        for (at, scheme) in ["light", "dark"].into_iter().enumerate() {
            let found = contrast(colours[text][at], colours[ground][at]);
            assert!(found >= least, "--{text} on --{ground}, {scheme}: {found:.2} is under {least}");
        }
    }
}
