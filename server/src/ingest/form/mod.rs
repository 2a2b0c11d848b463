//! Forms: what a visitor of a hosted page answered becomes an event. The pages themselves are in `pages::forms`.

pub mod answers;
pub mod settings;
pub mod token;

pub use settings::{After, Settings};
