//! Giving up the right to capture: whoever reads packets of others has none.
//!
//! As tcpdump does with `-Z`: root becomes somebody else, with that one's groups; capabilities go in any case, and no program that is
//! started can bring them back. What stays is the open socket, which this process could still read and write.

use std::ffi::CString;

use nix::unistd::{Uid, User, geteuid, initgroups, setresgid, setresuid};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, set_capabilities, set_no_new_privs};

use crate::fail::Fail;

/// As whom it goes on; `None`: as who it is.
pub(super) struct Whom(Option<User>);

impl Whom {
    /// Whether that can be is known before anything is opened.
    pub fn new(name: Option<&str>) -> Result<Self, Fail> {
        let root = geteuid().is_root();
        let Some(name) = name else {
            return if root {
                let what = "as root, what is captured would be read with every right";
                let help = "say with --user NAME who goes on once interfaces are open: it must be able to write the home and every output \
                            (--user nobody --no-save); --user root keeps root's files open to it, without its capabilities";
                Err(Fail::usage(what, help))
            } else {
                Ok(Self(None))
            };
        };
        let help = "name an account of this machine, as `getent passwd` lists them";
        match User::from_name(name) {
            Ok(Some(user)) if user.uid == geteuid() => Ok(Self(None)),
            Ok(Some(_)) if !root => Err(Fail::usage(format!("--user {name}: only root can go on as somebody else"), "leave it out")),
            Ok(Some(user)) => Ok(Self(Some(user))),
            Ok(None) => Err(Fail::usage(format!("--user {name}: there is no such account"), help)),
            Err(error) => Err(Fail::usage(format!("--user {name}: {}", error.desc()), help)),
        }
    }

    /// Gives up every right, for good. Nothing else may run yet: capabilities belong to threads, and those that begin later have what
    /// this one has.
    pub fn goes_on(self) -> Result<(), Fail> {
        let fail = |what: &str| Fail::usage(format!("the right to capture cannot be given up: {what}"), "nothing was captured");
        if let Some(user) = &self.0 {
            let become_user = || {
                let name = CString::new(user.name.as_str()).map_err(|_| nix::errno::Errno::EINVAL)?;
                initgroups(&name, user.gid)?;
                setresgid(user.gid, user.gid, user.gid)?;
                setresuid(user.uid, user.uid, user.uid)
            };
            become_user().map_err(|error| fail(error.desc()))?;
        }
        let none = CapabilitySet::empty();
        let give_up = || {
            clear_ambient_capability_set()?;
            set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
            set_no_new_privs(true)?;
            capabilities(None)
        };
        let left = give_up().map_err(|error| fail(&error.to_string()))?;
        if !(left.effective | left.permitted | left.inheritable).is_empty() {
            return Err(fail("capabilities are still there"));
        }
        // What can be taken back was not given up.
        let root = Uid::from_raw(0);
        if self.0.is_some() && setresuid(root, root, root).is_ok() {
            return Err(fail("root could be had back"));
        }
        Ok(())
    }
}
