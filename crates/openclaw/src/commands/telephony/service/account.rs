//! The user account that a system service runs as.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserAccount {
    pub(super) name: String,
    pub(super) home: PathBuf,
    uid: u32,
    gid: u32,
}

impl UserAccount {
    /// Looks a user up with `getent`, because the user database may be LDAP or systemd; reads `/etc/passwd` if that
    /// program is missing.
    pub(super) fn find(name: &str) -> Result<UserAccount, Failure> {
        check_name(name)?;
        let asked = Command::new("getent").args(["passwd", name]).stdin(Stdio::null()).stderr(Stdio::null()).output();
        let list = match asked {
            Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
            Err(_) => std::fs::read_to_string("/etc/passwd").unwrap_or_default(),
        };
        in_list(&list, name).ok_or_else(|| {
            Failure::new(format!("this machine has no user {name}"))
                .hint(format!("create one with `useradd --create-home {name}`, or name the owner of the configuration"))
        })
    }
}

impl UserAccount {
    /// Returns true if the user can read a file, judging by owner, primary group and mode of the file and its parent
    /// folders.
    pub(super) fn can_read(&self, file: &Path) -> bool {
        let may = |path: &Path, wanted: u32| {
            std::fs::metadata(path).is_ok_and(|found| self.may(found.uid(), found.gid(), found.mode(), wanted))
        };
        may(file, 0o4) && file.ancestors().skip(1).all(|folder| may(folder, 0o1))
    }

    /// Returns true if the user has the `wanted` rights (4 to read, 1 to traverse) to something owned by `uid` and
    /// `gid`.
    fn may(&self, uid: u32, gid: u32, mode: u32, wanted: u32) -> bool {
        let rights = match (uid == self.uid, gid == self.gid) {
            (true, _) => mode >> 6,
            (false, true) => mode >> 3,
            (false, false) => mode,
        };
        self.uid == 0 || rights & wanted == wanted
    }

    /// Creates a folder that only this user can access, with its parents. The confined service cannot do it: it may
    /// only write to this folder, which has to exist when it starts.
    pub(super) fn make_folder(&self, folder: &Path) -> Result<(), Failure> {
        let missing: Vec<_> = folder.ancestors().take_while(|above| !above.exists()).collect();
        for folder in missing.into_iter().rev() {
            let made = DirBuilder::new().mode(0o700).create(folder);
            made.and_then(|()| chown(folder, Some(self.uid), Some(self.gid))).map_err(|error| {
                Failure::new(format!("cannot create {} for {}: {error}", folder.display(), self.name))
            })?;
        }
        Ok(())
    }
}

/// Accepts only names that systemd accepts and that have no other meaning in a unit.
fn check_name(name: &str) -> Result<(), Failure> {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let goes_on = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if begins && goes_on && name.len() <= 256 {
        return Ok(());
    }
    Err(Failure::usage(format!("{name:?} is not a valid user name"))
        .hint("a user name starts with a letter and consists of letters, digits, `_`, `-` and `.`"))
}

/// Finds the user in a list with the format of `/etc/passwd`.
fn in_list(list: &str, name: &str) -> Option<UserAccount> {
    let fields = list.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut found = fields.filter(|fields| fields.len() == 7 && fields[0] == name);
    let fields = found.next()?;
    let (uid, gid) = (fields[2].parse().ok()?, fields[3].parse().ok()?);
    Some(UserAccount { name: name.to_owned(), home: PathBuf::from(fields[5]), uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_with_special_characters_is_rejected() {
        for name in ["", "a b", "me\nExecStartPre=/bin/sh", "0", "-u", "a:b", "a%h", "$USER", "grüße"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in ["assistant", "_svc", "first.last", "claw-2"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_user_is_found_by_the_whole_name() {
        let list = "root:x:0:0:root:/root:/bin/sh\nclaw2:x:7:7::/home/two:/bin/sh\nclaw:x:8:8:::/bin/false\n";
        assert_eq!(in_list(list, "claw2").unwrap().home, PathBuf::from("/home/two"));
        assert_eq!(in_list(list, "cla"), None);
    }

    #[test]
    fn permissions_come_from_the_first_matching_class() {
        let user = |uid, gid| UserAccount { name: "me".to_owned(), home: "/".into(), uid, gid };
        let (owner, member, other) = (user(7, 1), user(8, 7), user(8, 8));
        let reads = |account: &UserAccount, mode: u32| account.may(7, 7, mode, 0o4);
        assert!(reads(&owner, 0o400) && !reads(&owner, 0o044));
        assert!(reads(&member, 0o640) && !reads(&member, 0o604));
        assert!(reads(&other, 0o604) && !reads(&other, 0o640));
        assert!(reads(&user(0, 0), 0o000), "root reads everything");
        assert!(other.may(7, 7, 0o711, 0o1) && !other.may(7, 7, 0o704, 0o1));
    }

    #[test]
    fn a_folder_is_made_for_its_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let own = std::fs::metadata(folder.path()).unwrap();
        let account = UserAccount { name: "me".to_owned(), home: "/".into(), uid: own.uid(), gid: own.gid() };
        let state = folder.path().join("a/b");
        account.make_folder(&state).unwrap();
        for made in [&state, state.parent().unwrap()] {
            let found = std::fs::metadata(made).unwrap();
            assert_eq!((found.mode() & 0o777, found.uid(), found.gid()), (0o700, own.uid(), own.gid()));
        }
        account.make_folder(&state).unwrap();
    }
}
