//! The server's pages and API as a browser meets them: real routes, a real database each, no network.

mod connections;
mod connectors;
mod failures;
mod forms;
mod hooks;
mod house;
mod openapi;
mod passwords;
mod people;
mod polls;
mod routes;
mod schedules;
mod service;
mod services;
mod sign_in;
mod tokens;
mod trigger;
mod workflows;
