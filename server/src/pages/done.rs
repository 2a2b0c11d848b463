//! The sentences that confirm what was just done. A form redirects to `…?done=<key>`; only these keys say anything, so a link from
//! outside can't put words on our pages.

const SENTENCES: &[(&str, &str)] = &[
    ("renamed", "Renamed."),
    ("duplicated", "Duplicated. This is the copy, as a draft."),
    ("paused", "Paused. Events that arrive wait in the inbox."),
    ("resumed", "Resumed. New events start runs again."),
    ("deleted", "Deleted."),
    ("imported", "Imported. Every line of the file is in the table."),
    ("saved", "Saved."),
    ("connected", "Connected. Steps and triggers can be worked through it from now on."),
    ("tested", "Tested. The page says how it went."),
    ("token-revoked", "The token was taken back. It does not work any more."),
    ("joined", "Welcome. You are in."),
    ("revoked", "The invitation was taken back. Its link does not work any more."),
    ("role", "The role was changed."),
    ("removed", "The member was removed."),
    ("disabled", "The account was disabled, and its sessions were ended."),
    ("enabled", "The account was enabled."),
    ("workspace-made", "The workspace was made. Your menu leads there."),
    ("workspace-deleted", "The workspace was deleted."),
    ("new-password", "The password was set. Sign in with it."),
    ("password", "Your password was changed, and your other sessions were ended."),
    ("session-ended", "The session was ended."),
    ("sessions-ended", "All your other sessions were ended."),
];

/// The sentence that a query string asks for.
pub fn of_query(query: &str) -> Option<&'static str> {
    let (_, key) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "done")?;
    SENTENCES.iter().find(|(known, _)| *known == key).map(|(_, sentence)| *sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_keys_say_anything() {
        assert_eq!(of_query("state=failed&done=renamed"), Some("Renamed."));
        assert_eq!(of_query("done=Call+0900+now"), None);
        assert_eq!(of_query(""), None);
    }
}
