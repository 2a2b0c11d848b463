//! Makes cargo look at the connectors' folders: a new one would stay invisible to an embedded build until some Rust file changes.

fn main() {
    println!("cargo::rerun-if-changed=.");
}
