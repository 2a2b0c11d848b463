//! Getting in: the first start and sign-in.

pub mod setup;
pub mod sign_in;
