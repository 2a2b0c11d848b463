//! Encodes `multipart/form-data` as browsers do (RFC 7578 and the HTML standard's escaping of names).

use bytes::Bytes;
use towpath_connectors::sdk::{Part, PartContent};
use uuid::Uuid;

/// The content type with its boundary, and the bytes.
pub(super) fn encode(parts: &[Part]) -> (String, Bytes) {
    // Random, so that nobody who writes a part's content can know it.
    let boundary = format!("towpath-{}", Uuid::new_v4().simple());
    let mut bytes = Vec::new();
    for part in parts {
        let name = escape(&part.name);
        bytes.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"").as_bytes());
        match &part.content {
            PartContent::Text(text) => {
                bytes.extend_from_slice(b"\r\n\r\n");
                bytes.extend_from_slice(text.as_bytes());
            }
            PartContent::File { name, media_type, bytes: content } => {
                let media_type: String = media_type.chars().filter(|c| !c.is_control()).collect();
                bytes.extend_from_slice(
                    format!("; filename=\"{}\"\r\nContent-Type: {media_type}\r\n\r\n", escape(name)).as_bytes(),
                );
                bytes.extend_from_slice(content);
            }
        }
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), bytes.into())
}

fn escape(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_encoded_reads_back_as_it_was() {
        let parts = [
            Part { name: "note \"x\"\r\nEvil: 1".into(), content: PartContent::Text("--towpath\r\n\r\nÄ".into()) },
            Part {
                name: "file".into(),
                content: PartContent::File {
                    name: "a\"b\n.csv".into(),
                    media_type: "text/csv\r\nX-Evil: 1".into(),
                    bytes: Bytes::from_static(b"\x00\xff\r\n--"),
                },
            },
        ];
        let (content_type, bytes) = encode(&parts);
        let boundary = multer::parse_boundary(&content_type).unwrap();
        let stream = futures_util::stream::once(async move { Ok::<_, std::io::Error>(bytes) });
        let mut read = multer::Multipart::new(stream, boundary);
        let note = read.next_field().await.unwrap().unwrap();
        assert_eq!(note.name(), Some("note %22x%22%0D%0AEvil: 1"));
        assert_eq!(note.headers().len(), 1);
        assert_eq!(note.text().await.unwrap(), "--towpath\r\n\r\nÄ");
        let file = read.next_field().await.unwrap().unwrap();
        assert_eq!(file.file_name(), Some("a%22b%0A.csv"));
        assert!(file.headers().get("x-evil").is_none());
        assert_eq!(file.bytes().await.unwrap().as_ref(), b"\x00\xff\r\n--");
        assert!(read.next_field().await.unwrap().is_none());
    }
}
