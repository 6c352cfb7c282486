//! Bad HTTP: slow, huge, rude and too many requests. Other clients must not notice.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::http_client::{HttpClient, HttpStream, get};
use crate::tools::native_client::look;
use nix::sys::socket::{setsockopt, sockopt};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn what_cannot_be_served_is_told_why_and_closed() {
    let camera = CameraProcess::start(&["--source", "test:64x48"]);
    for (sent, code, says) in [
        ("GET /\r\n\r\n", 400, "like GET / HTTP/1.1"),
        ("GET / HTTP/1.1\r\n\r\n", 400, "Host"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "two different hosts"),
        ("GET / HTTP/2.0\r\n\r\n", 505, "must be HTTP/1.1"),
        (
            "POST /state HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
            405,
            "GET, HEAD or OPTIONS",
        ),
        ("DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "GET, HEAD or OPTIONS"),
    ] {
        let mut client = HttpClient::connect(camera.port());
        client.say(sent);
        let answer = client.answer("GET");
        assert_eq!((answer.code, answer.header("Connection")), (code, Some("close")), "{sent}");
        assert!(answer.text().contains(says), "{sent}: {}", answer.text());
        assert_eq!(client.rest(), b"");
    }
    let answer = get(camera.port(), "/cgi-bin/x");
    assert!(answer.code == 404 && answer.text().contains("/?action=snapshot"), "{}", answer.text());
    let answer = get(camera.port(), "/stream?quality=0");
    assert!(answer.code == 400 && answer.text().contains("1 to 100"), "{}", answer.text());
    // Bytes that are not a request get no answer.
    let mut rude = HttpClient::connect(camera.port());
    rude.say("\u{1}\u{2}\u{3}");
    assert_eq!(rude.rest(), b"");
}

#[test]
fn a_head_that_never_ends_is_refused_by_its_length_before_all_of_it_is_there() {
    let camera = CameraProcess::start(&["--source", "test:64x48"]);
    for (start, line, code) in [
        ("GET / HTTP/1.1\r\n", format!("X: {}\r\n", "y".repeat(1000)), 431),
        ("GET / HTTP/1.1\r\n", "a: b\r\n".into(), 431),
        ("GET /", "x".repeat(1000), 414),
    ] {
        let mut client = HttpClient::connect(camera.port());
        client.say(start);
        // A megabyte, or as much of it as lancam reads.
        for _ in 0..1_000_000 / line.len() {
            if client.tcp.write_all(line.as_bytes()).is_err() {
                break;
            }
        }
        assert_eq!(client.answer("GET").code, code, "{start}");
    }
}

#[test]
fn a_request_that_comes_byte_by_byte_has_5_seconds() {
    let camera = CameraProcess::start(&["--source", "test:64x48"]);
    let mut slow = HttpClient::connect(camera.port());
    let start = Instant::now();
    let mut silent = HttpClient::connect(camera.port());
    let mut stays = HttpClient::connect(camera.port());
    assert_eq!(stays.get("/healthz").code, 200);
    slow.say("GET / HTTP/1.1\r\nHost: localhost\r\n");
    slow.tcp.set_read_timeout(Some(Duration::from_millis(100))).expect("sets a timeout");
    let mut answer = Vec::new();
    loop {
        // A byte now and then does not extend the time for a request.
        let _ = slow.tcp.write_all(b"X");
        let mut piece = [0; 512];
        match slow.tcp.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
        assert!(start.elapsed() < PATIENCE, "still waiting");
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let took = start.elapsed();
    assert!((4.9..9.0).contains(&took.as_secs_f64()), "{took:?}");
    assert_eq!((silent.rest(), stays.rest()), (vec![], vec![]), "who says nothing is closed too");
    assert!(start.elapsed().as_secs_f64() < 12.0);
}

/// A stream whose reader takes little at a time. Its kernel buffers only a few bytes.
fn narrow(port: u16, target: &str) -> HttpStream {
    let client = HttpClient::connect(port);
    setsockopt(&client.tcp, sockopt::RcvBuf, &4096).expect("sets its buffer");
    client.stream(target)
}

#[test]
fn a_stalled_reader_is_let_go_and_delays_nobody() {
    let camera = CameraProcess::start(&["--source", "test:1280x720@30"]);
    let mut healthy = HttpClient::connect(camera.port()).stream("/stream");
    let first = look(&healthy.part().jpeg).1.expect("a stamp").sequence;
    let stalled = narrow(camera.port(), "/stream");
    let start = Instant::now();
    let mut frames = 0;
    let mut last = first;
    let mut longest = Duration::ZERO;
    while start.elapsed() < Duration::from_secs(7) {
        let before = Instant::now();
        last = look(&healthy.part().jpeg).1.expect("a stamp").sequence;
        longest = longest.max(before.elapsed());
        frames += 1;
    }
    let ended = camera.line_with("connection ended");
    assert!(ended.contains("took no data for 4.5 s"), "{ended}");
    println!(
        "beside a stalled reader: {frames} of {} frames, the longest wait {longest:?}",
        last - first
    );
    assert!(longest < Duration::from_secs(3), "{longest:?}");
    assert!(frames * 3 >= last - first, "{frames} of {}", last - first);
    assert!(get(camera.port(), "/metrics").text().contains("{reason=\"too_slow\"} 1\n"));
    drop(stalled);
}

#[test]
fn a_slow_reader_gets_new_pictures_and_never_more_than_few_old_ones() {
    let camera = CameraProcess::start(&["--source", "test:1280x720@30"]);
    let mut slow = narrow(camera.port(), "/stream");
    let mut newest = HttpClient::connect(camera.port()).stream("/stream");
    let sequence = |stream: &mut HttpStream| look(&stream.part().jpeg).1.expect("a stamp").sequence;
    sequence(&mut slow);
    let mut worst = 0;
    for _ in 0..8 {
        // The slow viewer takes one picture while the other takes ten.
        let live = (0..10).map(|_| sequence(&mut newest)).last().expect("ten");
        worst = worst.max(live.saturating_sub(sequence(&mut slow)));
    }
    println!("a reader at a tenth of the rate is {worst} frames behind at most");
    // The slow viewer reads one frame, one is on its way, and one waits. Each is as old as ten frames of the
    // other.
    assert!(worst <= 45, "{worst} frames behind");
}

#[test]
fn one_viewer_too_many_is_told_so_and_a_snapshot_is_no_viewer() {
    let camera = CameraProcess::start(&["--source", "test:64x48", "--max-viewers", "1"]);
    let mut stream = HttpClient::connect(camera.port()).stream("/stream");
    stream.part();
    let answer = get(camera.port(), "/stream");
    assert_eq!(answer.code, 503);
    assert!(answer.text().contains("allows no more than 1 viewer"), "{}", answer.text());
    assert_eq!(get(camera.port(), "/snapshot").code, 200);
    stream.part();
}

#[test]
fn a_flood_of_connections_is_refused_in_order_and_logged_once() {
    let mut command = CameraProcess::command(&[
        "--listen",
        "127.0.0.1:0",
        "--source",
        "test:320x180@30",
        "--max-viewers",
        "2",
    ]);
    let mut camera = CameraProcess::spawn_with(&mut command, Stdio::piped());
    let log = BufReader::new(camera.child.stderr.take().expect("piped"));
    let mut stream = HttpClient::connect(camera.port()).stream("/stream");
    stream.part();
    let flood: Vec<TcpStream> = (0..200)
        .map(|_| TcpStream::connect(("127.0.0.1", camera.port())).expect("the kernel takes it"))
        .collect();
    let before = Instant::now();
    (0..30).for_each(|_| drop(stream.part()));
    assert!(before.elapsed() < Duration::from_secs(6), "{:?}", before.elapsed());
    // A silent connection is closed after 5 s. Then there is room again.
    let start = Instant::now();
    loop {
        let mut client = TcpStream::connect(("127.0.0.1", camera.port())).expect("connects");
        client.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
        let mut answer = String::new();
        let _ = client.write_all(b"GET /healthz HTTP/1.0\r\n\r\n");
        let _ = client.read_to_string(&mut answer);
        if answer.starts_with("HTTP/1.0 200") {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "still full");
    }
    drop(flood);
    let status = camera.terminate();
    assert!(status.success());
    let lines: Vec<String> = log.lines().map_while(Result::ok).collect();
    let told = lines.iter().filter(|line| line.contains("too many connections: ")).count();
    assert_eq!(told, 1, "{lines:?}");
}
