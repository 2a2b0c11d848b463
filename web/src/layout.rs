//! The frame around every page. A page's view struct holds a [`Page`] in the field `page` and its template extends `layout.html`.

/// What the frame shows.
#[derive(Clone, Debug)]
pub struct Page {
    pub title: String,
    pub theme: Theme,
    /// Passwords travel in clear: plain http, away from this machine.
    pub insecure: bool,
    /// What came from a backup waits for a decision: nothing is started or sent.
    pub held: bool,
    /// Absent on pages for people who aren't signed in.
    pub nav: Option<Nav>,
    /// A sentence that confirms what was just done.
    pub notice: Option<String>,
}

/// The bar of a signed-in person.
#[derive(Clone, Debug)]
pub struct Nav {
    pub person: String,
    pub email: String,
    pub workspace: String,
    /// Which part of the bar is current.
    pub area: Area,
    /// For the forms of the page: `<input type="hidden" name="csrf" value="{{ page.csrf() }}">`.
    pub csrf: String,
    /// May this person change the workspace's settings?
    pub manages: bool,
    /// May this person decide about members?
    pub manages_people: bool,
    /// Does this person own the instance?
    pub instance_owner: bool,
    /// How the workspace writes dates and numbers (BCP 47).
    pub language: String,
    /// The person's other workspaces: id and name.
    pub others: Vec<(String, String)>,
}

impl Page {
    /// The token for the page's forms; empty where nobody is signed in.
    pub fn csrf(&self) -> &str {
        self.nav.as_ref().map_or("", |nav| &nav.csrf)
    }

    /// Is it for somebody who owns the instance?
    pub fn owns(&self) -> bool {
        self.nav.as_ref().is_some_and(|nav| nav.instance_owner)
    }
}

impl Nav {
    /// One or two letters that stand for the person.
    pub fn initials(&self) -> String {
        let mut words = self.person.split_whitespace().filter_map(|word| word.chars().next());
        let first = words.next().unwrap_or('?');
        first.to_uppercase().chain(words.next_back().into_iter().flat_map(char::to_uppercase)).collect()
    }
}

/// The parts of the application, as the bar names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    Home,
    Workflows,
    Runs,
    Tables,
    Connections,
    Settings,
    /// Help, errors: no part is current.
    Elsewhere,
}

impl Area {
    /// The ones in the bar, in order.
    pub const BAR: &'static [Self] = &[Self::Home, Self::Workflows, Self::Runs, Self::Tables, Self::Connections];

    pub fn href(self) -> &'static str {
        match self {
            Self::Home => "/",
            Self::Workflows => "/workflows",
            Self::Runs => "/runs",
            Self::Tables => "/tables",
            Self::Connections => "/connections",
            Self::Settings => "/settings",
            Self::Elsewhere => "/help",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Home => "Home",
            Self::Workflows => "Workflows",
            Self::Runs => "Runs",
            Self::Tables => "Tables",
            Self::Connections => "Connections",
            Self::Settings => "Settings",
            Self::Elsewhere => "Help",
        }
    }
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the device has it.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: &'static [Self] = &[Self::System, Self::Light, Self::Dark];

    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of this name; anything else is the system's.
    pub fn from_name(name: &str) -> Self {
        Self::ALL.iter().copied().find(|theme| theme.name() == name).unwrap_or_default()
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::System => "Colours as on this device",
            Self::Light => "Light colours",
            Self::Dark => "Dark colours",
        }
    }

    pub fn icon(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "sun",
            Self::Dark => "moon",
        }
    }

    /// The value of `data-theme`; none lets the device decide.
    pub fn attribute(self) -> Option<&'static str> {
        (self != Self::System).then(|| self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_name() {
        let nav = |person: &str| Nav {
            person: person.into(),
            email: String::new(),
            workspace: String::new(),
            area: Area::Home,
            csrf: String::new(),
            manages: false,
            manages_people: false,
            instance_owner: false,
            language: "en-GB".into(),
            others: Vec::new(),
        };
        assert_eq!(nav("Ada King Lovelace").initials(), "AL");
        assert_eq!(nav("émile").initials(), "É");
        assert_eq!(nav(" ").initials(), "?");
    }
}
