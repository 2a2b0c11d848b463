//! Who may give, change and take away which role. Pure: roles in, a verdict out.

use crate::{
    auth::permission::{Action, Role},
    problem::{Code, Problem},
};

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Only admins and owners decide about people.
    NotAnAdmin,
    /// The role is higher than one's own, or the person has a higher one.
    AboveYours,
    /// A workspace has at least one owner who can sign in.
    LastOwner,
}

/// May somebody with the role `by` give the role `to`?
pub fn give(by: Role, to: Role) -> Result<(), Refused> {
    if !by.may(Action::ManagePeople) {
        Err(Refused::NotAnAdmin)
    } else if to > by {
        Err(Refused::AboveYours)
    } else {
        Ok(())
    }
}

/// May `by` make a member who is `now` into `to`? `other_owners` can sign in and stay what they are.
pub fn change(by: Role, now: Role, to: Role, other_owners: i64) -> Result<(), Refused> {
    give(by, now)?;
    give(by, to)?;
    if to == Role::Owner { Ok(()) } else { leave(now, other_owners) }
}

/// May `by` remove a member who is `now`?
pub fn remove(by: Role, now: Role, other_owners: i64) -> Result<(), Refused> {
    give(by, now)?;
    leave(now, other_owners)
}

/// May a member who is `now` go by themselves?
pub fn leave(now: Role, other_owners: i64) -> Result<(), Refused> {
    if now == Role::Owner && other_owners < 1 { Err(Refused::LastOwner) } else { Ok(()) }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotAnAdmin => Self::new(Code::Forbidden, "Who works here is for the admins of the workspace to decide."),
            Refused::AboveYours => Self::new(
                Code::Forbidden,
                "Nobody gives or takes away a role above their own. Only an owner decides about owners.",
            ),
            Refused::LastOwner => Self::new(
                Code::Conflict,
                "This is the only owner of the workspace. Make somebody else an owner first; or delete the workspace.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Refused::*;
    use Role::*;

    #[test]
    fn nobody_gives_a_role_above_their_own() {
        for (by, to, verdict) in [
            (Owner, Owner, Ok(())),
            (Owner, Viewer, Ok(())),
            (Admin, Admin, Ok(())),
            (Admin, Owner, Err(AboveYours)),
            (Builder, Viewer, Err(NotAnAdmin)),
            (Operator, Operator, Err(NotAnAdmin)),
            (Viewer, Viewer, Err(NotAnAdmin)),
        ] {
            assert_eq!(give(by, to), verdict, "{by:?} gives {to:?}");
        }
    }

    #[test]
    fn an_admin_decides_about_everybody_but_owners() {
        assert_eq!(change(Admin, Viewer, Builder, 1), Ok(()));
        assert_eq!(change(Admin, Admin, Viewer, 1), Ok(()));
        assert_eq!(change(Admin, Owner, Viewer, 5), Err(AboveYours));
        assert_eq!(change(Admin, Builder, Owner, 5), Err(AboveYours));
        assert_eq!(remove(Admin, Owner, 5), Err(AboveYours));
        assert_eq!(remove(Admin, Admin, 1), Ok(()));
        assert_eq!(change(Builder, Viewer, Viewer, 1), Err(NotAnAdmin));
    }

    #[test]
    fn the_last_owner_stays() {
        assert_eq!(change(Owner, Owner, Admin, 0), Err(LastOwner));
        assert_eq!(change(Owner, Owner, Owner, 0), Ok(()));
        assert_eq!(change(Owner, Owner, Admin, 1), Ok(()));
        assert_eq!(remove(Owner, Owner, 0), Err(LastOwner));
        assert_eq!(leave(Owner, 0), Err(LastOwner));
        assert_eq!(leave(Owner, 1), Ok(()));
        assert_eq!(leave(Viewer, 0), Ok(()));
    }
}
