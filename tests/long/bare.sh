# Sourced by the long tests: bare Debian folders, in which nothing is installed but what a step installs.
[ "$(id -u)" = 0 ] || { echo "This test makes root folders of its own, so it needs root." >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "Install debootstrap for this test." >&2; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/towpath-long.XXXXXX")
chmod 755 "$work"
finish() {
  local status=$?
  trap - EXIT
  if [ -n "${started:-}" ]; then
    # What runs under an init of its own is ended through that.
    kill -TERM "$started" $(pgrep -P "$started") 2>/dev/null || true
    for _ in $(seq 300); do kill -0 "$started" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$started" 2>/dev/null || true
    wait "$started" 2>/dev/null || true
  fi
  # Nothing of the machine may be mounted in there when it is removed.
  findmnt -rno TARGET | grep -F "$work/" | sort -r | while read -r mounted; do umount -l "$mounted"; done
  [ -n "${KEEP:-}" ] || rm -rf --one-file-system "$work"
  exit "$status"
}
trap finish EXIT

# bare_debian FOLDER: Debian's smallest system, copied from BARE (made once) if that is set.
bare_debian() {
  if [ -n "${BARE:-}" ]; then cp -a "$BARE" "$1"; else debootstrap --variant=minbase bookworm "$1" >"$work/debootstrap.log"; fi
  # How this machine reaches Debian's packages.
  cp -L /etc/resolv.conf "$1/etc/resolv.conf"
  rm -rf "$1/etc/apt/sources.list.d" "$1/etc/apt/apt.conf.d"
  cp -a /etc/apt/sources.list.d /etc/apt/apt.conf.d "$1/etc/apt/"
  if [ -e /etc/apt/sources.list ]; then cp /etc/apt/sources.list "$1/etc/apt/"; else rm -f "$1/etc/apt/sources.list"; fi
  for file in /etc/apt/auth.conf /etc/apt/auth.conf.d; do [ ! -e "$file" ] || cp -a "$file" "$1/etc/apt/"; done
  install -d "$1/usr/local/share/ca-certificates" "$1/etc/ssl/certs"
  cp -L /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/ca-certificates.crt"
  # The same under a name that no package writes over.
  cp -L /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/trusted-by-this-machine.crt"
  mount -t proc proc "$1/proc"
  mount --rbind --make-rslave /dev "$1/dev"
}

# until SECONDS COMMAND…: waits until it succeeds.
until_works() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "not within the time: $*" >&2; return 1; }
    sleep 0.1
  done
}
now() { date +%s%N; }
