//! `lancam pair`: shows the code, and makes, lists and revokes keys, while lancam runs or not.

use super::access::day::Day;
use super::access::folder::{OF_ROOT, OF_USER};
use super::access::keys::{Entry, Sealing};
use super::access::opening::{Closed, OpeningError};
use super::access::service::{of_service, sudo};
use super::access::{AccessError, Given, Mode, Plain, is_found_by};
use super::config::Config;
use super::config::pair::PairOrder;
use super::door;
use super::typed;
use super::whereabouts::Whereabouts;
use crate::hex;
use crate::nearest;
use crate::wire::access::key::May;
use crate::wording::{TYPE, count, shell_path, shell_word};
use nix::unistd::{User, geteuid};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Why nothing was shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// The files are another user's.
    #[error("this user may not use the camera's keys in {}. {TYPE}sudo {} pair{}{}", .0.display(), typed::program(), state_option(.0, "sudo"), .1)]
    AnotherUser(PathBuf, PairOrder),
    /// Root has no camera, and the user who typed `sudo` has one.
    #[error("the camera on this machine is {0}'s, not root's. {TYPE}{program} pair{1}", program = typed::program())]
    OfUser(String, PairOrder),
    /// The files cannot be used.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// A change cannot be written.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// There is no such key; and what to do.
    #[error("no key is called \"{0}\". {1}")]
    NoSuchKey(String, String),
}

/// Carries out the order. Returns what to print.
///
/// # Errors
/// When the files cannot be used, or there is no such key.
pub fn run(order: &PairOrder, config: &Config, host_name: &str) -> Result<String, PairError> {
    let place = door::place(config)?;
    let had_identity = place.join("identity").exists();
    let closed = open(order, &place, config, host_name)?;
    let found = Whereabouts::kept(&place);
    // An open camera has no identity, and writes down where it is.
    let is_new = !had_identity && found.is_none();
    let found = found.unwrap_or_else(|| Whereabouts::expected(config, host_name));
    let text = match order {
        PairOrder::Show => shown(&closed, config, &found),
        PairOrder::NewCode => {
            closed.access.renew_code()?;
            let shown = shown(&closed, config, &found);
            format!("the old code is wrong from now on; keys that were given still work\n{shown}")
        }
        PairOrder::List => listed(&closed.access.keys(), config),
        PairOrder::Revoke(name) => {
            if !closed.access.revoke(name)? {
                return Err(no_such_key(name, &closed.access.keys(), config));
            }
            format!(
                "revoked \"{name}\"; viewers that use this key are disconnected within a second\n\
                 Anybody who knows the code can pair again. To replace the code, type: {} --new-code",
                command(config)
            )
        }
        PairOrder::Make { name, may, sealing } => {
            let today = Day::at(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default());
            let given = closed.access.give(name, *may, *sealing, today)?;
            made(&given, &closed, *sealing, &found)
        }
    };
    Ok(text + &notes(&found, is_new))
}

/// What else the owner should know, each in a line of its own.
fn notes(found: &Whereabouts, is_new: bool) -> String {
    let open = (found.access() == Mode::Open && !found.is_alone()).then(|| {
        format!(
            "\nnote: access = \"open\" is set. Until it is \"keys\", everybody on the LAN may watch at http://{}/ \
             without code, key or TLS",
            found.web()
        )
    });
    let alone = found.is_alone().then(|| {
        "\nnote: only this machine reaches the camera. Programs here need no code, no key and no TLS"
            .to_owned()
    });
    let new = is_new.then(|| {
        "\nnote: no camera has started with this folder yet. The first one that does will have this code"
            .to_owned()
    });
    new.into_iter().chain(open).chain(alone).collect()
}

fn no_such_key(name: &str, keys: &[Entry], config: &Config) -> PairError {
    let names = keys.iter().map(|entry| entry.name.as_str());
    let then = match nearest::of(name, names) {
        Some(meant) => format!("Did you mean \"{meant}\"?"),
        None => format!("{TYPE}{} --list", command(config)),
    };
    PairError::NoSuchKey(name.to_owned(), then)
}

/// What to type to see the code, in whatever folder.
pub fn command(config: &Config) -> String {
    let place = config.state.clone().or_else(|| of_service(|name| std::env::var_os(name)));
    let sudo = sudo();
    let option = place.map(|place| state_option(&place, sudo)).unwrap_or_default();
    format!("{sudo}{} pair{option}", typed::program())
}

/// The option that names the state folder, behind a space; nothing if root needs none.
fn state_option(place: &Path, sudo: &str) -> String {
    if is_found_by(sudo, place) {
        return String::new();
    }
    format!(" --state {}", shell_path(place))
}

fn open(
    order: &PairOrder,
    place: &Path,
    config: &Config,
    host_name: &str,
) -> Result<Closed, PairError> {
    let of_another_user = |place: &Path| PairError::AnotherUser(place.into(), order.clone());
    let is_root = geteuid().is_root();
    // One's own folder would get a code that no camera knows.
    if config.state.is_none() {
        if !is_root && is_beside_that_of_a_service(place, Path::new(OF_ROOT)) {
            return Err(of_another_user(Path::new(OF_ROOT)));
        }
        let user = sudo_user().filter(|_| is_root);
        if let Some(user) = user.filter(|it| is_beside_that_of_a_user(place, &it.dir)) {
            return Err(PairError::OfUser(user.name, order.clone()));
        }
    }
    door::open(config, host_name).map_err(|error| match error.is_of_another_user() && !is_root {
        true => of_another_user(place),
        false => error.into(),
    })
}

/// Whether a service has its files in its own place, and none are in this one.
fn is_beside_that_of_a_service(place: &Path, of_service: &Path) -> bool {
    // systemd makes a link there, into a folder that only root enters. So a link that leads nowhere, as far as this user sees,
    // is enough.
    !place.join("code").exists() && fs::symlink_metadata(of_service).is_ok()
}

/// Who typed `sudo`.
fn sudo_user() -> Option<User> {
    User::from_name(&std::env::var("SUDO_USER").ok()?).ok()?
}

/// Whether the user with this home has a camera's code, and no camera of root has ever run. An open camera of root
/// leaves a trace, but no code.
fn is_beside_that_of_a_user(place: &Path, home: &Path) -> bool {
    let of_root = ["code", "identity", "whereabouts"].iter().any(|it| place.join(it).exists());
    !of_root && home.join(OF_USER).join("code").exists()
}

fn shown(closed: &Closed, config: &Config, found: &Whereabouts) -> String {
    let code = closed.access.code().shown();
    let begin: Vec<_> = closed.server.pin()[..8].iter().map(|byte| format!("{byte:02X}")).collect();
    let keys = match closed.access.keys().len() {
        0 => "none was given yet".to_owned(),
        keys => {
            format!("{} given; to see them, type: {} --list", count(keys, "key"), command(config))
        }
    };
    let (camera, web) = (shell_word(&found.camera()), found.web());
    let lines = match found.access() {
        Mode::Keys => format!(
            "viewer   lancam-view {camera} --code {code}\n\
             browser  https://{web}/{}\n         \
             it warns once; the certificate's SHA-256 begins with {}",
            by_address(found, "https"),
            begin.join(":")
        ),
        // An open camera has no TLS, and asks for no code.
        Mode::Open => {
            format!(
                "viewer   lancam-view {camera}\nbrowser  http://{web}/{}",
                by_address(found, "http")
            )
        }
    };
    format!("code     {code}\n{lines}\nkeys     {keys}")
}

/// The line with the address, if the line above has a name.
fn by_address(found: &Whereabouts, scheme: &str) -> String {
    match found.web_by_address() {
        Some(address) if found.local_name().is_some() => {
            format!("\n         {scheme}://{address}/ if the browser does not find that name")
        }
        _ => String::new(),
    }
}

/// What `lancam-view --key-file` reads too: the key, and the pin (SHA-256 of the certificate) of the camera that it is for.
fn made(given: &Given, closed: &Closed, sealing: Sealing, found: &Whereabouts) -> String {
    let (key, name) = (given.key.text(), &given.name);
    let may = match given.may {
        May::Watch => "watch",
        May::Control => "watch and set the camera's controls",
    };
    let scheme = match (found.access(), sealing) {
        (Mode::Keys, Sealing::TlsOnly) => "https",
        (Mode::Open, _) | (_, Sealing::PlainToo) => "http",
    };
    let web = found.web();
    let pin = hex::text(&closed.server.pin());
    let mut text = format!(
        "\"{name}\" may {may}. Its key is shown only now:\n\
         key      {key}\n\
         address  {scheme}://{web}/stream?key={key}\n\
         header   Authorization: Bearer {key}\n\
         pin      {pin}"
    );
    if sealing == Sealing::PlainToo {
        text += "\nEverybody on the LAN can read this key and the picture, because programs use it without TLS";
        if found.plain() == Plain::Off {
            text +=
                "\nFor that, write this line into lancam.toml and restart lancam: plain = \"keys\"";
        }
    }
    text
}

fn listed(keys: &[Entry], config: &Config) -> String {
    if keys.is_empty() {
        return format!(
            "no key was given yet; to see the code for viewers, type: {}",
            command(config)
        );
    }
    let widest = keys.iter().map(|entry| entry.name.chars().count()).max().unwrap_or(0).max(4);
    let mut text = format!("{:widest$}  may      without TLS  made        last used", "name");
    for entry in keys {
        let plain = match entry.sealing {
            Sealing::TlsOnly => "no",
            Sealing::PlainToo => "yes",
        };
        let last_used = entry.last_used.map_or("never".to_owned(), |day| day.to_string());
        let (name, may, made) = (&entry.name, entry.may.word(), entry.made.to_string());
        write!(text, "\n{name:widest$}  {may:7}  {plain:11}  {made:10}  {last_used}")
            .expect("memory takes any text");
    }
    if let Some(again) = keys.iter().find(|entry| names_one_again(&entry.name, keys)) {
        write!(
            text,
            "\n\"{}\" is one more key for the same name: the machine was paired again, or two machines have one name. \
             If one of these keys is not used any more, type: {} --revoke NAME",
            again.name,
            command(config)
        )
        .expect("memory takes any text");
    }
    text
}

/// Whether this is the name of another key with a number behind it: "desk (2)".
fn names_one_again(name: &str, keys: &[Entry]) -> bool {
    let first = name.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    first.is_some_and(|(first, number)| {
        number.parse::<u32>().is_ok() && keys.iter().any(|entry| entry.name == first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(place: &Path) -> Config {
        let mut config = Config::default();
        config.state = Some(place.to_owned());
        config.name = Some("Garage".into());
        config
    }

    fn said(order: &PairOrder, config: &Config) -> String {
        run(order, config, "raspberrypi").expect("it works")
    }

    #[test]
    fn the_code_is_shown_with_the_line_to_type_and_a_new_one_replaces_it() {
        let around = tempfile::tempdir().expect("a folder");
        let config = config(&around.path().join("state"));
        let first = said(&PairOrder::Show, &config);
        let code = first.lines().next().and_then(|line| line.split_whitespace().nth(1));
        let code = code.expect("a code");
        let line = format!("viewer   lancam-view garage.local --code {code}\n");
        assert!(first.contains(&line) && first.contains("https://garage.local:8080/\n"), "{first}");
        let (first, note) = first.rsplit_once("\nnote: ").expect("a note");
        assert!(note.starts_with("no camera has started with this folder yet"), "{note}");
        assert_eq!(said(&PairOrder::Show, &config), first);
        let new = said(&PairOrder::NewCode, &config);
        assert!(!new.contains(code) && new.contains("lancam-view garage.local --code "), "{new}");
    }

    #[test]
    fn what_to_type_is_that_of_the_camera_that_started_last_with_this_folder() {
        let around = tempfile::tempdir().expect("a folder");
        let place = around.path().join("state");
        let ports = ["[::]:10000", "[::]:8081"].map(|it| it.parse().expect("an address"));
        let running = Whereabouts::of(&config(&place), &ports, "raspberrypi");
        running.keep(&place).expect("kept");
        let mut config = Config::default();
        config.state = Some(place.clone());
        let shown = said(&PairOrder::Show, &config);
        assert!(shown.contains("\nviewer   lancam-view garage.local --code "), "{shown}");
        assert!(shown.contains("\nbrowser  https://garage.local:10000/\n"), "{shown}");
        let (name, may, sealing) = ("HA".into(), May::Watch, Sealing::TlsOnly);
        let made = said(&PairOrder::Make { name, may, sealing }, &config);
        assert!(made.contains("https://garage.local:10000/stream?key="), "{made}");
        let shown = said(&PairOrder::Show, &config);
        // The file is another camera's, which is open and takes keys without TLS.
        config.access = Mode::Open;
        config.plain = Plain::Keys;
        assert_eq!(said(&PairOrder::Show, &config), shown);
        let (name, may, sealing) = ("tv".into(), May::Watch, Sealing::PlainToo);
        let made = said(&PairOrder::Make { name, may, sealing }, &config);
        assert!(
            made.contains("write this line into lancam.toml and restart lancam: plain = "),
            "{made}"
        );
        // The commands that are shown are for this folder too.
        let again = format!("{} pair --state {} --list", typed::program(), place.display());
        assert!(said(&PairOrder::Show, &config).contains(&again), "{again}");
    }

    #[test]
    fn an_open_camera_is_watched_at_the_address_that_it_has_without_tls() {
        let around = tempfile::tempdir().expect("a folder");
        let mut config = config(&around.path().join("state"));
        config.access = Mode::Open;
        let shown = said(&PairOrder::Show, &config);
        assert!(shown.contains("\nviewer   lancam-view garage.local\n"), "{shown}");
        assert!(shown.contains("\nbrowser  http://garage.local:8080/\n"), "{shown}");
        assert!(!shown.contains("https:"), "{shown}");
        let (name, may, sealing) = ("HA".into(), May::Watch, Sealing::TlsOnly);
        let made = said(&PairOrder::Make { name, may, sealing }, &config);
        for text in [shown, made] {
            let note = text.lines().last().expect("lines");
            assert!(note.contains("may watch at http://garage.local:8080/ without code"), "{text}");
            assert!(text.contains("code     ") || text.contains("key      "), "{text}");
        }
    }

    #[test]
    fn a_user_makes_no_code_beside_that_of_a_service_whose_folder_only_root_enters() {
        let around = tempfile::tempdir().expect("a folder");
        let (own, of_service) = (around.path().join("own"), around.path().join("lancam"));
        fs::create_dir(&own).expect("made");
        assert!(!is_beside_that_of_a_service(&own, &of_service), "there is none");
        // As systemd makes it. What is behind it cannot be seen.
        std::os::unix::fs::symlink("private/lancam", &of_service).expect("made");
        assert!(is_beside_that_of_a_service(&own, &of_service));
        fs::write(own.join("code"), "").expect("written");
        assert!(!is_beside_that_of_a_service(&own, &of_service), "this user has a camera too");
    }

    #[test]
    fn root_makes_no_code_beside_that_of_the_user_who_typed_sudo() {
        let around = tempfile::tempdir().expect("a folder");
        let (of_root, home) = (around.path().join("lancam"), around.path().join("pi"));
        assert!(!is_beside_that_of_a_user(&of_root, &home), "there is none");
        fs::create_dir_all(home.join(".local/state/lancam")).expect("made");
        assert!(!is_beside_that_of_a_user(&of_root, &home), "it is empty");
        fs::write(home.join(".local/state/lancam/code"), "").expect("written");
        assert!(is_beside_that_of_a_user(&of_root, &home));
        fs::create_dir(&of_root).expect("made");
        fs::write(of_root.join("whereabouts"), "").expect("written");
        assert!(!is_beside_that_of_a_user(&of_root, &home), "root has an open camera");
        fs::remove_file(of_root.join("whereabouts")).expect("removed");
        assert!(is_beside_that_of_a_user(&of_root, &home));
        fs::write(of_root.join("code"), "").expect("written");
        assert!(!is_beside_that_of_a_user(&of_root, &home), "root has a camera too");
        let said = PairError::OfUser("pi".into(), PairOrder::List).to_string();
        let program = typed::program();
        assert_eq!(
            said,
            format!("the camera on this machine is pi's, not root's. Type: {program} pair --list")
        );
    }

    #[test]
    fn what_another_user_is_to_type_does_what_was_asked_for() {
        let revoke = PairOrder::Revoke("Front door".into());
        for (place, line) in [
            (OF_ROOT, "pair --revoke 'Front door'"),
            ("/x", "pair --state /x --revoke 'Front door'"),
        ] {
            let said = PairError::AnotherUser(place.into(), revoke.clone()).to_string();
            let program = typed::program();
            assert!(said.ends_with(&format!("{TYPE}sudo {program} {line}")), "{said}");
        }
    }

    #[test]
    fn a_key_is_made_listed_and_revoked() {
        let around = tempfile::tempdir().expect("a folder");
        let config = config(&around.path().join("state"));
        assert!(said(&PairOrder::List, &config).starts_with("no key was given yet"));
        let make = |name: &str, may, sealing| PairOrder::Make { name: name.into(), may, sealing };
        let ha = said(&make("HA", May::Watch, Sealing::TlsOnly), &config);
        assert!(ha.starts_with("\"HA\" may watch. Its key is shown only now:\nkey      "), "{ha}");
        assert!(
            ha.contains("https://garage.local:8080/stream?key=") && !ha.contains("TLS"),
            "{ha}"
        );
        let pin = ha.split("\npin      ").nth(1).and_then(|rest| rest.lines().next());
        assert!(pin.is_some_and(|pin| pin.len() == 64), "{ha}");
        let tv = said(&make("tv", May::Control, Sealing::PlainToo), &config);
        assert!(tv.contains("can read this key and the picture"), "{tv}");
        assert!(tv.contains("http://garage.local") && tv.contains("plain = \"keys\""), "{tv}");
        let list = said(&PairOrder::List, &config);
        let rows: Vec<Vec<&str>> = list.lines().map(|it| it.split_whitespace().collect()).collect();
        assert_eq!(rows[1][..3], ["HA", "watch", "no"]);
        assert_eq!(rows[2][..3], ["tv", "control", "yes"]);
        assert!(rows[1][4..] == ["never"] && rows.len() == 3, "{list}");
        let revoke = PairOrder::Revoke("HA".into());
        assert!(said(&revoke, &config).starts_with("revoked \"HA\""));
        let refused = |name: &str| {
            let revoke = PairOrder::Revoke(name.into());
            run(&revoke, &config, "raspberrypi").expect_err("there is none").to_string()
        };
        let again = refused("HA");
        assert!(again.starts_with("no key is called \"HA\". Type: "), "{again}");
        assert!(again.ends_with(" --list"), "{again}");
        assert_eq!(refused("TV"), "no key is called \"TV\". Did you mean \"tv\"?");
    }

    #[test]
    fn a_machine_that_was_paired_again_is_told_from_what_it_was_before() {
        let around = tempfile::tempdir().expect("a folder");
        let config = config(&around.path().join("state"));
        let make = |name: &str| {
            let (name, may, sealing) = (name.into(), May::Watch, Sealing::TlsOnly);
            said(&PairOrder::Make { name, may, sealing }, &config);
        };
        ["desk", "phone", "phone (x)"].into_iter().for_each(make);
        let list = said(&PairOrder::List, &config);
        assert_eq!(list.lines().count(), 4, "{list}");
        make("desk");
        let list = said(&PairOrder::List, &config);
        let last = list.lines().last().expect("lines");
        assert!(last.starts_with("\"desk (2)\" is one more key for the same name"), "{list}");
        assert!(last.ends_with(" --revoke NAME"), "{list}");
        // Nobody but the owner takes a key back: two machines may have one name.
        assert!(list.lines().nth(1).is_some_and(|line| line.starts_with("desk ")), "{list}");
    }
}
