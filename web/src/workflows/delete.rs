//! The question before a workflow is deleted.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "workflows/delete.html")]
pub struct Delete {
    pub page: Page,
    pub id: String,
    pub name: String,
    pub published: bool,
    /// Runs that are queued, under way or waiting.
    pub running: i64,
    /// Events in its inbox.
    pub parked: i64,
}

impl Delete {
    /// What deleting takes along, a sentence each.
    pub fn consequences(&self) -> Vec<String> {
        let mut sentences = vec!["Its address stops answering at once.".to_owned()];
        sentences.extend(match self.running {
            0 => None,
            1 => Some("One run is under way. It goes on to its end.".to_owned()),
            n => Some(format!("{n} runs are under way. They go on to their end.")),
        });
        sentences.extend(match self.parked {
            0 => None,
            1 => Some("One event waits in its inbox. It can't be started any more.".to_owned()),
            n => Some(format!("{n} events wait in its inbox. They can't be started any more.")),
        });
        sentences.push("Past runs stay in the list of runs until they are too old.".to_owned());
        sentences
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Theme;

    #[test]
    fn the_page_says_what_deleting_takes_along() {
        let page = Page { title: String::new(), theme: Theme::System, insecure: false, held: false, nav: None, notice: None };
        let mut delete = Delete { page, id: String::new(), name: String::new(), published: true, running: 0, parked: 0 };
        assert_eq!(delete.consequences().len(), 2);
        (delete.running, delete.parked) = (1, 3);
        let said = delete.consequences().join(" ");
        assert!(said.contains("One run is under way.") && said.contains("3 events wait"), "{said}");
    }
}
