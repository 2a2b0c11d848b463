//! HTML, one action a file; the path of a handler is the path of its view and of its template.

pub mod assets;
