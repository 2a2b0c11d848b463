//! End to end: real server processes on a real PostgreSQL.

mod acme;
mod alerts;
mod backup;
mod bad_input;
mod cli;
mod code;
mod crash;
mod data_steps;
mod data_tables;
mod examples;
mod faults;
mod first_run;
mod front_door;
mod github;
mod key_rotation;
mod observation;
mod refused;
mod timed;
