# `make run` is all that somebody who tries Towpath needs. `.ci/run` is what a change must pass; it calls `make test`.
# TOWPATH_BUILD_CACHE=/path keeps what is compiled in another folder than target/.

.PHONY: run build fmt test sqlx bench

ifdef TOWPATH_BUILD_CACHE
export CARGO_TARGET_DIR := $(TOWPATH_BUILD_CACHE)
endif

# ── to run it ──

# Installs what is missing, builds, and starts with no settings at all.
run:
	@scripts/run

build:
	@scripts/run --build-only

# ── to change it ──

fmt:
	cargo fmt --all

test:
	@scripts/test

# Refreshes .sqlx, the checked metadata of the queries.
sqlx:
	@scripts/sqlx-metadata

bench:
	@scripts/bench
