//! What the browser gets: view structs with display-ready values, their templates, and the assets.

pub mod assets;
