//! The server's pages and API as a browser meets them: real routes, a real database each, no network.

mod house;
mod passwords;
mod routes;
mod sign_in;
mod workflows;
