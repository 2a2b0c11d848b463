//! A new connector's folder, ready to be changed: it passes its check and the suite as it is. It writes nothing; whoever asks does.

/// Files by their names within the folder.
pub fn files(id: &str) -> Vec<(String, String)> {
    let name = title(id);
    let fill = |text: &str| text.replace("%ID%", id).replace("%NAME%", &name);
    [
        ("connector.yaml", include_str!("scaffold/connector.yaml")),
        ("icon.svg", include_str!("scaffold/icon.svg")),
        ("README.md", include_str!("scaffold/README.md")),
        ("cases/list_projects.yaml", include_str!("scaffold/cases/list_projects.yaml")),
        ("cases/create_item.yaml", include_str!("scaffold/cases/create_item.yaml")),
        ("cases/create_item_refused.yaml", include_str!("scaffold/cases/create_item_refused.yaml")),
        ("cases/new_item.yaml", include_str!("scaffold/cases/new_item.yaml")),
    ]
    .map(|(file, text)| (file.to_owned(), fill(text)))
    .to_vec()
}

/// Can it be a connector's id?
pub fn is_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.len() <= 40
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// `my_crm` → `My crm`
fn title(id: &str) -> String {
    let words = id.replace('_', " ");
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{manifest::Folder, suite};

    #[tokio::test]
    async fn a_new_folder_passes_its_check_and_the_suite() {
        let folder = Folder::of("my_crm", files("my_crm"));
        let outcomes = suite::run(&folder, &[], "2026-03-02".parse().unwrap()).await;
        let bad: Vec<_> = outcomes.into_iter().filter(suite::Outcome::is_bad).collect();
        assert!(bad.is_empty(), "{bad:#?}");
    }

    #[test]
    fn ids_are_plain_names() {
        assert!(["a", "my_crm", "x2"].into_iter().all(is_id));
        assert!(!["", "2x", "My", "a-b", "../x", "a/b", "é"].into_iter().any(is_id));
    }
}
