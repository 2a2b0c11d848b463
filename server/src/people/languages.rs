//! The languages in which a workspace can write dates and numbers. Only those whose habits the expressions know, so that pages and
//! workflows agree.

/// What a workspace writes until somebody chooses.
pub const DEFAULT: &str = "en-GB";

/// BCP 47 tags with their names, by name.
pub const ALL: &[(&str, &str)] = &[
    ("bg-BG", "Bulgarian"),
    ("zh-CN", "Chinese"),
    ("hr-HR", "Croatian"),
    ("cs-CZ", "Czech"),
    ("da-DK", "Danish"),
    ("nl-NL", "Dutch"),
    ("nl-BE", "Dutch (Belgium)"),
    ("en-GB", "English (United Kingdom)"),
    ("en-US", "English (United States)"),
    ("en-AU", "English (Australia)"),
    ("en-CA", "English (Canada)"),
    ("en-IN", "English (India)"),
    ("en-IE", "English (Ireland)"),
    ("en-NZ", "English (New Zealand)"),
    ("en-ZA", "English (South Africa)"),
    ("et-EE", "Estonian"),
    ("fi-FI", "Finnish"),
    ("fr-FR", "French"),
    ("fr-BE", "French (Belgium)"),
    ("fr-CA", "French (Canada)"),
    ("fr-CH", "French (Switzerland)"),
    ("de-DE", "German"),
    ("de-AT", "German (Austria)"),
    ("de-CH", "German (Switzerland)"),
    ("el-GR", "Greek"),
    ("he-IL", "Hebrew"),
    ("hi-IN", "Hindi"),
    ("hu-HU", "Hungarian"),
    ("is-IS", "Icelandic"),
    ("id-ID", "Indonesian"),
    ("it-IT", "Italian"),
    ("it-CH", "Italian (Switzerland)"),
    ("ja-JP", "Japanese"),
    ("ko-KR", "Korean"),
    ("lv-LV", "Latvian"),
    ("lt-LT", "Lithuanian"),
    ("nb-NO", "Norwegian"),
    ("pl-PL", "Polish"),
    ("pt-BR", "Portuguese (Brazil)"),
    ("pt-PT", "Portuguese (Portugal)"),
    ("ro-RO", "Romanian"),
    ("ru-RU", "Russian"),
    ("sr-RS", "Serbian"),
    ("sk-SK", "Slovak"),
    ("sl-SI", "Slovenian"),
    ("es-ES", "Spanish"),
    ("es-MX", "Spanish (Mexico)"),
    ("sv-SE", "Swedish"),
    ("th-TH", "Thai"),
    ("tr-TR", "Turkish"),
    ("uk-UA", "Ukrainian"),
    ("vi-VN", "Vietnamese"),
];

/// The language of exactly this tag.
pub fn of_tag(tag: &str) -> Option<&'static str> {
    ALL.iter().map(|(known, _)| *known).find(|known| *known == tag)
}

/// The nearest that is known to what a browser says of itself: the same, else the same language, else the default.
pub fn nearest(said: &str) -> &'static str {
    let language = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let same = ALL.iter().map(|(tag, _)| *tag).find(|tag| tag.eq_ignore_ascii_case(said.trim()));
    // Of several the first of its name is the one without a country.
    let related = || {
        let mut related = ALL.iter().filter(|(tag, _)| language(tag) == language(said.trim()));
        related.clone().find(|(_, name)| !name.contains('(')).or_else(|| related.next()).map(|(tag, _)| *tag)
    };
    same.or_else(related).unwrap_or(DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_says_finds_its_nearest() {
        for (said, found) in [
            ("de-CH", "de-CH"),
            ("de", "de-DE"),
            ("de-LU", "de-DE"),
            ("en", "en-GB"),
            ("pt-BR", "pt-BR"),
            ("PT-pt", "pt-PT"),
            ("tlh", "en-GB"),
            ("", "en-GB"),
        ] {
            assert_eq!(nearest(said), found, "{said}");
        }
    }

    #[test]
    fn expressions_know_every_language_on_the_list() {
        for (tag, _) in ALL {
            assert!(towpath_engine::expr::knows_language(tag), "{tag}");
        }
        assert_eq!(of_tag(DEFAULT), Some(DEFAULT));
    }
}
