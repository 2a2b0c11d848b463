//! Which of the known names somebody meant who wrote another one.

/// The known name that is nearest to `written`, if one is near enough to be a slip of the finger.
pub(crate) fn closest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let written: Vec<char> = written.chars().take(64).flat_map(char::to_lowercase).collect();
    let most = (written.len() / 3).max(1);
    known
        .map(|name| (distance(&written, name), name))
        .filter(|(far, _)| *far <= most)
        .min_by_key(|(far, _)| *far)
        .map(|(_, name)| name)
}

/// Levenshtein's distance, without regard to case; names beyond 64 characters are never near.
fn distance(a: &[char], name: &str) -> usize {
    let b: Vec<char> = name.chars().take(65).flat_map(char::to_lowercase).collect();
    if b.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let cost = if x == y { diagonal } else { 1 + diagonal.min(row[j]).min(row[j + 1]) };
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_another_word_is_not() {
        let known = ["total", "currency", "lines"];
        assert_eq!(closest("totl", known.into_iter()), Some("total"));
        assert_eq!(closest("Total", known.into_iter()), Some("total"));
        assert_eq!(closest("line", known.into_iter()), Some("lines"));
        assert_eq!(closest("weather", known.into_iter()), None);
        assert_eq!(closest(&"x".repeat(100_000), known.into_iter()), None);
    }
}
