//! Discovery with a hostile host on the LAN, and with a faulty network.

use crate::discovery::found::{camera, columns, listed, view};
use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::lan::{Lan, Machine};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

const GARAGE: [&str; 6] = ["--source", "test:64x48@5", "--name", "Garage", "--listen", "[::]:0"];
const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(224, 0, 0, 251), 5353);
const DESK: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);

/// A camera on the LAN and its log.
fn logged(lan: &Lan) -> (CameraProcess, Receiver<String>) {
    let options = [&GARAGE[..], &["--announce", "on"]].concat();
    let mut command = lan.on(Machine::Camera, &CameraProcess::command(&options));
    let mut camera = CameraProcess::spawn_with(&mut command, Stdio::piped());
    let log = BufReader::new(camera.child.stderr.take().expect("piped"));
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|it| sender.send(it)));
    (camera, lines)
}

#[track_caller]
fn line_with(log: &Receiver<String>, text: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let line = log.recv_timeout(left).unwrap_or_else(|_| panic!("no line with {text:?}"));
        if line.contains(text) {
            return line;
        }
    }
}

/// The resident memory, in bytes.
fn resident(child: &Child) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
    let kilobytes = line.split_whitespace().nth(1).and_then(|text| text.parse::<usize>().ok());
    kilobytes.expect("a number") << 10
}

/// A message's header: its flags, and the number of entries in its four sections.
fn header(flags: u16, counts: [u16; 4]) -> Vec<u8> {
    let words = [[0, flags].as_slice(), &counts].concat();
    words.into_iter().flat_map(u16::to_be_bytes).collect()
}

fn record(name: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len()).expect("short");
    let class_and_ttl = [0x80, 1, 0x7F, 0xFF, 0xFF, 0xFF];
    [name, &kind.to_be_bytes(), &class_and_ttl, &len.to_be_bytes(), data].concat()
}

fn label(text: &str) -> Vec<u8> {
    [&[u8::try_from(text.len()).expect("short")], text.as_bytes()].concat()
}

const LANCAM: &[u8] = b"\x07_lancam\x04_tcp\x05local\0";

/// The `number`th hostile message. There are eight shapes, used in turn.
fn hostile(number: usize) -> Vec<u8> {
    let name = |at: usize| [label(&format!("x{number}y{at}")), b"\x05local\0".to_vec()].concat();
    match number % 8 {
        // Unknown hosts, with a time to live of 68 years.
        0 => {
            let records = (0..50).flat_map(|at| record(&name(at), 1, &[10, 0, 0, 1]));
            [header(0x8400, [0, 50, 0, 0]), records.collect()].concat()
        }
        // Cameras that do not exist.
        1 => {
            let all = (0..8).flat_map(|at| {
                let instance = [label(&format!("n{number}i{at}")), LANCAM.to_vec()].concat();
                let place = [&[0, 0, 0, 0, 0, 9][..], &name(at)].concat();
                let text = [&[60], &[b'z'; 60][..]].concat();
                [
                    record(LANCAM, 12, &instance),
                    record(&instance, 33, &place),
                    record(&instance, 16, &text),
                    record(&instance, 47, &[&instance[..], &[0, 1, 0x40]].concat()),
                ]
                .concat()
            });
            [header(0x8400, [0, 32, 0, 0]), all.collect()].concat()
        }
        // Names with pointers into names. The message is as long as a message may be.
        2 => {
            let mut message = header(0x8400, [0, 600, 0, 0]);
            message.extend(b"\x01a".repeat(100));
            message.push(0);
            while message.len() < 8900 {
                message.extend(record(&[0xC0, 12], 33, &[0, 0, 0, 0, 0, 1, 0xC0, 14]));
            }
            message
        }
        // As many questions as fit into a message.
        3 => {
            let question = [LANCAM, &[0, 12, 0, 1]].concat();
            let more = [0xC0, 12, 0, 255, 0, 1].repeat(200);
            [header(0, [201, 0, 0, 0]), question, more].concat()
        }
        // A machine that asks whether the camera's name is free.
        4 => {
            let instance = [label("Garage"), LANCAM.to_vec()].concat();
            let place = record(&instance, 33, &[&[0, 0, 0, 0, 0, 9][..], &name(0)].concat());
            let question = [&instance[..], &[0, 255, 0, 1]].concat();
            [header(0, [1, 0, 1, 0]), question, place].concat()
        }
        // The first half of that message.
        5 => {
            let mut message = hostile(number - 4);
            message.truncate(message.len() / 2);
            message
        }
        // Nonsense bytes.
        6 => (0..1200_u32)
            .map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0] ^ number.to_be_bytes()[7])
            .collect(),
        // A header with wrong counts.
        _ => [header(0x8400, [0xFFFF; 4]), vec![0; 1000]].concat(),
    }
}

/// What a cable of 100 Mbit/s can carry to a Pi, in bytes per second.
const CABLE: f64 = 12_500_000.0;

/// Sends hostile messages until `is_over`. Returns the number of bytes.
fn flood(is_over: &AtomicBool) -> usize {
    let started = Instant::now();
    let legacy = UdpSocket::bind((DESK, 0)).expect("a port");
    let peer = UdpSocket::bind((DESK, 5353)).expect("the port");
    let mut bytes = 0;
    for number in 0.. {
        let message = hostile(number);
        let socket = if number % 3 == 0 { &legacy } else { &peer };
        let to =
            if number % 5 == 0 { SocketAddrV4::new([10, 77, 0, 1].into(), 5353) } else { GROUP };
        // This fails if the kernel's buffer is full.
        bytes += socket.send_to(&message, to).unwrap_or(0);
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let due = started + Duration::from_secs_f64(bytes as f64 / CABLE);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    bytes
}

#[test]
fn floods_neither_fill_the_memory_nor_hide_the_camera() {
    const ENOUGH: usize = 30_000_000;
    let Some(lan) = Lan::new() else { return };
    let (camera, log) = logged(&lan);
    line_with(&log, "announced on the LAN as Garage,");
    listed(&lan, Machine::Desk, |lines| lines.len() == 1);
    let before = resident(&camera.child);
    let mut bytes = 0;
    let mut looks = Vec::new();
    while bytes < ENOUGH {
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_over);
        let flooding = lan.inside(Machine::Desk, move || flood(&told));
        let looking = Instant::now();
        // It looks on the camera's machine, because the flood fills the buffers of the other machine.
        let (code, list, _) = view(&lan, Machine::Camera, &["--list"]);
        looks.push(looking.elapsed());
        is_over.store(true, Ordering::Relaxed);
        bytes += flooding.join().expect("it floods");
        assert_eq!(code, Some(0), "{list}");
        let own = list.lines().find(|line| line.starts_with("Garage ")).expect("it is listed");
        assert_eq!(columns(own)[1], format!("10.77.0.1:{}", camera.port()));
    }
    let grown = resident(&camera.child).saturating_sub(before);
    println!(
        "{bytes} bytes, {} looks of at most {:?}, grown by {grown}",
        looks.len(),
        looks.iter().max()
    );
    assert!(grown <= 1 << 20, "{grown} bytes more");
    // The camera is found as before.
    listed(&lan, Machine::Desk, |lines| lines.len() == 1 && columns(lines[0])[0] == "Garage");
    let (code, _, stderr) =
        view(&lan, Machine::Desk, &["--headless", "--frames", "2", "garage.local"]);
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn whoever_claims_every_name_is_told_of_once_and_the_camera_is_found_when_he_stops() {
    let Some(lan) = Lan::new() else { return };
    lan.ip(Machine::Desk, &["route", "add", "224.0.0.0/4", "dev", "lan0"]);
    let is_over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&is_over);
    let storm = lan.inside(Machine::Desk, move || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 5353)).expect("the port");
        socket.join_multicast_v4(GROUP.ip(), &DESK).expect("joins");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        let mut buffer = [0; 9000];
        let mut claimed = 0;
        while !told.load(Ordering::Relaxed) {
            let Ok(len) = socket.recv(&mut buffer) else { continue };
            let message = &buffer[..len];
            // Only a question for a name counts. The name follows the header.
            if message[2] & 0x80 != 0 || message[8..10] == [0, 0] {
                continue;
            }
            let end = 13 + usize::from(message[12]);
            let name = [&message[12..end], LANCAM].concat();
            let place = [&[0, 0, 0, 0, 0, 1][..], &label("other"), b"\x05local\0"].concat();
            let claim = [header(0x8400, [0, 1, 0, 0]), record(&name, 33, &place)].concat();
            socket.send_to(&claim, GROUP).expect("sends");
            claimed += 1;
        }
        claimed
    });
    let (_camera, log) = logged(&lan);
    line_with(&log, "another device claims every name");
    // It tries again now and then, and logs nothing more.
    let quiet = Instant::now() + Duration::from_secs(6);
    while let Ok(line) = log.recv_timeout(quiet.saturating_duration_since(Instant::now())) {
        assert!(!line.contains("LAN"), "{line}");
    }
    is_over.store(true, Ordering::Relaxed);
    let claimed = storm.join().expect("it storms");
    assert!((15..60).contains(&claimed), "{claimed} tries");
    line_with(&log, "announced on the LAN as Garage (");
    listed(&lan, Machine::Desk, |lines| lines.len() == 1);
}

#[test]
fn a_camera_that_starts_without_a_network_is_found_when_it_comes_and_comes_again() {
    let Some(lan) = Lan::new() else { return };
    lan.ip(Machine::Camera, &["link", "set", "lan0", "down"]);
    let (_camera, log) = logged(&lan);
    line_with(&log, "not announced yet");
    for _ in 0..2 {
        lan.ip(Machine::Camera, &["link", "set", "lan0", "up"]);
        listed(&lan, Machine::Desk, |lines| lines.len() == 1);
        lan.ip(Machine::Camera, &["link", "set", "lan0", "down"]);
    }
}

#[test]
fn a_camera_is_found_once_another_program_gives_the_port_back() {
    let Some(lan) = Lan::new() else { return };
    let hold = || UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 5353)).expect("nobody has it");
    let held = lan.inside(Machine::Camera, hold).join().expect("it is held");
    let (_camera, log) = logged(&lan);
    line_with(&log, "another program keeps UDP port 5353 to itself");
    drop(held);
    line_with(&log, "announced on the LAN as Garage,");
    listed(&lan, Machine::Desk, |lines| lines.len() == 1);
}

#[test]
fn a_camera_is_found_where_there_is_no_ipv4() {
    let Some(lan) = Lan::new() else { return };
    for (machine, address) in [(Machine::Camera, "fd77::1/64"), (Machine::Desk, "fd77::2/64")] {
        lan.ip(machine, &["addr", "add", address, "dev", "lan0", "nodad"]);
    }
    lan.ip(Machine::Camera, &["addr", "del", "10.77.0.1/24", "dev", "lan0"]);
    let camera = camera(&lan, &GARAGE);
    let at = format!("[fd77::1]:{}", camera.port());
    listed(&lan, Machine::Desk, |lines| lines.len() == 1 && lines[0].contains(&at));
    let garage = format!("garage.local:{}", camera.port());
    let (code, _, stderr) = view(&lan, Machine::Desk, &["--headless", "--frames", "2", &garage]);
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn a_camera_that_is_not_to_be_announced_says_nothing() {
    let Some(lan) = Lan::new() else { return };
    let listen = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 5353)).expect("the port");
        socket.join_multicast_v4(GROUP.ip(), &DESK).expect("joins");
        socket.set_nonblocking(true).expect("it may");
        socket
    };
    let heard = lan.inside(Machine::Desk, listen).join().expect("it listens");
    // First proves that this socket hears announcements.
    let announced = camera(&lan, &GARAGE);
    let mut buffer = [0; 9000];
    let deadline = Instant::now() + PATIENCE;
    while heard.recv(&mut buffer).is_err() {
        assert!(Instant::now() < deadline, "nothing is heard of a camera that is announced");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(announced.terminate().success());
    while heard.recv(&mut buffer).is_ok() {}

    let silent = [&GARAGE[..], &["--announce", "off"]].concat();
    let command = CameraProcess::command(&silent);
    let camera = CameraProcess::spawn(&mut lan.on(Machine::Camera, &command));
    let address = format!("10.77.0.1:{}", camera.port());
    // This is twice as long as a camera waits for its first picture.
    let (code, _, stderr) = view(&lan, Machine::Desk, &["--headless", "--seconds", "2", &address]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(camera.terminate().success());
    assert!(heard.recv(&mut buffer).is_err(), "something was said");
}
