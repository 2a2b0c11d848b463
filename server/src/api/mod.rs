//! JSON for the builder and for programs, under `/api/v1`: one file per resource.

pub mod runs;
