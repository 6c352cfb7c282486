//! A camera's access over its files: what restarts, other programs, damage and strangers do to it.

use super::*;
use crate::wire::access::proof::Prover;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

const PIN: [u8; 32] = [7; 32];

/// A folder that is removed at the end, and what opens it.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn open(&self) -> Result<Access, AccessError> {
        Access::open(Folder::open(&self.0.path().join("state"))?, PIN)
    }

    fn access(&self) -> Access {
        self.open().expect("it opens")
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join("state").join(file)
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).expect("there")
    }

    /// Writes a file as somebody with an editor does.
    fn put(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).expect("written");
        fs::set_permissions(self.path(file), fs::Permissions::from_mode(0o600)).expect("ours");
    }
}

fn today() -> Day {
    Day::parse("2026-11-30").expect("a day")
}

fn peer(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn give(access: &Access, name: &str) -> Given {
    access.give(name, May::Watch, Sealing::TlsOnly, today()).expect("given")
}

fn is_in(access: &Access, given: &Given) -> bool {
    access.admit(&given.key.text(), Channel::Tls).is_ok()
}

/// What a viewer claims that has this code and sees this certificate.
fn claim(code: &Code, offer: &Offer, pin: [u8; 32]) -> Claim {
    let (viewer_nonce, camera_nonce) = ([1; 32], offer.nonce);
    let prover = Prover::new(code, &offer.salting);
    let proof = prover.proof(Side::Viewer, &Exchange { viewer_nonce, camera_nonce, pin });
    Claim { viewer_nonce, camera_nonce, proof, name: "desk".into() }
}

#[test]
fn code_and_keys_are_the_same_after_a_restart() {
    let disk = Disk::new();
    let first = disk.access();
    let (code, given) = (first.code(), give(&first, "desk"));
    drop(first);
    let again = disk.access();
    assert!(again.code().is(&code));
    let admitted = again.admit(&given.key.text(), Channel::Tls).expect("its key counts");
    assert_eq!((admitted.name.as_str(), admitted.may), ("desk", May::Watch));
    assert_eq!(again.holds(&admitted, Channel::Tls), Holds::All);
}

#[test]
fn no_secret_lies_in_the_list_of_keys() {
    let disk = Disk::new();
    let access = disk.access();
    let given = give(&access, "desk");
    assert!(!disk.text("keys").contains(&given.key.text()));
    let shown = format!("{access:?} {given:?}");
    assert!(!shown.contains(&given.key.text()) && !shown.contains(&access.code().shown()));
}

#[test]
fn a_power_cut_at_any_byte_of_any_file_leaves_the_camera_closed_and_given_keys_valid() {
    let disk = Disk::new();
    let access = disk.access();
    let (code, given) = (access.code(), give(&access, "desk"));
    let old_keys = disk.text("keys");
    give(&access, "second");
    let (new_keys, new_code) = (disk.text("keys"), disk.text("code"));
    drop(access);
    // Cut while the list of two keys was written: the old list counts.
    disk.put("keys", &old_keys);
    let folder = Folder::open(&disk.path("")).expect("it is ours");
    for end in 0..=new_keys.len() {
        fs::write(disk.path("keys.next"), &new_keys[..end]).expect("written");
        let keys = read_keys(&folder).expect("the old list");
        assert!(
            keys.find(&given.key.hash()).is_some() && keys.entries().len() == 1,
            "cut at {end}"
        );
    }
    assert!(is_in(&disk.access(), &given));
    // After the rename: the new list.
    fs::rename(disk.path("keys.next"), disk.path("keys")).expect("renamed");
    fs::set_permissions(disk.path("keys"), fs::Permissions::from_mode(0o600)).expect("ours");
    assert!(is_in(&disk.access(), &given));
    // Cut while the very first code was written: there is none, and a new one is made.
    fs::remove_file(disk.path("code")).expect("there");
    for end in [0, 1, 13, 14, 15, 40, new_code.len()] {
        fs::write(disk.path("code.next"), &new_code[..end]).expect("written");
        let access = disk.access();
        assert!(is_in(&access, &given) && !access.code().is(&code), "cut at {end}");
        fs::remove_file(disk.path("code")).expect("made");
    }
}

#[test]
fn a_damaged_file_is_refused_with_its_name_and_never_opens_the_camera() {
    let disk = Disk::new();
    let given = give(&disk.access(), "desk");
    for (file, from, to, what) in [
        ("keys", "watch", "wat", "line 2: it allows neither \"watch\" nor \"control\""),
        ("keys", "\n", "", "line 1: it is not the title of a list of keys"),
        ("keys", "desk\n", "desk", "line 2: its end is missing"),
        (
            "code",
            "iterations 100000",
            "iterations 1",
            "line 2: the code would be hashed 1 times; 50000 to 5000000 are expected",
        ),
        (
            "code",
            "salt",
            "salz",
            "line 2: it is not \"salt\", 32 digits, \"iterations\" and a number",
        ),
        ("code", "-", "-U", "line 1: a code has no 'U'; it looks like K7QM-2XPD-9HRT"),
    ] {
        let whole = disk.text(file);
        disk.put(file, &whole.replacen(from, to, 1));
        let said = disk.open().expect_err("damaged").to_string();
        let path = disk.path(file);
        assert_eq!(said, format!("{} is damaged, so nobody is let in ({what})", path.display()));
        disk.put(file, &whole);
        assert!(is_in(&disk.access(), &given));
    }
    // What a card leaves that has lost a file's bytes.
    for (file, text) in [("keys", ""), ("code", ""), ("keys", "\0\0\0\0"), ("code", "\0\0\0\0")] {
        let whole = disk.text(file);
        disk.put(file, text);
        assert!(disk.open().is_err(), "{file} {text:?}");
        disk.put(file, &whole);
    }
    fs::set_permissions(disk.path("keys"), fs::Permissions::from_mode(0o644)).expect("ours");
    assert!(disk.open().expect_err("open").to_string().contains("chmod 600 "));
}

#[test]
fn a_running_camera_takes_what_another_program_changes() {
    let disk = Disk::new();
    let (running, other) = (disk.access(), disk.access());
    assert!(!running.refresh().expect("readable"));
    let given = give(&other, "HA");
    assert!(is_in(&running, &given), "a key that it does not know makes it look");
    assert!(!running.refresh().expect("readable"), "it has looked");
    // Neither loses what the other wrote.
    let own = give(&running, "desk");
    assert!(other.revoke("HA").expect("written"));
    assert!(running.refresh().expect("readable"));
    assert!(!is_in(&running, &given) && is_in(&running, &own));
    other.renew_code().expect("written");
    let typed = other.code().shown();
    running.log_in(&typed, "Firefox", peer(1), Instant::now(), today()).expect("the newest code");
    other.renew_code().expect("written");
    assert!(running.refresh().expect("readable") && running.code().is(&other.code()));
    assert!(!running.refresh().expect("readable"));
}

#[test]
fn damage_while_it_runs_is_said_once_and_takes_no_key_away() {
    let disk = Disk::new();
    let access = disk.access();
    let given = give(&access, "desk");
    disk.put("keys", "nonsense");
    assert!(access.refresh().is_err());
    assert!(!access.refresh().expect("said already") && is_in(&access, &given));
    assert!(access.give("more", May::Watch, Sealing::TlsOnly, today()).is_err());
    assert_eq!(disk.text("keys"), "nonsense", "it may be repaired");
    // All keys are revoked by removing their file.
    fs::remove_file(disk.path("keys")).expect("there");
    assert!(access.refresh().expect("readable") && !is_in(&access, &given));
}

#[test]
fn a_running_camera_notices_that_a_file_was_put_right_as_it_said() {
    let disk = Disk::new();
    let (running, other) = (disk.access(), disk.access());
    let given = give(&other, "desk");
    let set_mode = |mode| {
        fs::set_permissions(disk.path("keys"), fs::Permissions::from_mode(mode)).expect("ours");
    };
    set_mode(0o644);
    assert!(running.refresh().expect_err("open").to_string().contains("chmod 600 "));
    assert!(!running.refresh().expect("said already") && !is_in(&running, &given));
    set_mode(0o600);
    assert!(running.refresh().expect("readable") && is_in(&running, &given));
}

#[test]
fn a_change_that_cannot_be_read_now_is_read_later() {
    if !nix::unistd::geteuid().is_root() {
        return; // Only root can be another user for a while.
    }
    let disk = Disk::new();
    let (running, other) = (disk.access(), disk.access());
    let given = give(&other, "desk");
    assert!(running.refresh().expect("readable"));
    assert!(other.revoke("desk").expect("written"));
    // As when no file descriptor is left: the folder opens, and the file does not.
    for folder in [disk.0.path(), &disk.path("")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("ours");
    }
    std::thread::scope(|scope| {
        scope.spawn(|| {
            nix::unistd::setfsuid(1234.into());
            assert!(running.refresh().expect_err("closed").to_string().starts_with("cannot open "));
            assert!(is_in(&running, &given));
        });
    });
    assert!(running.refresh().expect("readable") && !is_in(&running, &given));
}

#[test]
fn whoever_knows_the_code_gets_a_key_that_is_on_the_disk() {
    let disk = Disk::new();
    let access = disk.access();
    let now = Instant::now();
    let offer = access.offer(peer(1), now).expect("nobody has guessed");
    assert_ne!(offer.nonce, access.offer(peer(1), now).expect("nobody has guessed").nonce);
    let claim = claim(&access.code(), &offer, PIN);
    let paired = access.pair(&claim, peer(1), now, today()).expect("its proof is right");
    assert_eq!((paired.given.name.as_str(), paired.given.may), ("desk", May::Control));
    assert!(is_in(&disk.access(), &paired.given));
    let second =
        access.log_in(&access.code().shown().to_lowercase(), "Firefox", peer(1), now, today());
    assert!(is_in(&disk.access(), &second.expect("the code is right")));
}

#[test]
fn a_proof_for_another_certificate_or_an_older_code_is_wrong() {
    let disk = Disk::new();
    let access = disk.access();
    let now = Instant::now();
    let offer = access.offer(peer(1), now).expect("nobody has guessed");
    let through_a_relay = claim(&access.code(), &offer, [8; 32]);
    let refused = access.pair(&through_a_relay, peer(1), now, today());
    assert!(matches!(refused, Err(NotGiven::WrongCode(_))));
    let of_today = claim(&access.code(), &offer, PIN);
    access.renew_code().expect("written");
    let refused = access.pair(&of_today, peer(1), now, today());
    assert!(matches!(refused, Err(NotGiven::WrongCode(_))));
    assert!(access.keys().is_empty());
}

#[test]
fn wrong_codes_make_pairing_rest_and_leave_keys_alone() {
    let disk = Disk::new();
    let access = disk.access();
    let given = give(&access, "desk");
    let mut now = Instant::now();
    let (mut wrong, mut rests) = (0, 0);
    for at in 0..10_000_u32 {
        let peer = peer(u8::try_from(at % 50).expect("small"));
        match access.log_in("K7QM-2XPD-9HRT", "thief", peer, now, today()) {
            Err(NotGiven::WrongCode(_)) => wrong += 1,
            Err(NotGiven::Rests(_)) => rests += 1,
            other => panic!("{other:?}"),
        }
        assert!(is_in(&access, &given), "a key that was given always counts");
        now += Duration::from_millis(10);
    }
    assert_eq!((wrong, rests), (20, 9980), "in 100 s");
    let right = access.code().shown();
    let refused = access.log_in(&right, "owner", peer(99), now, today());
    assert!(matches!(refused, Err(NotGiven::Rests(_))), "the right code rests too");
    assert!(access.offer(peer(99), now).is_err());
    now += Duration::from_secs(300);
    assert!(access.log_in(&right, "owner", peer(99), now, today()).is_ok());
}

#[test]
fn keys_that_are_wrong_revoked_or_shown_in_the_open_are_refused_with_the_reason() {
    let disk = Disk::new();
    let access = disk.access().with_plain(Plain::Keys);
    let given = give(&access, "desk");
    let plain = access.give("tv", May::Watch, Sealing::PlainToo, today()).expect("given");
    let why = |key: &str, channel| access.admit(key, channel).err();
    assert_eq!(why("", Channel::Tls), Some(NotAdmitted::NoKey(PairCommand::default())));
    assert_eq!(why("desk", Channel::Tls), Some(NotAdmitted::Unknown));
    assert_eq!(why(&"A".repeat(43), Channel::Tls), Some(NotAdmitted::Unknown));
    assert_eq!(
        why(&given.key.text(), Channel::Plain),
        Some(NotAdmitted::TlsOnly(PairCommand::default()))
    );
    assert_eq!(why(&plain.key.text(), Channel::Plain), None);
    assert_eq!(why(&plain.key.text(), Channel::Tls), None);
    assert!(access.revoke("desk").expect("written") && !access.revoke("desk").expect("nothing"));
    assert_eq!(why(&given.key.text(), Channel::Tls), Some(NotAdmitted::Unknown));
    assert!(!is_in(&disk.access(), &given));
    // Unless it was switched on, no key is looked at outside of TLS.
    let refused = disk.access().admit(&plain.key.text(), Channel::Plain);
    assert_eq!(refused, Err(NotAdmitted::TlsWanted));
}

#[test]
fn the_last_use_of_a_key_is_written_once_a_day() {
    let disk = Disk::new();
    let access = disk.access();
    let given = give(&access, "desk");
    let written = || disk.access().keys()[0].last_used;
    access.note_uses(today()).expect("nothing to write");
    assert_eq!(written(), None);
    assert!(is_in(&access, &given));
    assert_eq!(written(), None, "letting it in waits for no disk");
    access.note_uses(today()).expect("written");
    assert_eq!(written(), Some(today()));
    let before = fs::metadata(disk.path("keys")).expect("there").modified().expect("a time");
    for _ in 0..100 {
        assert!(is_in(&access, &given));
        access.note_uses(today()).expect("nothing to write");
    }
    assert_eq!(fs::metadata(disk.path("keys")).expect("there").modified().ok(), Some(before));
}

#[test]
fn a_key_is_in_use_until_the_last_session_with_it_ends() {
    let disk = Disk::new();
    let access = disk.access();
    let given = give(&access, "wall");
    let begin = || access.in_use(access.admit(&given.key.text(), Channel::Tls).expect("let in"));
    let used_on = |day: &str| {
        let day = Day::parse(day).expect("a day");
        access.note_uses(day).expect("written");
        disk.access().keys()[0].last_used == Some(day)
    };
    let (one, other) = (begin(), begin());
    assert!(used_on("2026-12-01") && used_on("2026-12-02"));
    drop(one);
    assert!(used_on("2026-12-03"));
    drop(other);
    assert!(!used_on("2026-12-04"), "nobody is there");
    access.revoke("wall").expect("written");
    access.note_uses(today()).expect("a key that is gone is not written down");
}

#[test]
fn every_change_of_the_list_is_noticed_by_those_who_wait_for_one() {
    let disk = Disk::new();
    let (running, other) = (disk.access(), disk.access());
    let given = give(&running, "desk");
    let admitted = running.admit(&given.key.text(), Channel::Tls).expect("it counts");
    let before = running.changes().count();
    assert!(!running.refresh().expect("readable") && running.changes().count() == before);
    assert!(other.revoke("desk").expect("written"));
    assert!(running.refresh().expect("readable"));
    assert!(running.changes().count() > before);
    assert_eq!(running.holds(&admitted, Channel::Tls), Holds::Nothing);
}

#[test]
fn a_damaged_code_keeps_no_revoked_key_alive() {
    let disk = Disk::new();
    let (running, other) = (disk.access(), disk.access());
    let given = give(&other, "desk");
    assert!(running.refresh().expect("readable") && is_in(&running, &given));
    assert!(other.revoke("desk").expect("written"));
    disk.put("code", "nonsense");
    assert!(running.refresh().is_err() && !is_in(&running, &given));
}

#[test]
fn a_damaged_list_of_keys_keeps_no_old_code_right() {
    let disk = Disk::new();
    let (running, other) = (disk.access(), disk.access());
    let old = running.code();
    disk.put("keys", "nonsense");
    other.renew_code().expect("written");
    let said = running.refresh().expect_err("damaged").to_string();
    assert!(said.contains("keys is damaged"), "{said}");
    assert!(running.code().is(&other.code()) && !running.code().is(&old));
}

#[test]
fn the_old_code_pairs_nobody_from_the_moment_when_another_program_has_replaced_it() {
    let disk = Disk::new();
    let (running, other) = (disk.access(), disk.access());
    let now = Instant::now();
    let offer = running.offer(peer(1), now).expect("nobody has guessed");
    let claim = claim(&running.code(), &offer, PIN);
    other.renew_code().expect("written");
    let refused = running.pair(&claim, peer(1), now, today());
    assert!(matches!(refused, Err(NotGiven::WrongCode(_))), "{refused:?}");
    assert!(disk.access().keys().is_empty());
}

#[test]
fn a_new_code_hides_no_change_of_the_keys() {
    let disk = Disk::new();
    let (one, other) = (disk.access(), disk.access());
    let given = give(&one, "desk");
    assert!(other.revoke("desk").expect("written"));
    one.renew_code().expect("written");
    assert!(one.refresh().expect("readable") && !is_in(&one, &given));
}

#[test]
fn a_key_that_is_to_allow_something_else_does_not_hold_any_more() {
    let disk = Disk::new();
    let access = disk.access().with_plain(Plain::Keys);
    let tv = access.give("tv", May::Control, Sealing::PlainToo, today()).expect("given");
    let admitted = access.admit(&tv.key.text(), Channel::Plain).expect("it counts");
    let whole = disk.text("keys");
    let holds = |from: &str, to: &str| {
        disk.put("keys", &whole.replacen(from, to, 1));
        access.refresh().expect("readable");
        [Channel::Plain, Channel::Tls].map(|channel| access.holds(&admitted, channel))
    };
    assert_eq!(holds("\tcontrol\t", "\twatch\t"), [Holds::SomethingElse; 2]);
    assert_eq!(holds("\tyes\t", "\tno\t"), [Holds::SomethingElse, Holds::All]);
    assert_eq!(holds("\ttv\n", "\tnew name\n"), [Holds::All; 2]);
    let line = whole.lines().last().expect("a key").to_owned() + "\n";
    assert_eq!(holds(&line, ""), [Holds::Nothing; 2]);
}
