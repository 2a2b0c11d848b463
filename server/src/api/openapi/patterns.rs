//! Hosts and addresses as regular expressions, for the document: what is written so is taken. Punycode is left out, because not every
//! text that looks like it is.

const NAME: &str = r"([A-Za-z0-9]+(-[A-Za-z0-9]+)*\.)*[A-Za-z][A-Za-z0-9]*";
const BELOW: &str = r"\*\.([A-Za-z0-9]+(-[A-Za-z0-9]+)*\.)+[A-Za-z][A-Za-z0-9]*";
const V4: &str = r"((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const V6: &str = r"\[[0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4}){7}\]";
const PORT: &str = r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?";

/// A host, perhaps with a port: a name, a star over names, or an IP address.
pub fn host() -> String {
    format!("^({BELOW}|{NAME}|{V4}|{V6}){PORT}$")
}

/// The name or the address of a server, whose port stands elsewhere.
pub fn server() -> String {
    format!("^({NAME}|{V4})$")
}

/// A web address.
pub fn web_address() -> String {
    format!("^https?://({NAME}|{V4}|{V6}){PORT}(/[!-~]*)?$")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_people_call_a_host_is_one() {
        let is = |pattern: String, text: &str| jsonschema::is_valid(&json!({ "pattern": pattern }), &json!(text));
        for good in
            ["api.example.com", "*.example.com", "localhost", "crm:8443", "127.0.0.1:65535", "[0:0:0:0:0:0:0:1]:80", "a-b.c"]
        {
            assert!(is(host(), good), "{good}");
            assert!(good.parse::<crate::connections::hosts::Pattern>().is_ok(), "{good}");
        }
        for bad in ["", "*", "*.com", "a b", "x:65536", "x:0", "300.1.1.1", "https://x", "a..b", "x/y"] {
            assert!(!is(host(), bad), "{bad}");
        }
        assert!(is(server(), "mail.example.com") && !is(server(), "mail.example.com:25"));
        assert!(is(web_address(), "https://hooks.example.com:8443/x?y=1") && !is(web_address(), "ftp://x"));
    }
}
