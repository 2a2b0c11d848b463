//! Towpath, the server. Read down this list: it is the order in which data flows.

/// Somebody hears of a failure.
pub mod alert;
/// JSON for the builder and for programs.
pub mod api;
/// What every handler may use, built once.
pub mod app;
/// Who is asking, and may they: passwords, sessions, the table of role × action.
pub mod auth;
/// A backup of everything in the database, and back.
pub mod backup;
/// The command line: `towpath serve`, `towpath user …`.
pub mod cli;
/// The time, as an argument.
pub mod clock;
/// Settings, read once at start; every mistake is said at once.
pub mod config;
/// Links to accounts at services: who may use them, where their secrets may go.
pub mod connections;
/// PostgreSQL: the embedded one and its supervisor, pools, migrations, partitions.
pub mod database;
/// Which run goes next: ready runs, timers, recovery.
pub mod dispatch;
/// The outermost layers: request numbers, rendered problems, protective headers.
pub mod edge;
/// The one door out: addresses checked, sizes and times bounded.
pub mod egress;
/// The run loop: plan, call, record.
pub mod execute;
/// What came from a backup waits for a person's decision.
pub mod hold;
/// Connections in, bounded in time and size: who called, under which name; health.
pub mod http_server;
/// Outside becomes an event: webhook, form, manual. Verified, parsed once, deduplicated; accepted or parked, never lost.
pub mod ingest;
/// The writer: everything the engine commits goes through it, in groups.
pub mod journal;
/// What changed, to the browser.
pub mod live;
/// What operators count: Prometheus' text.
pub mod metrics;
/// HTML, one action a file.
pub mod pages;
/// Who belongs where: invitations, roles, accounts, workspaces.
pub mod people;
/// What can go wrong in a request: a closed set of codes, rendered at the edge.
pub mod problem;
/// Is this server reached where people and services look for it?
pub mod reachability;
/// The one table of routes: method, path, rule, handler.
pub mod routes;
/// Users' code, in processes that hold nothing of ours.
pub mod sandbox;
/// `towpath serve`: everything started, and stopped, in order.
pub mod serve;
/// Drain on SIGTERM.
pub mod shutdown;
/// One file per table: plain functions over SQL.
pub mod store;
/// Rows that workflows and people share.
pub mod tables;
/// Logs.
pub mod telemetry;
/// TLS in this process: certificates from files or from an authority, kept fresh.
pub mod tls;
/// Named values of a workspace that expressions read.
pub mod variables;
/// Keys; sealing and opening what must not be read at rest.
pub mod vault;
