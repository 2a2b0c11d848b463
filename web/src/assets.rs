//! The browser's files: found by the name that templates use, served by the name that carries a hash of their content.
//!
//! Release builds hold the files; debug builds read them where the build script put them, so that `node bundle.mjs` is enough to
//! see a change. It refuses names that the build didn't make: there is no way from here to other files.

use rust_embed::{Embed, EmbeddedFile};
use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

#[derive(Embed)]
#[folder = "$OUT_DIR/ui"]
struct Files;

/// Name in the sources → name with the hash.
type Manifest = BTreeMap<String, String>;

fn read_manifest() -> Manifest {
    let file = Files::get("manifest.json").map(|file| file.data).unwrap_or_default();
    serde_json::from_slice(&file).unwrap_or_default()
}

fn manifest() -> Cow<'static, Manifest> {
    static ONCE: LazyLock<Manifest> = LazyLock::new(read_manifest);
    if cfg!(debug_assertions) { Cow::Owned(read_manifest()) } else { Cow::Borrowed(&*ONCE) }
}

/// The address of an asset, for templates: `url("app.css")` is `/assets/app.4KQ2ZB7T.css`. Scripts are named as they are served
/// (`builder.js`, made from `builder.ts`). A name that the build doesn't know becomes an address that answers 404.
pub fn url(name: &str) -> String {
    match manifest().get(name) {
        Some(file) => format!("/assets/{file}"),
        None => format!("/assets/{name}"),
    }
}

/// One file, ready to be served for ever.
pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    pub media_type: &'static str,
    /// `br`, `gzip`, or nothing.
    pub encoding: Option<&'static str>,
}

/// The file that `url` gave the address of, in the smallest form among the accepted encodings.
pub fn get(file: &str, brotli: bool, gzip: bool) -> Option<Asset> {
    if !manifest().values().any(|known| known == file) {
        return None;
    }
    let form = |suffix: &str| -> Option<EmbeddedFile> { Files::get(&format!("{file}{suffix}")) };
    let (found, encoding) = None
        .or_else(|| brotli.then(|| form(".br")).flatten().map(|found| (found, Some("br"))))
        .or_else(|| gzip.then(|| form(".gz")).flatten().map(|found| (found, Some("gzip"))))
        .or_else(|| form("").map(|found| (found, None)))?;
    Some(Asset { bytes: found.data, media_type: media_type(file), encoding })
}

fn media_type(file: &str) -> &'static str {
    match file.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json" | "webmanifest") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_served_under_the_address_that_templates_get() {
        let address = url("app.js");
        let file = address.strip_prefix("/assets/").unwrap();
        assert_ne!(file, "app.js", "the address carries a hash");
        let plain = get(file, false, false).unwrap();
        assert_eq!((plain.media_type, plain.encoding), ("text/javascript; charset=utf-8", None));
        let small = get(file, true, true).unwrap();
        assert_eq!(small.encoding, Some("br"));
    }

    #[test]
    fn nothing_but_the_build_s_own_files_is_reachable() {
        for name in ["manifest.json", "../build.rs", "app.js", "", "app.js.br"] {
            assert!(get(name, true, true).is_none(), "{name}");
        }
    }
}
