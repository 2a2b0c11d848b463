//! Bodies and answers as the run page shows them: text, cut, with what names itself a secret masked.

use super::{HttpResponse, mask};
use serde_json::json;
use towpath_engine::Json;

/// How much of a body is shown, in bytes.
const SHOWN: usize = 16 * 1024;

/// The start of a body as text, or its size when it isn't text.
pub fn bytes(bytes: &[u8]) -> Json {
    if bytes.is_empty() {
        return Json::Null;
    }
    let start = &bytes[..bytes.len().min(SHOWN)];
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // The cut may go through a character; anything else isn't text.
        Err(error) if error.error_len().is_none() && bytes.len() > SHOWN => {
            std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return format!("({} bytes that are not text)", bytes.len()).into(),
    };
    if bytes.len() > SHOWN { format!("{text}… (the first 16 KiB of {} bytes)", bytes.len()).into() } else { text.into() }
}

/// An answer.
pub fn answer(response: &HttpResponse) -> Json {
    json!({
        "status": response.status.as_u16(),
        "url": mask::url(&response.url),
        "headers": mask::headers(&response.headers),
        "body": bytes(&response.body),
        "took_ms": u64::try_from(response.took.as_millis()).unwrap_or(u64::MAX),
    })
}
