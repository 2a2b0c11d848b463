//! Builds the browser's files with Node into `OUT_DIR/ui`: TypeScript and CSS bundled, named by content, compressed beforehand.
//!
//! `UI_DIST=/path` takes a folder that was built elsewhere (`node bundle.mjs /path`), for machines without Node. It never reaches
//! the network when `node_modules` is as new as the lock file.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, exit},
};

fn main() {
    for input in ["assets", "bundle.mjs", "package.json", "package-lock.json", "tsconfig.json", "templates", "build.rs"] {
        println!("cargo::rerun-if-changed={input}");
    }
    println!("cargo::rerun-if-env-changed=UI_DIST");

    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("ui");
    let result = match env::var_os("UI_DIST") {
        Some(ready) => take(Path::new(&ready), &out),
        None => build(&out),
    };
    if let Err(message) = result {
        println!("cargo::error={message}");
        exit(1);
    }
}

/// Copies a folder that was built elsewhere.
fn take(ready: &Path, out: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-changed={}", ready.display());
    if !ready.join("manifest.json").is_file() {
        return Err(format!(
            "UI_DIST is {}, and there is no manifest.json. Build one with: node web/bundle.mjs {0}",
            ready.display()
        ));
    }
    let copy = || -> io::Result<()> {
        if out.exists() {
            fs::remove_dir_all(out)?;
        }
        fs::create_dir_all(out)?;
        for entry in fs::read_dir(ready)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), out.join(entry.file_name()))?;
            }
        }
        Ok(())
    };
    copy().map_err(|error| format!("The files of UI_DIST ({}) can't be copied: {error}", ready.display()))
}

fn build(out: &Path) -> Result<(), String> {
    install()?;
    let mut node = Command::new("node");
    node.arg("bundle.mjs").arg(out);
    run(node, "The browser's files can't be built")
}

/// Fetches the packages of the lock file when it is newer than what is installed.
fn install() -> Result<(), String> {
    // Two builds with different target folders may come here at once; the second waits and then finds everything installed.
    let lock = fs::File::open("package.json").map_err(|error| format!("web/package.json can't be read: {error}"))?;
    lock.lock().map_err(|error| format!("web/package.json can't be locked: {error}"))?;
    let changed = |path: &str| fs::metadata(path).and_then(|it| it.modified()).ok();
    match (changed("node_modules/.package-lock.json"), changed("package-lock.json")) {
        (Some(installed), Some(wanted)) if installed >= wanted => return Ok(()),
        _ => {}
    }
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.args(["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"]);
    run(npm, "The browser's packages can't be installed")?;
    // npm keeps the old time when nothing had to change; without this the next build would ask again.
    let marker = fs::File::options().append(true).open("node_modules/.package-lock.json");
    marker.and_then(|file| file.set_modified(std::time::SystemTime::now())).map_err(|error| format!("node_modules: {error}"))
}

fn run(mut command: Command, what: &str) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!(
            "{what}: there is no `{name}` on this machine. Install Node.js 18 or later (on Debian: apt-get install nodejs npm), \
             or point UI_DIST at a folder that was built elsewhere with `node web/bundle.mjs <folder>`."
        ),
        _ => format!("{what}: `{name}` does not start: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    // Cargo takes one line per message.
    let said = format!("{}\n{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    let lines: Vec<_> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    Err(format!("{what}: `{name}` ended with {}: {}", output.status, lines.join(" ⏎ ")))
}
