//! Getting in: the first start, invitations, sign-in, a new password.

pub mod invitation;
pub mod reset;
pub mod setup;
pub mod sign_in;
