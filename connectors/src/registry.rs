//! The one registry: every operation a workflow may use, triggers and flow steps included.

use crate::sdk::Action;
use indexmap::IndexMap;
use towpath_engine::catalogue::{Catalogue, Operation};

/// Operations by name, in the order in which a person should meet them.
#[derive(Default)]
pub struct Registry {
    operations: IndexMap<String, Operation>,
    actions: IndexMap<String, Box<dyn Action>>,
}

impl Registry {
    /// Everything that is built in.
    pub fn built_in() -> Self {
        Self::default()
    }

    /// What carries the operation out; `None` for triggers and for the steps that the engine does itself.
    pub fn action(&self, name: &str) -> Option<&dyn Action> {
        self.actions.get(name).map(|action| &**action)
    }
}

impl Catalogue for Registry {
    fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(name)
    }

    fn operations(&self) -> Box<dyn Iterator<Item = &Operation> + '_> {
        Box::new(self.operations.values())
    }
}
