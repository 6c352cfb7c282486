//! `lancam pair`: shows the code, and makes, lists and revokes keys, while lancam runs or not.

use super::access::day::Day;
use super::access::folder::{self, OF_ROOT};
use super::access::keys::{Entry, Sealing};
use super::access::opening::{Closed, OpeningError};
use super::access::{AccessError, Given, Mode, Plain};
use super::announcer::Announce;
use super::config::Config;
use super::config::pair::PairOrder;
use super::door;
use super::listen::{Listen, reaches_others};
use crate::hex;
use crate::net::lan::own_addresses;
use crate::wire::access::key::May;
use crate::wording::{TYPE, count, shell_word};
use nix::unistd::geteuid;
use std::fmt::Write;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{self, Path, PathBuf};
use std::time::SystemTime;

/// Why nothing was shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// The files are another user's.
    #[error("this user may not use the camera's keys in {}. {TYPE}sudo lancam pair{}", .0.display(), state_option(.0, "sudo"))]
    AnotherUser(PathBuf),
    /// The files cannot be used.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// A change cannot be written.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// There is no such key.
    #[error("no key is called \"{0}\". {TYPE}lancam pair --list")]
    NoSuchKey(String),
}

/// Carries out the order. Returns what to print.
///
/// # Errors
/// When the files cannot be used, or there is no such key.
pub fn run(order: &PairOrder, config: &Config, host_name: &str) -> Result<String, PairError> {
    let closed = open(config, host_name)?;
    let text = match order {
        PairOrder::Show => shown(&closed, config, host_name),
        PairOrder::NewCode => {
            closed.access.renew_code()?;
            let shown = shown(&closed, config, host_name);
            format!("the old code is wrong from now on; keys that were given still work\n{shown}")
        }
        PairOrder::List => listed(&closed.access.keys()),
        PairOrder::Revoke(name) => {
            if !closed.access.revoke(name)? {
                return Err(PairError::NoSuchKey(name.clone()));
            }
            format!(
                "revoked \"{name}\"; who watches with it is disconnected within a second\n\
                 who knows the code can pair again, unless you replace it: lancam pair --new-code"
            )
        }
        PairOrder::Make { name, may, sealing } => {
            let today = Day::at(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default());
            let given = closed.access.give(name, *may, *sealing, today)?;
            made(&given, &closed, *sealing, config, host_name)
        }
    };
    Ok(match config.access {
        Mode::Keys => text,
        Mode::Open => format!(
            "{text}\n\
             note: access = \"open\" is set. Until it is \"keys\", everybody on the LAN may watch at http://{}/ \
             without code, key and TLS",
            web(config, host_name)
        ),
    })
}

/// What to type to see the code, in whatever folder.
pub fn command(config: &Config) -> String {
    let given = config.state.as_deref();
    let of_service = folder::of_service(|name| std::env::var_os(name)).filter(|_| given.is_none());
    // A service may have a user of its own.
    let sudo = if geteuid().is_root() || of_service.is_some() { "sudo " } else { "" };
    match given.or(of_service.as_deref()) {
        Some(place) => format!("{sudo}lancam pair{}", state_option(place, sudo)),
        None => format!("{sudo}lancam pair"),
    }
}

/// The option that names the state folder, behind a space; nothing if root needs none.
fn state_option(place: &Path, sudo: &str) -> String {
    if place == Path::new(OF_ROOT) && !sudo.is_empty() {
        return String::new();
    }
    let place = path::absolute(place).unwrap_or_else(|_| place.to_owned());
    format!(" --state {}", shell_word(&place.display().to_string()))
}

fn open(config: &Config, host_name: &str) -> Result<Closed, PairError> {
    let place = door::place(config)?;
    let is_root = geteuid().is_root();
    // A user's own folder would get a code that no camera knows, beside that of the service.
    let is_usual = config.state.is_none() && !is_root;
    if is_usual && is_beside_that_of_a_service(&place, Path::new(OF_ROOT)) {
        return Err(PairError::AnotherUser(OF_ROOT.into()));
    }
    door::open(config, host_name).map_err(|error| match error.is_of_another_user() && !is_root {
        true => PairError::AnotherUser(place),
        false => error.into(),
    })
}

/// Whether a service has its files in its own place, and none are in this one.
fn is_beside_that_of_a_service(place: &Path, of_service: &Path) -> bool {
    // systemd makes a link there, into a folder that only root enters. So a link that leads nowhere, as far as this user sees,
    // is enough.
    !place.join("code").exists() && fs::symlink_metadata(of_service).is_ok()
}

fn shown(closed: &Closed, config: &Config, host_name: &str) -> String {
    let code = closed.access.code().shown();
    let begin: Vec<_> = closed.server.pin()[..8].iter().map(|byte| format!("{byte:02X}")).collect();
    let keys = match closed.access.keys().len() {
        0 => "none was given yet".to_owned(),
        keys => format!("{} given; lancam pair --list shows them", count(keys, "key")),
    };
    let (camera, web) = (camera(config, host_name), web(config, host_name));
    let lines = match config.access {
        Mode::Keys => format!(
            "viewer   lancam-view {camera} --code {code}\n\
             browser  https://{web}/\n         \
             it warns once; the certificate's SHA-256 begins with {}",
            begin.join(":")
        ),
        // An open camera has no TLS, and asks for no code.
        Mode::Open => format!("viewer   lancam-view {camera}\nbrowser  http://{web}/"),
    };
    format!("code     {code}\n{lines}\nkeys     {keys}")
}

/// What `lancam-view --key-file` reads too: the key, and the pin (SHA-256 of the certificate) of the camera that it is for.
fn made(
    given: &Given,
    closed: &Closed,
    sealing: Sealing,
    config: &Config,
    host_name: &str,
) -> String {
    let (key, name) = (given.key.text(), &given.name);
    let may = match given.may {
        May::Watch => "watch",
        May::Control => "watch and set the camera's controls",
    };
    let scheme = match sealing {
        Sealing::TlsOnly => "https",
        Sealing::PlainToo => "http",
    };
    let web = web(config, host_name);
    let pin = hex::text(&closed.server.pin());
    let mut text = format!(
        "\"{name}\" may {may}. Its key is shown only now:\n\
         key      {key}\n\
         address  {scheme}://{web}/stream?key={key}\n\
         header   Authorization: Bearer {key}\n\
         pin      {pin}"
    );
    if sealing == Sealing::PlainToo {
        text += "\neverybody on the LAN can read this key and the picture, since programs use it without TLS";
        if config.plain == Plain::Off {
            text += "\nit is accepted without TLS once lancam.toml has: plain = \"keys\"";
        }
    }
    text
}

fn listed(keys: &[Entry]) -> String {
    if keys.is_empty() {
        return "no key was given yet; lancam pair shows the code for viewers".to_owned();
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
            "\n\"{}\" is the key of a machine that was paired again, or of another machine of that name. \
             The last use tells which one nobody needs. {TYPE}lancam pair --revoke NAME",
            again.name
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

/// How viewers call the camera.
fn camera(config: &Config, host_name: &str) -> String {
    match config.announce {
        Announce::On => door::local_name(config.name.as_deref().unwrap_or(host_name)),
        Announce::Off => format!("{}:{}", own_address(), port(config, Listen::DEFAULT_PORTS[0])),
    }
}

/// Where browsers find it.
fn web(config: &Config, host_name: &str) -> String {
    let port = port(config, Listen::DEFAULT_PORTS[1]);
    match config.announce {
        Announce::On => format!("{}:{port}", camera(config, host_name)),
        Announce::Off => SocketAddr::new(own_address(), port).to_string(),
    }
}

/// The port that is listened at: the usual one, or else the first that others reach.
fn port(config: &Config, usual: u16) -> u16 {
    let Listen::At(addresses) = &config.listen else { return usual };
    let ports = addresses.iter().filter(|it| reaches_others(it)).map(SocketAddr::port);
    let ports: Vec<u16> = ports.collect();
    if ports.contains(&usual) { usual } else { ports.first().copied().unwrap_or(usual) }
}

fn own_address() -> IpAddr {
    let own = own_addresses();
    let found = own.iter().copied().find(IpAddr::is_ipv4).or(own.first().copied());
    found.unwrap_or(IpAddr::from([127, 0, 0, 1]))
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
        assert_eq!(said(&PairOrder::Show, &config), first);
        let new = said(&PairOrder::NewCode, &config);
        assert!(!new.contains(code) && new.contains("lancam-view garage.local --code "), "{new}");
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
        let again = run(&revoke, &config, "raspberrypi").expect_err("it is gone").to_string();
        assert_eq!(again, "no key is called \"HA\". Type: lancam pair --list");
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
        assert!(
            last.starts_with("\"desk (2)\" is the key of a machine that was paired again"),
            "{list}"
        );
        assert!(last.ends_with("Type: lancam pair --revoke NAME"), "{list}");
        // Nobody but the owner takes a key back: two machines may have one name.
        assert!(list.lines().nth(1).is_some_and(|line| line.starts_with("desk ")), "{list}");
    }

    #[test]
    fn a_camera_that_is_not_announced_is_named_by_its_address_and_port() {
        let addresses = ["127.0.0.1:9999", "[::]:7000"];
        let addresses = addresses.map(|it| it.parse().expect("an address"));
        let mut config = Config::default();
        config.announce = Announce::Off;
        config.listen = Listen::At(addresses.to_vec());
        assert!(camera(&config, "raspberrypi").ends_with(":7000"));
        assert!(web(&config, "raspberrypi").ends_with(":7000"));
    }
}
