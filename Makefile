# `make run` is all that somebody who tries Towpath needs. `.ci/run` is what a change must pass; it calls `make test`.
# TOWPATH_BUILD_CACHE=/path keeps what is compiled in another folder than target/.

.PHONY: run build dist fmt test test-long sqlx bench

ifdef TOWPATH_BUILD_CACHE
export CARGO_TARGET_DIR := $(TOWPATH_BUILD_CACHE)
endif

# ── to run it ──

# Installs what is missing, builds, and starts with no settings at all.
run:
	@scripts/run

build:
	@scripts/run --build-only

# A release to carry elsewhere: dist/towpath-VERSION-ARCHITECTURE-linux.tar.gz.
dist:
	@scripts/dist

# ── to change it ──

fmt:
	cargo fmt --all

test:
	@scripts/test

# What takes long or needs root: the archive and the Dockerfile's steps in bare Debian folders.
test-long:
	@scripts/test-long

# Refreshes .sqlx, the checked metadata of the queries.
sqlx:
	@scripts/sqlx-metadata

bench:
	@scripts/bench
