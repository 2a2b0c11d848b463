//! A link that is shown once, to copy.

/// The link with what to say about it.
pub struct ShownLink {
    pub title: String,
    pub url: String,
    /// What becomes of it, in a sentence.
    pub note: String,
    /// Something is worth a second look: the mail did not go out.
    pub warning: Option<String>,
}
