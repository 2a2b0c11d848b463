//! What a re-rendered form knows: the mistakes in it, and which field to go to.

/// The mistakes of a form, by field. Empty when a form is shown for the first time.
#[derive(Clone, Debug, Default)]
pub struct Errors(Vec<(&'static str, String)>);

impl Errors {
    pub fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push((field, message.into()));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with this field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == field).map(|(_, message)| message.as_str())
    }

    /// Every mistake with its field.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(field, message)| (*field, message.as_str()))
    }

    /// Does the cursor belong here? In the first field with a mistake; without mistakes, in the form's first.
    pub fn focus(&self, field: &str, first: bool) -> bool {
        match self.0.first() {
            Some((name, _)) => *name == field,
            None => first,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_goes_to_the_first_mistake() {
        let mut errors = Errors::default();
        assert!(errors.focus("name", true) && !errors.focus("email", false));
        errors.add("email", "Write an address such as ada@example.com.");
        errors.add("password", "Use at least 10 characters.");
        assert!(errors.focus("email", false) && !errors.focus("name", true) && !errors.focus("password", false));
        assert_eq!(errors.of("password"), Some("Use at least 10 characters."));
    }
}
