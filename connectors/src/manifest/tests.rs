//! What all manifests of this repository have in common.

use super::{Folder, check::check, schema};
use std::{fs, path::Path};

#[test]
fn every_folder_of_this_repository_passes_its_check() {
    let folders = Folder::embedded();
    assert!(!folders.is_empty());
    for folder in folders {
        if let Err(problems) = check(&folder) {
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            panic!("{}:\n{}", folder.name, problems.join("\n"));
        }
    }
}

#[test]
fn the_schema_in_the_documentation_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/connector.schema.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, schema()).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == schema(),
        "docs/connector.schema.json is out of date; run UPDATE_DOCS=1 cargo test -p towpath-connectors schema"
    );
}

#[test]
fn every_manifest_of_this_repository_is_valid_against_the_schema() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for folder in Folder::embedded() {
        let manifest: serde_json::Value = serde_saphyr::from_str(folder.text("connector.yaml").unwrap()).unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(&manifest).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", folder.name);
    }
}

/// The manifests in the page for authors are examples that work.
#[test]
fn the_examples_of_the_documentation_pass_the_check() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/connector-spec.md")).unwrap();
    let blocks = page.split("```yaml\n").skip(1).filter_map(|part| part.split("```").next());
    let mut seen = 0;
    for manifest in blocks.filter(|block| block.starts_with("towpath: 1")) {
        let id = manifest.split("id: ").nth(1).unwrap().split([',', '\n']).next().unwrap().trim();
        let others = crate::scaffold::files(id).into_iter().filter(|(file, _)| file != "connector.yaml");
        let folder = Folder::of(id, others.chain([("connector.yaml".to_owned(), manifest.to_owned())]));
        if let Err(problems) = check(&folder) {
            panic!("{id}: {}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        }
        seen += 1;
    }
    assert!(seen > 0, "the page has no manifest");
}

/// The values of “Validating webhook deliveries” in GitHub's documentation.
#[test]
fn github_s_documented_signature_is_taken_and_its_neighbours_are_not() {
    use crate::sdk::receive::{HookSecrets, Inbound, NotReceived, Receive as _};
    let folder = Folder::embedded().into_iter().find(|folder| folder.name == "github").unwrap();
    let checked = check(&folder).unwrap_or_else(|problems| panic!("{problems:?}"));
    let receive = |signature: &str, secret: &str| {
        let mut headers = http::HeaderMap::new();
        headers.insert("x-hub-signature-256", signature.parse().unwrap());
        let secrets = HookSecrets([("webhook_secret".to_owned(), secret.as_bytes().to_vec())].into());
        let now = "2026-03-02T09:41:00Z".parse().unwrap();
        let inbound = Inbound { method: "POST", headers: &headers, query: "", body: b"Hello, World!", now };
        checked.compiled.receivers["push"].receive(&inbound, &towpath_engine::Object::new(), &secrets).unwrap_err()
    };
    let documented = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let secret = "It's a Secret to Everybody";
    // The signature is right; the body is no JSON.
    assert!(matches!(receive(documented, secret), NotReceived::Unreadable(_)));
    for (signature, secret) in [
        (documented, "another"),
        (&documented.replace("757", "758"), secret),
        (documented.trim_start_matches("sha256="), secret),
        ("sha256=", secret),
        (&documented.replace("sha256", "sha1"), secret),
    ] {
        assert!(matches!(receive(signature, secret), NotReceived::Unverified(_)), "{signature}");
    }
}
