//! The emulated Pi itself: when it ends.

use crate::tools::rig::{BOOT, Guest, Machine, READY, Skip, fetch, lines_of, script};
use crate::tools::skip::skip;
use std::process::{Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

#[test]
fn a_guest_ends_when_the_process_that_started_it_is_killed() {
    if let Err(Skip(why)) = fetch() {
        return skip("pi", &why);
    }
    // If it outlives its parent, it ends after five minutes.
    let mut parent = Command::new("bash");
    parent
        .args(["-c", "\"$0\" virt '' rig.seconds=300 & wait"])
        .arg(script("run.sh").get_program());
    parent.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut parent = parent.spawn().expect("bash is there");
    let lines = lines_of(parent.stdout.take().expect("it is piped"));
    let deadline = Instant::now() + BOOT;
    while lines.recv_timeout(BOOT).expect("it boots").trim_ascii_end() != READY {
        assert!(Instant::now() < deadline, "it does not take commands");
    }
    parent.kill().expect("it runs");
    parent.wait().expect("it is ours");
    // QEMU holds the other end of this pipe.
    let end = loop {
        if let Err(end) = lines.recv_timeout(Duration::from_secs(10)) {
            break end;
        }
    };
    assert_eq!(end, RecvTimeoutError::Disconnected, "QEMU outlives the process that started it");
}

#[test]
fn a_guest_ends_by_itself_after_the_time_that_it_was_given() {
    let mut guest = match Guest::boot(Machine::Virt, None, "rig.seconds=5") {
        Ok(guest) => guest,
        Err(Skip(why)) => return skip("pi", &why),
    };
    assert!(guest.ends_within(Duration::from_secs(60)), "it still runs");
}

#[test]
fn a_command_of_which_the_console_has_lost_a_part_does_not_run() {
    let guest = match Guest::boot(Machine::Virt, None, "") {
        Ok(guest) => guest,
        Err(Skip(why)) => return skip("pi", &why),
    };
    for line in ["16 touch /tmp/fie", "touch /tmp/file", "15touch /tmp/file", "5 touch /tmp/file"] {
        assert_eq!(guest.last_line_after(line), "rig lost", "{line}");
    }
    assert_eq!(guest.last_line_after(""), "rig exit 0");
    assert_eq!(guest.last_line_after("6 exit 3"), "rig exit 3");
    // The length is in bytes.
    let output = guest.sh("ls /tmp; echo 'Gärten  \\ 1'");
    assert_eq!((output.status, &*output.text()), (0, "Gärten  \\ 1\n"));
    guest.power_off();
}
