//! A thousand rounds of everything that rude, broken and hostile clients do, while two healthy viewers watch.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::native_client::hello;
use crate::tools::viewer_process::{Output, Viewer};
use lancam::wire::native::VERSION;
use lancam::wire::native::message::Message;
use socket2::{Domain, Socket, Type};
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;

const ROUNDS: usize = 1000;
/// Rounds after which memory is compared with memory at the end.
const WARM: usize = 100;
/// What an allocator may keep besides: less than a kilobyte a round.
const SLACK_KIB: u64 = 900;

/// A connection from an address of its own, as from another machine of the LAN.
fn neighbour(round: usize, port: u16) -> TcpStream {
    let octet = |at: usize| u8::try_from(at % 250).expect("below 250") + 2;
    let from = SocketAddr::from((Ipv4Addr::new(127, 0, octet(round / 250), octet(round)), 0));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&from.into()).expect("all of 127/8 is loopback");
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).expect("connects");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// Says something and reads what comes, at most `limit` bytes; that the camera hangs up meanwhile is its right.
fn say_and_read(stream: &mut TcpStream, said: &[u8], limit: u64) -> Vec<u8> {
    let mut answer = Vec::new();
    if stream.write_all(said).is_ok() {
        let _ = stream.take(limit).read_to_end(&mut answer);
    }
    answer
}

/// Whatever is to be tried, each on a connection of its own.
fn shapes(port: u16) -> Vec<(&'static str, Vec<u8>, u64)> {
    let native = |messages: &[Message<'_>]| {
        let mut bytes = Vec::new();
        for message in messages {
            message.write_to(&mut bytes);
        }
        bytes
    };
    let greeting = hello(VERSION, VERSION);
    let get = |target: &str, more: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\n{more}\r\n").into_bytes()
    };
    let cut = native(&[hello(VERSION, VERSION)]);
    let mut pings = native(&[greeting]);
    for token in 0..200 {
        pings.extend(native(&[Message::Ping { token }]));
    }
    vec![
        ("leaves at once", Vec::new(), 0),
        ("half a greeting", cut[..7].to_vec(), 0),
        ("a greeting, and leaves with a frame on its way", cut, 2000),
        ("pings and takes nothing", pings, 100),
        ("an unknown protocol", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), 4096),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), 4096),
        ("an L that is no greeting", b"LCAX\x01\x01\x00\x00\xff\xff\xff\xff".to_vec(), 4096),
        ("a foreign host", b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_vec(), 1 << 20),
        ("a wish that makes no sense", get("/stream?width=-1", ""), 512),
        ("an odd size, and leaves", get("/stream?width=130", ""), 3000),
        ("another odd size, and leaves", get("/stream?width=210&quality=35", ""), 3000),
        ("a stream, and leaves", get("/stream", ""), 5000),
        ("a snapshot", get("/snapshot", "Connection: close\r\n"), 1 << 20),
        ("large cookies", get("/state", &format!("Cookie: {}\r\n", "c".repeat(70_000))), 4096),
        ("many requests at once", get("/healthz", "").repeat(20), 512),
        (
            "a body",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n123456789".to_vec(),
            4096,
        ),
    ]
}

fn resident_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn open_files(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).expect("it runs").count()
}

/// A viewer that is asked to end says what it has seen.
fn interrupted(viewer: Viewer) -> Output {
    let sent = Command::new("kill").arg("-INT").arg(viewer.id().to_string()).status();
    assert!(sent.expect("kill runs").success());
    viewer.finish()
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_thousand_rounds_of_rude_clients_cost_healthy_viewers_nothing_and_leave_nothing_behind() {
    let camera = CameraProcess::start(&["--source", "test:320x180@20", "--control", "lan"]);
    let process = camera.child.id();
    let address = format!("127.0.0.1:{}", camera.port());
    let watch = |more: &[&str]| {
        let mut arguments = vec!["--headless", "--json", "--seconds", "3600"];
        arguments.extend_from_slice(more);
        arguments.push(&address);
        Viewer::start(&arguments)
    };
    let viewers = [watch(&[]), watch(&["--width", "160"])];
    let shapes = shapes(camera.port());
    let (mut warm, mut files) = (0, 0);
    for round in 0..ROUNDS {
        for (shape, said, limit) in &shapes {
            let mut stream = neighbour(round, camera.port());
            let answer = say_and_read(&mut stream, said, *limit);
            assert!(u64::try_from(answer.len()).expect("small") <= *limit, "{shape}");
        }
        if round == WARM {
            (warm, files) = (resident_kib(process), open_files(process));
        }
    }
    let (end, files_at_end) = (resident_kib(process), open_files(process));
    println!(
        "after {WARM} rounds {warm} KiB and {files} files, after {ROUNDS} {end} KiB and {files_at_end}"
    );
    assert!(end <= warm + SLACK_KIB, "{warm} KiB grew to {end}");
    // Sessions that are still ending.
    assert!(files_at_end <= files + 64, "{files} files grew to {files_at_end}");
    for viewer in viewers {
        let output = interrupted(viewer);
        let (frames, skipped) = (output.figure("frames"), output.figure("skipped"));
        println!("a healthy viewer: {frames} frames, {skipped} skipped");
        assert!(skipped <= (frames + skipped) / 100.0, "{}", output.stdout);
    }
    assert!(camera.terminate().success());
}
