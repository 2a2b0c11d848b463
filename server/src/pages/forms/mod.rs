//! Hosted forms, for the public. No session and no cookies: nothing here knows who is signed in.

pub mod page;
