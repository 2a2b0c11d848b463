//! The filters and functions, one file for each group. They get evaluated arguments, look at nothing else, and say in a sentence
//! what they can't work with.

mod data;

use super::functions::Function;

pub(super) fn all() -> Vec<Function> {
    [data::TABLE].concat()
}
