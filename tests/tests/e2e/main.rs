//! End to end: real server processes on a real PostgreSQL.

mod alerts;
mod bad_input;
mod crash;
mod faults;
mod first_run;
mod github;
