//! The card's image from power-on to a picture, and what else it promises. One start of the image that owners
//! write onto cards.

use crate::tools::appliance::{Appliance, BOOT, Card, Machine};
use crate::tools::mdns_cable::Cable;
use lancam::wire::dns::{Data, Name, QueryKind};
use lancam::wire::service;
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Instant;

/// vivid as a camera: it makes only the node that takes pictures, and no radios or touch screen.
const CAMERA: [&str; 2] = ["modules_load=vivid", "vivid.node_types=1"];

/// The name that follows from the MAC address of QEMU's first network card.
const NAME: &str = "lancam-3456";

#[test]
#[ignore = "minutes: make test-all"]
fn the_second_start_finds_what_the_first_one_made() {
    let Some(card) = Card::new() else { return };
    let pi = card.boot(Machine::Virt, &CAMERA);
    let first = pi.first_picture();
    println!("first start: {first}");
    let made = pi.ssh("cat /data/ssh_host_ed25519_key | md5sum").text();
    let pi = pi.power_off().boot(Machine::Virt, &CAMERA);
    let second = pi.first_picture();
    println!("second start: {second} (goal 12)");
    let (first, second) = (first.picture.as_secs_f64(), second.picture.as_secs_f64());
    println!("the first took {:.1} s more (goal 10)", first - second);
    assert_eq!(pi.ssh("cat /data/ssh_host_ed25519_key | md5sum").text(), made);
    let log = pi.ssh("journalctl -b -o cat -u lancam-data").text();
    assert!(log.contains("lancam-data: clean"), "{log}");
}

/// The same image on a Raspberry Pi 3B, as its SD card, with the board's own device tree.
#[test]
#[ignore = "minutes: make test-all"]
fn the_same_card_starts_on_an_emulated_raspi3b() {
    let Some(card) = Card::new() else { return };
    let pi = card.boot(Machine::Raspi3b, &CAMERA);
    println!("on a Pi 3B: {} (goal 60)", pi.first_picture());
    let model = pi.ssh("cat /proc/device-tree/model").text();
    assert!(model.contains("Raspberry Pi 3 Model B"), "{model}");
    let disks = pi.ssh("grep -E ' /(boot|data)? ' /proc/mounts").text();
    assert_eq!(disks.matches("/dev/mmcblk").count(), 3, "{disks}");
    for disk in [" /boot ", " /data "] {
        let options = disks.lines().find(|line| line.contains(disk)).unwrap_or_default();
        assert!(options.contains("nosuid,nodev,noexec"), "{disks}");
    }
    nothing_has_failed(&pi);
}

/// A neighbour on another cable asks by multicast DNS over IPv6 for the host's name, which resolved answers,
/// and for the camera, which lancam announces.
#[test]
#[ignore = "minutes: make test-all"]
fn a_neighbour_on_a_second_cable_finds_its_name() {
    let cable = Cable::new();
    let Some(card) = Card::new() else { return };
    let arguments = cable.qemu();
    let card = card.with_qemu(&arguments.each_ref().map(String::as_str));
    let pi = card.boot(Machine::Virt, &CAMERA);
    its_name_is_its_own(&pi);
    let host = Name::of(&format!("{NAME}.local"));
    let address = cable.ask(&host, QueryKind::Aaaa, |record| match record.data {
        Data::Address(address) if record.name == host => Some(address),
        _ => None,
    });
    let cameras = Name::of(service::CAMERA);
    let camera = cable.ask(&cameras, QueryKind::Pointer, |record| match &record.data {
        Data::Instance(instance) if record.name == cameras => Some(instance.clone()),
        _ => None,
    });
    println!("multicast DNS: {host} is at {address}; there is the camera {camera}");
    assert_eq!(camera.first(), NAME);
}

#[test]
fn a_card_starts_to_a_picture_and_keeps_its_promises() {
    let Some(card) = Card::new() else { return };
    let pi = card.boot(Machine::Virt, &CAMERA);
    println!("first start: {} (goal 22)", pi.first_picture());
    the_viewer_shows_it(&pi);
    the_page_has_its_name(&pi);
    its_name_is_its_own(&pi);
    its_camera_has_a_name(&pi);
    nothing_has_failed(&pi);
    ports_are_those_that_are_documented(&pi);
    nothing_is_written_while_it_just_runs(&pi);
}

fn the_viewer_shows_it(pi: &Appliance) {
    let mut view = Command::new(env!("CARGO_BIN_EXE_lancam-view"));
    view.args(["--headless", "--frames", "30", "--timeout", "120", "--json"]);
    let output = view.arg(format!("127.0.0.1:{}", pi.port(9999))).output().expect("runs");
    let json = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{json} {}", String::from_utf8_lossy(&output.stderr));
    println!("lancam-view: {}", json.trim());
}

fn the_page_has_its_name(pi: &Appliance) {
    let state = pi.get_until("/state", |state| state.code == 200);
    assert!(state.text().contains(&format!("\"name\":\"{NAME}\"")), "{}", state.text());
    let page = pi.get_until("/", |page| page.code == 200);
    let kind = page.header("Content-Type").unwrap_or_default();
    assert!(kind.starts_with("text/html") && page.text().contains("/stream"), "{kind}");
    assert_eq!(pi.ssh("hostname").text().trim(), NAME);
}

/// The log shows which names resolved answers on the LAN and what lancam announces. QEMU's network carries no
/// multicast, so another test, with a cable, asks from outside.
fn its_name_is_its_own(pi: &Appliance) {
    let dump =
        "kill -USR1 $(pidof systemd-resolved); journalctl -b -o cat -u systemd-resolved -u lancam";
    let deadline = Instant::now() + BOOT;
    let answers = format!("{NAME}.local IN A 10.0.2.15");
    let announced = format!("announced on the LAN as {NAME}, port 9999");
    loop {
        let log = pi.ssh(dump).text();
        if log.contains(&answers) && log.contains(&announced) {
            return;
        }
        assert!(Instant::now() < deadline, "{log}");
    }
}

/// udev's rules name a camera by its socket. vivid has no socket of a board, so its own name is used. The
/// card's udev also checks the rules for other systems.
fn its_camera_has_a_name(pi: &Appliance) {
    let links =
        pi.ssh("cd /dev/camera/by-port && for name in *; do echo $name $(readlink -f $name); done");
    assert_eq!(links.text().trim(), "platform-vivid.0 /dev/video0");
    let rules = include_str!("../../../systemd/60-lancam.rules");
    let verify = "udevadm verify /tmp/60-lancam.rules /usr/lib/udev/rules.d/50-image.rules";
    let said = pi.ssh(&format!("cat >/tmp/60-lancam.rules <<'END'\n{rules}END\n{verify} 2>&1"));
    assert!(said.text().contains("Success: 2"), "{said:?}");
}

fn nothing_has_failed(pi: &Appliance) {
    let failed = pi.ssh("systemctl --failed --no-legend --plain").text();
    assert_eq!(failed.trim(), "");
    assert_eq!(pi.ssh("systemctl is-system-running --wait").text().trim(), "running");
}

/// docs/IMAGE-INSIDE.md names them. This card has a key, and therefore SSH.
fn ports_are_those_that_are_documented(pi: &Appliance) {
    let table = pi.ssh("netstat -ltun").text();
    let open: BTreeSet<_> = table
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let protocol = words.next()?.trim_end_matches('6');
            let port = words.nth(2)?.rsplit(':').next()?;
            ["tcp", "udp"].contains(&protocol).then(|| format!("{protocol} {port}"))
        })
        .collect();
    println!("open: {open:?}");
    let documented = ["tcp 22", "tcp 8080", "tcp 9999", "udp 5353"];
    for port in documented {
        assert!(open.contains(port), "{port}: {table}");
    }
    // DHCP clients open their ports only now and then.
    let others = open.iter().filter(|port| !documented.contains(&port.as_str()));
    let others: Vec<_> =
        others.filter(|port| !["udp 68", "udp 546"].contains(&port.as_str())).collect();
    assert!(others.is_empty(), "{others:?}: {table}");
}

fn nothing_is_written_while_it_just_runs(pi: &Appliance) {
    // The seventh figure is the number of written sectors. `sync` adds what still waits in memory.
    let written = |stat: &str| stat.split_whitespace().nth(6).map(str::to_owned);
    let twice =
        pi.ssh("sync; cat /sys/block/vda/stat; sleep 20; sync; cat /sys/block/vda/stat").text();
    let (before, after) = twice.trim().split_once('\n').expect("two lines");
    println!("sectors written in 20 s: from {:?} to {:?}", written(before), written(after));
    assert!(written(before).is_some());
    assert_eq!(written(before), written(after));
}
