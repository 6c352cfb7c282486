//! Faults of an unattended camera, caused in the booted image: its program killed and frozen, its camera
//! pulled, its system crashed, its power cut, its data partition filled and damaged, its settings misspelt.
//! Each test prints what it measured.

use crate::tools::appliance::{Appliance, BOOT, Card, Machine, ask};
use crate::tools::native_client::{NativeClient, Said};
use crate::tools::random::Random;
use lancam::wire::native::message::{Message, StatusCode};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// vivid as a camera: it makes only the node that takes pictures, and no radios or touch screen.
const CAMERA: [&str; 2] = ["modules_load=vivid", "vivid.node_types=1"];

/// With this seed, the random moments are the same every time.
const SEED: u64 = 0x006c_616e_6361_6d00;

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

fn booted() -> Option<Appliance> {
    let pi = Card::new()?.boot(Machine::Virt, &CAMERA);
    pi.first_picture();
    pi.ssh("true");
    Some(pi)
}

/// A new viewer waits for its first picture. If it is refused, this panics.
fn wait_for_a_frame(pi: &Appliance) {
    NativeClient::connect(pi.port(9999)).frame();
}

#[test]
#[ignore = "minutes: make test-all"]
fn killed_frozen_and_without_its_camera_it_comes_back_by_itself() {
    let Some(pi) = booted() else { return };
    killed_twenty_times(&pi);
    frozen(&pi);
    unplugged(&pi);
    let failed = pi.ssh("systemctl --failed --no-legend --plain").text();
    assert_eq!(failed.trim(), "");
}

fn killed_twenty_times(pi: &Appliance) {
    let end = AtomicBool::new(false);
    let port = pi.port(8080);
    let (mut worst, mut sum) = (Duration::ZERO, Duration::ZERO);
    let visits = thread::scope(|threads| {
        let _last = AtEnd(&end);
        // Sends requests without a pause. A kill may break only the request that is being served.
        let visitor = threads.spawn(|| {
            let mut visits = Vec::new();
            while !end.load(Ordering::Relaxed) {
                let began = Instant::now();
                let answer = ask(port, "/healthz", Duration::from_secs(60));
                let failed = match answer {
                    Ok(answer) if answer.code == 200 => None,
                    Ok(answer) => Some(answer.text().to_owned()),
                    Err(error) => Some(error.to_string()),
                };
                visits.push((began, Instant::now(), failed));
            }
            visits
        });
        let mut kills = Vec::new();
        for _ in 0..20 {
            let lancam = pi.ssh("pidof lancam").text();
            let order = pi.ssh_ready(&format!("kill -9 {}", lancam.trim()));
            let before = Instant::now();
            let _done = order.go();
            kills.push((before, Instant::now()));
            wait_for_a_frame(pi);
            let took = before.elapsed();
            worst = worst.max(took);
            sum += took;
        }
        end.store(true, Ordering::Relaxed);
        let visits = visitor.join().expect("the visitor does not panic");
        let was_killed = |began: Instant, ended: Instant| {
            kills.iter().any(|(before, after)| began < *after && ended > *before)
        };
        for (began, ended, failed) in &visits {
            let Some(why) = failed else { continue };
            assert!(
                was_killed(*began, *ended),
                "a visit failed, and nothing was killed then: {why}"
            );
        }
        visits
    });
    let cut_off = visits.iter().filter(|(_, _, failed)| failed.is_some()).count();
    println!(
        "kill -9, 20 times: a new viewer's first picture after {:.2} s on average, {:.2} s at worst (goal 1); {} visits meanwhile, {cut_off} cut off, none refused",
        seconds(sum) / 20.0,
        seconds(worst),
        visits.len(),
    );
    assert!(worst < Duration::from_secs(20), "{worst:?}");
}

/// Sets the flag when it is dropped, also when a test fails.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn frozen(pi: &Appliance) {
    let began = Instant::now();
    pi.ssh("kill -STOP $(pidof lancam)").text();
    let viewer = NativeClient::connect_silently(pi.port(9999));
    viewer.stream.set_read_timeout(Some(BOOT)).expect("a timeout");
    let mut viewer = viewer;
    viewer.say(&crate::tools::native_client::hello(1, 1));
    viewer.frame();
    let took = began.elapsed();
    println!("SIGSTOP: a picture after {:.1} s (goal 10)", seconds(took));
    assert!(took < Duration::from_secs(50), "{took:?}");
}

fn unplugged(pi: &Appliance) {
    let driver = "/sys/bus/platform/drivers/vivid";
    for round in 1..=3 {
        let mut client = NativeClient::connect(pi.port(9999));
        client.frame();
        pi.ssh(&format!("echo vivid.0 >{driver}/unbind")).text();
        loop {
            match client.hear() {
                Said::Status { code: StatusCode::CameraLost | StatusCode::NoCamera, .. } => break,
                Said::Frame { facts, .. } => client.say(&Message::Ack { sequence: facts.sequence }),
                Said::Closed => panic!("the viewer was let go with the camera"),
                _ => {}
            }
        }
        pi.ssh(&format!("echo vivid.0 >{driver}/bind")).text();
        let began = Instant::now();
        client.frame();
        let took = began.elapsed();
        println!(
            "the camera is back, round {round}: a picture after {:.2} s (goal 1)",
            seconds(took)
        );
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
}

#[test]
#[ignore = "minutes: make test-all"]
fn after_a_crash_of_the_first_process_or_the_kernel_it_starts_anew() {
    let Some(pi) = booted() else { return };
    for (what, command) in
        [("kill -SEGV 1", "kill -SEGV 1"), ("kernel panic", "echo c >/proc/sysrq-trigger")]
    {
        pi.ssh("true");
        let (mark, began) = (pi.console.mark(), Instant::now());
        pi.ssh_last_words(command);
        pi.console.wait_for("lancam: initramfs", mark, BOOT);
        println!("{what}: {}", pi.picture_after(mark, began));
    }
    // The data partition may not be mounted yet.
    let crash = pi.ssh("systemctl start lancam-crash; cat /data/crash/*/dmesg* 2>/dev/null | head -c 20000; journalctl -b -o cat -u lancam-crash");
    let crash = crash.text();
    let kept = crash.contains("sysrq: Trigger a crash") || crash.contains("Kernel panic");
    println!("the panic's last words kept: {kept}");
    assert!(kept, "{crash}");
}

#[test]
#[ignore = "minutes: make test-all"]
fn power_cut_at_any_moment_does_it_no_harm() {
    let Some(pi) = booted() else { return };
    let mut random = Random::new(SEED);
    let (mut resets, mut worst) = (0, Duration::ZERO);
    println!("resets at moments from seed {SEED:#x}");
    pi.ssh("systemctl start lancam-data; echo kept >/data/kept; sync").text();
    for round in 0..20 {
        if round % 2 == 0 {
            // The power is cut while the data partition is written to.
            pi.ssh("(while :; do dd if=/dev/urandom of=/data/busy bs=64k count=8; sync; done) >/dev/null 2>&1 &");
            thread::sleep(random.time_below(Duration::from_secs(3)));
        } else {
            // The power is cut during the start.
            pi.reset();
            resets += 1;
            thread::sleep(random.time_below(Duration::from_secs(20)));
        }
        let began = Instant::now();
        let mark = pi.reset();
        resets += 1;
        let stages = pi.picture_after(mark, began);
        worst = worst.max(stages.picture);
        let log = pi.ssh("systemctl start lancam-data; cat /data/kept; journalctl -b -o cat -u lancam-data; dmesg | grep EXT4; grep ' /data ' /proc/mounts");
        let log = log.text();
        let is_whole = !log.contains("damaged") && !log.contains("EXT4-fs error");
        assert!(is_whole && log.starts_with("kept\n") && log.contains(" rw,"), "{round}: {log}");
    }
    println!(
        "{resets} resets: a picture each time, after {:.1} s at worst, and nothing damaged",
        seconds(worst)
    );
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_data_partition_that_is_full_read_only_or_noise_costs_no_picture() {
    let Some(pi) = booted() else { return };
    pi.ssh("systemctl start lancam-data; dd if=/dev/zero of=/data/fill bs=1M; sync");
    let full = pi.ssh("df -k /data | tail -n 1").text();
    assert!(full.contains("100%"), "{full}");
    let pi = pi.power_off().boot(Machine::Virt, &CAMERA);
    println!("full: {}", pi.first_picture());
    let told = complaints_once(&pi, "data partition: full");
    println!("full, and it says: {told}");
    let log = pi.ssh("journalctl -b -o cat -u lancam-secrets").text();
    assert!(log.contains("data partition: full"), "{log}");

    pi.ssh("mount -o remount,ro /data && systemctl restart lancam-secrets lancam-crash").text();
    let told = complaints_once(&pi, "data partition: read-only");
    println!("read-only, and it says: {told}");
    pi.ssh("systemctl restart lancam").text();
    wait_for_a_frame(&pi);
    let card = pi.cut_power();

    // Overwrites its first half: superblocks, inodes and the journal.
    let disk = File::options().write(true).open(card.file()).expect("the card");
    let (start, len) = card.partition(3);
    let mut random = Random::new(SEED);
    let noise: Vec<u8> = (0..1 << 20).map(|_| random.next().to_le_bytes()[3]).collect();
    for at in (0..len / 2).step_by(noise.len()) {
        disk.write_all_at(&noise, start + at).expect("writes");
    }
    let pi = card.boot(Machine::Virt, &CAMERA);
    println!("noise: {}", pi.first_picture());
    pi.ssh("systemctl start lancam-secrets").text();
    let log = pi.ssh("systemctl start lancam-data; journalctl -b -o cat -u lancam-data; grep ' /data ' /proc/mounts || true").text();
    println!("{}", log.trim());
    assert!(log.contains("the data partition"), "{log}");
    // e2fsck repairs it, or finds nothing that it can repair. Then it stays as it is, and there is a message.
    let is_repaired = log.contains(" rw,");
    assert_eq!(config_errors(&pi).contains("data partition"), !is_repaired, "{log}");
    assert!(is_repaired || log.contains("could not be checked"), "{log}");
    assert!(!log.contains("making the data partition"), "{log}");
}

/// The complaints in `/state`, which the page shows too, once they contain `told`. The screen shows them as
/// well.
fn complaints_once(pi: &Appliance, told: &str) -> String {
    pi.ssh("systemctl start lancam-secrets").text();
    let state = pi.get_until("/state", |state| state.code == 200 && state.text().contains(told));
    let screen = pi.ssh("/usr/lib/lancam/screen").text();
    assert!(screen.contains(told), "{screen}");
    errors(state.text()).to_owned()
}

fn config_errors(pi: &Appliance) -> String {
    errors(pi.get_until("/state", |state| state.code == 200).text()).to_owned()
}

fn errors(state: &str) -> &str {
    let errors = state.split("\"config_errors\":").nth(1).unwrap_or_default();
    errors.split("],").next().unwrap_or_default()
}

#[test]
#[ignore = "minutes: make test-all"]
fn misspelt_settings_are_told_and_done_without() {
    let Some(mut card) = Card::new() else { return };
    for (text, told) in [
        ("quality = 800\nname = \"Garage\"\n", "lancam.toml:1:11"),
        ("\n\nsource = \"/dev/nothing\nfps = 10\n", "lancam.toml:3"),
        ("listen = [\"300.1.1.1:1\"]\n", "lancam.toml:1"),
        ("size = \"640x360\"\n\u{0}\u{1}\u{fffd}\n", "lancam.toml:2"),
        ("[controls]\nbrightness = [\nwidth 5\n", "lancam.toml:3"),
    ] {
        card.put("lancam.toml", text.as_bytes());
        let pi = card.boot(Machine::Virt, &CAMERA);
        let stages = pi.first_picture();
        let errors = config_errors(&pi);
        println!("{text:?}: picture after {:.1} s; it says {errors}", seconds(stages.picture));
        assert!(errors.contains(told), "{errors}");
        card = pi.cut_power();
    }
}
