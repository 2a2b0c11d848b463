//! What all manifests of this repository have in common.

use super::{Folder, check::check};

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
