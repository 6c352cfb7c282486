//! How much one address may use, what a stranger is told, and what happens when something runs out.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::http_client::{Answer, HttpClient, HttpStream, get};
use crate::tools::interrupted::again;
use crate::tools::lan::{Lan, Machine};
use crate::tools::native_client::{NativeClient, Said, hello};
use lancam::wire::native::VERSION;
use lancam::wire::native::message::{GoodbyeReason, Message, StatusCode};
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Socket, Type};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The address of a neighbour. All of 127.0.0.0/8 is this machine.
fn neighbour(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

/// A connection from that address.
fn connect_from(address: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(address, 0).into())?;
    socket.connect_timeout(&to.into(), PATIENCE)?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn camera_at(camera: &CameraProcess) -> SocketAddr {
    SocketAddr::new(neighbour(1), camera.port())
}

/// Everything that arrives until the other side closes.
fn rest(mut stream: &TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends one request from an address, and returns everything that arrives.
fn ask_from(address: IpAddr, camera: &CameraProcess, target: &str) -> String {
    let mut stream = connect_from(address, camera_at(camera)).expect("connects");
    let _ = stream.write_all(format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes());
    rest(&stream)
}

#[test]
fn the_idle_connections_of_one_neighbour_shut_nobody_out() {
    let camera = CameraProcess::start(&["--source", "test:64x48", "--max-viewers", "8"]);
    let mut idle: Vec<TcpStream> = Vec::new();
    let renew = |stream: &mut TcpStream| {
        let mut head = [0; 4096];
        stream.write_all(b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").is_ok()
            && stream.read(&mut head).is_ok_and(|count| count > 0)
    };
    for round in 0..3 {
        while idle.len() < 100 {
            let mut stream = connect_from(neighbour(2), camera_at(&camera)).expect("connects");
            renew(&mut stream);
            idle.push(stream);
        }
        // The neighbour itself and the others are all answered.
        for last in [2, 3, 4, 1] {
            let answer = ask_from(neighbour(last), &camera, "/healthz");
            assert!(answer.starts_with("HTTP/1.0 200 "), "round {round}, {last}: {answer:?}");
        }
        idle.retain_mut(renew);
        assert!(idle.len() <= 72, "{} are kept", idle.len());
    }
    // A viewer can watch as well.
    let mut stream = HttpClient::connect(camera.port()).stream("/stream");
    (0..5).for_each(|_| drop(stream.part()));
}

#[test]
fn the_last_seats_are_kept_for_other_addresses() {
    let camera = CameraProcess::start(&["--source", "test:64x48", "--max-viewers", "8"]);
    let watch = |last: u8| {
        let mut stream = connect_from(neighbour(last), camera_at(&camera)).expect("connects");
        stream.write_all(b"GET /stream HTTP/1.0\r\n\r\n").expect("writes");
        let mut start = [0; 512];
        let count = again(|| stream.read(&mut start)).expect("an answer");
        let start = String::from_utf8_lossy(&start[..count]).into_owned();
        (stream, start)
    };
    let watching: Vec<_> = (0..7).map(|_| watch(2)).collect();
    assert!(watching.iter().all(|(_, start)| start.starts_with("HTTP/1.0 200 ")));
    let (refused, start) = watch(2);
    assert!(start.starts_with("HTTP/1.0 503 "), "{start}");
    let text = start + &rest(&refused);
    assert!(text.contains("no more than 7 viewers from one address (127.0.0.2)"), "{text}");
    let (_other, start) = watch(3);
    assert!(start.starts_with("HTTP/1.0 200 "), "{start}");
}

#[test]
fn a_connection_is_not_used_for_ever() {
    let camera = CameraProcess::start(&["--source", "test:64x48"]);
    let mut client = HttpClient::connect(camera.port());
    let start = Instant::now();
    let mut answered = 0;
    loop {
        let answer = client.get("/healthz");
        answered += 1;
        if answer.header("Connection") == Some("close") {
            break;
        }
        assert!(start.elapsed() < 4 * PATIENCE, "after {answered} answers");
    }
    assert_eq!(client.rest(), b"");
    assert!(answered <= 1000, "{answered}");
}

#[test]
fn a_viewer_that_takes_answers_and_no_frame_gives_its_seat_back() {
    // Each question is answered, but no answer extends the time for the frame.
    for question in [Message::Ping { token: 7 }, Message::ListControls] {
        let camera = CameraProcess::start(&["--source", "test:64x48", "--max-viewers", "1"]);
        let mut bytes = Vec::new();
        question.write_to(&mut bytes);
        let mut idle = NativeClient::connect(camera.port());
        while !matches!(idle.hear(), Said::Frame { .. }) {}
        let start = Instant::now();
        loop {
            // If this fails, the last message can still be read.
            let _ = idle.stream.write_all(&bytes);
            match idle.hear() {
                Said::Pong { .. } | Said::Status { code: StatusCode::Refused, .. } => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Said::Goodbye { reason: GoodbyeReason::TooSlow, .. } | Said::Closed => break,
                other => panic!("{other:?}"),
            }
            assert!(start.elapsed() < PATIENCE, "it still sits");
        }
        assert!(start.elapsed() > Duration::from_secs(4), "{:?}", start.elapsed());
        NativeClient::connect(camera.port()).frame();
        assert!(get(camera.port(), "/metrics").text().contains("{reason=\"too_slow\"} 1\n"));
    }
}

#[test]
fn a_request_that_comes_while_another_is_answered_gets_its_answer() {
    let source = ["--source", "test:1920x1080@10", "--quality", "95"];
    let camera = CameraProcess::start(&source);
    let client = HttpClient::connect(camera.port());
    setsockopt(&client.tcp, sockopt::RcvBuf, &4096).expect("sets its buffer");
    let mut client = client;
    let ask = "GET /snapshot HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for _ in 0..2 {
        client.say(ask);
        // The answer has begun, and now waits for this reader.
        again(|| client.tcp.peek(&mut [0])).expect("the answer begins");
        client.say(ask);
        client.say(ask);
        for _ in 0..3 {
            let answer = client.answer("GET");
            assert_eq!((answer.code, answer.body.get(..2)), (200, Some(&[0xFF, 0xD8][..])));
        }
    }
}

/// Everything that the camera answers to these bytes if the sending side is closed after them.
fn half_closed(port: u16, bytes: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
    stream.write_all(bytes.as_bytes()).expect("writes");
    stream.shutdown(Shutdown::Write).expect("still open");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("no reset");
    answer
}

#[test]
fn a_client_that_closes_its_sending_side_is_answered() {
    let camera = CameraProcess::start(&["--source", "test:64x48@50"]);
    let port = camera.port();
    for (bytes, answers) in [
        ("GET /snapshot HTTP/1.0\r\n\r\n", &["HTTP/1.0 200 "][..]),
        ("GET /snapshot HTTP/1.1\r\nHost: localhost\r\n\r\n", &["HTTP/1.1 200 "]),
        ("HEAD /stream HTTP/1.0\r\n\r\n", &["HTTP/1.0 200 "]),
        (
            "GET /state HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.0\r\n\r\n",
            &["HTTP/1.1 200 ", "HTTP/1.0 200 "],
        ),
        ("GET /nothing HTTP/1.0\r\n\r\n", &["HTTP/1.0 404 "]),
        ("GET / HTTP/1.0\r\n", &["HTTP/1.1 400 "]),
    ] {
        let all = half_closed(port, bytes);
        let text = String::from_utf8_lossy(&all).into_owned();
        let mut rest = text.as_str();
        for answer in answers {
            let at = rest.find(answer).unwrap_or_else(|| panic!("{bytes:?}: {text:.200}"));
            rest = &rest[at + answer.len()..];
        }
        assert!(text.starts_with(answers[0]), "{text:.200}");
    }
    // Without a request there is no answer.
    assert_eq!(half_closed(port, ""), b"");
    assert!(half_closed(port, "GE").starts_with(b"HTTP/1.1 400 "));
    let mut stream = HttpClient::connect(port).stream("/stream");
    stream.client.tcp.shutdown(Shutdown::Write).expect("still open");
    (0..20).for_each(|_| drop(stream.part()));
    // The camera finds out that the viewer has gone when it sends the next frame.
    drop(stream);
    loop {
        let ended = camera.line_with("connection ended");
        if ended.ends_with("the viewer left") {
            break;
        }
    }
}

#[test]
fn a_client_that_leaves_in_the_middle_of_its_request_has_left() {
    let camera = CameraProcess::start(&["--source", "test:64x48"]);
    let mut client = TcpStream::connect(("127.0.0.1", camera.port())).expect("connects");
    client.write_all(b"GET /snap").expect("writes");
    drop(client);
    let ended = camera.line_with("connection ended");
    assert!(ended.ends_with("the viewer left"), "{ended}");
}

#[test]
fn a_native_viewer_that_closes_its_sending_side_leaves_and_is_told_what_is_wrong_before() {
    let camera = CameraProcess::start(&["--source", "test:64x48", "--max-viewers", "1"]);
    let mut leaves = NativeClient::connect(camera.port());
    leaves.stream.shutdown(Shutdown::Write).expect("still open");
    while leaves.hear() != Said::Closed {}
    // The seat must be free at once.
    let mut viewer = NativeClient::connect(camera.port());
    viewer.frame();
    let mut refused = NativeClient::connect(camera.port());
    refused.stream.shutdown(Shutdown::Write).expect("still open");
    assert!(matches!(refused.hear(), Said::Goodbye { reason: GoodbyeReason::Full, .. }));
}

#[test]
fn a_viewer_that_may_have_gone_gives_its_seat_to_the_next() {
    let camera = CameraProcess::start(&["--source", "test:64x48", "--max-viewers", "1"]);
    let mut first = HttpClient::connect(camera.port()).stream("/stream");
    first.part();
    let full = get(camera.port(), "/stream");
    assert_eq!(full.code, 503);
    first.client.tcp.shutdown(Shutdown::Write).expect("still open");
    first.part();
    let start = Instant::now();
    let mut second = loop {
        let mut client = HttpClient::connect(camera.port());
        client.say("GET /stream HTTP/1.0\r\n\r\n");
        let mut start_of = [0; 12];
        again(|| client.tcp.peek(&mut start_of)).expect("an answer");
        if start_of.ends_with(b"200") {
            break client;
        }
        assert!(start.elapsed() < PATIENCE, "the seat is not given");
    };
    let mut some = [0; 4096];
    second.tcp.read_exact(&mut some).expect("pictures");
    assert!(first.client.rest().len() < 1 << 20, "the first one has ended");
}

#[test]
fn each_refusal_is_counted_under_its_own_name() {
    // No pictures come from this pipe.
    let mut command = CameraProcess::command(&["--listen", "127.0.0.1:0", "--source", "-"]);
    let mut empty = CameraProcess::spawn(command.stdin(Stdio::piped()));
    let pipe = empty.child.stdin.take().expect("piped");
    let camera = CameraProcess::start(&["--source", "test:64x48", "--max-viewers", "1"]);
    let count = |camera: &CameraProcess, reason: &str| {
        let text = get(camera.port(), "/metrics").text().to_owned();
        let start = format!("lancam_connections_refused_total{{reason=\"{reason}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned);
        line.unwrap_or_else(|| panic!("no {reason}: {text}"))
    };
    let close = "Host: localhost\r\nConnection: close\r\n\r\n";
    let mut watching = HttpClient::connect(camera.port()).stream("/stream");
    watching.part();
    for refused in ["GET /stream HTTP/1.1\r\n", "GET /stream?width=9 HTTP/1.1\r\n"] {
        let mut client = HttpClient::connect(camera.port());
        client.say(&format!("{refused}{close}"));
        assert_eq!(client.answer("GET").code, 503);
        client.rest();
    }
    let mut native = NativeClient::connect(camera.port());
    assert!(matches!(native.hear(), Said::Goodbye { reason: GoodbyeReason::Full, .. }));
    for (request, code) in [("GET /x HTTP/1.1\r\n", 404), ("POST / HTTP/1.1\r\n", 405)] {
        let mut client = HttpClient::connect(camera.port());
        client.say(&format!("{request}{close}"));
        assert_eq!(client.answer("GET").code, code);
        client.rest();
    }
    let mut client = HttpClient::connect(empty.port());
    client.say(&format!("GET /snapshot HTTP/1.1\r\n{close}"));
    assert_eq!(client.answer("GET").code, 503);
    client.rest();
    for (camera, reason, expected) in [
        (&camera, "too_many", "3"),
        (&camera, "bad_request", "2"),
        (&camera, "no_picture", "0"),
        (&empty, "no_picture", "1"),
        (&empty, "bad_request", "0"),
        (&empty, "too_many", "0"),
        (&empty, "silent", "0"),
    ] {
        let start = Instant::now();
        while count(camera, reason) != expected {
            assert!(start.elapsed() < PATIENCE, "{reason}: {}", count(camera, reason));
        }
    }
    drop(pipe);
}

#[test]
fn a_tutorial_client_that_talks_without_end_is_let_go() {
    let camera = CameraProcess::start(&["--source", "test:64x48", "--pickle"]);
    let mut stream = TcpStream::connect(("127.0.0.1", camera.port())).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("sets a timeout");
    stream.read_exact(&mut [0; 8]).expect("pictures come");
    let mut sent = 0;
    while stream.write_all(&[b'x'; 4096]).is_ok() {
        sent += 4096;
        assert!(sent < 64 << 20, "it is still listened to");
    }
    let ended = camera.line_with("connection ended");
    assert!(ended.contains("though it only gets pictures"), "{ended}");
}

#[test]
fn a_flood_of_viewers_and_of_odd_requests_is_a_few_lines_and_does_nothing_to_a_terminal() {
    let mut command =
        CameraProcess::command(&["--listen", "127.0.0.1:0", "--source", "test:64x48"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("lancam starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let port = loop {
        let line = lines.next().expect("a line").expect("text");
        if let Some((_, port)) = line.split_once("LISTENING AT: tcp://127.0.0.1:") {
            break port.parse::<u16>().expect("a port");
        }
    };
    for number in 0..200 {
        let mut native = NativeClient::connect_silently(port);
        native.say(&hello(VERSION, VERSION));
        assert!(matches!(native.hear(), Said::Welcome { .. }));
        let mut odd = TcpStream::connect(("127.0.0.1", port)).expect("connects");
        let request = format!("GET /{number}\u{1b}[31m\u{202e} HTTP/1.0\r\n\r\n");
        odd.write_all(request.as_bytes()).expect("writes");
        odd.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
        rest(&odd);
    }
    crate::tools::camera_process::signal(&child, "TERM");
    crate::tools::camera_process::wait(&mut child);
    let lines: Vec<String> = lines.map_while(Result::ok).collect();
    assert!(lines.len() < 70, "{} lines: {:?}", lines.len(), &lines[..10]);
    let many = lines.iter().filter(|line| line.starts_with("many connections from 127.0.0.1"));
    assert_eq!(many.count(), 1, "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains(['\u{1b}', '\u{202e}'])), "{lines:?}");
}

/// A camera that may have 40 descriptors, and so three connections or so.
fn with_few_descriptors() -> CameraProcess {
    let mut command = Command::new("sh");
    let lancam = env!("CARGO_BIN_EXE_lancam");
    let script = format!(
        "ulimit -n 40; exec {lancam} --listen 127.0.0.1:0 --source test:64x48 --announce off --config ''"
    );
    command.args(["-c", &script]);
    CameraProcess::spawn_with(&mut command, Stdio::piped())
}

#[test]
fn clients_that_have_their_answer_and_do_not_close_keep_nobody_out() {
    let camera = with_few_descriptors();
    let answered: Vec<TcpStream> = (0..12)
        .map(|client| {
            let mut stream = connect_from(neighbour(1), camera_at(&camera)).expect("connects");
            stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").expect("asks");
            let answer = rest(&stream);
            assert!(answer.starts_with("HTTP/1.0 200 "), "client {client}: {answer:?}");
            stream
        })
        .collect();
    drop(answered);
}

#[test]
fn without_descriptors_the_camera_says_so_once_and_goes_on_answering() {
    let mut camera = with_few_descriptors();
    let log = BufReader::new(camera.child.stderr.take().expect("piped"));
    let mut watching = HttpClient::connect(camera.port()).stream("/stream");
    watching.part();
    let flood: Vec<TcpStream> = (0..60)
        .map(|_| TcpStream::connect(("127.0.0.1", camera.port())).expect("the kernel takes it"))
        .collect();
    (0..20).for_each(|_| drop(watching.part()));
    // Silent connections are closed for newcomers, so these are served.
    for _ in 0..5 {
        let answer = ask_from(neighbour(1), &camera, "/healthz");
        assert!(answer.starts_with("HTTP/1.0 200 "), "{answer:?}");
    }
    drop(flood);
    let start = Instant::now();
    while !ask_from(neighbour(1), &camera, "/snapshot").starts_with("HTTP/1.0 200 ") {
        assert!(start.elapsed() < PATIENCE, "it does not recover");
    }
    watching.part();
    assert!(camera.terminate().success());
    let lines: Vec<String> = log.lines().map_while(Result::ok).collect();
    for text in ["cannot accept connections", "too many connections"] {
        let told = lines.iter().filter(|line| line.contains(text)).count();
        assert!(told <= 1, "{text}: {lines:?}");
    }
    assert!(lines.len() < 12, "{lines:?}");
}

/// A camera and a desk on a cable. The desk has further addresses, which the camera reaches by these routes.
fn on_a_lan(desk_has: &[&str], camera_routes: &[&[&str]]) -> Option<(Lan, CameraProcess)> {
    let lan = Lan::new()?;
    for address in desk_has {
        lan.ip(Machine::Desk, &["addr", "add", address, "dev", "lan0", "nodad"]);
    }
    for route in camera_routes {
        lan.ip(Machine::Camera, route);
    }
    let listen = ["--listen", "[::]:0", "--source", "test:64x48"];
    let camera =
        CameraProcess::spawn(&mut lan.on(Machine::Camera, &CameraProcess::command(&listen)));
    Some((lan, camera))
}

/// The answer to a request from one of the desk's addresses, and the answer to a native greeting.
fn from_desk(lan: &Lan, address: &str, camera: SocketAddr) -> (String, Said) {
    let address: IpAddr = address.parse().expect("an address");
    let ask = move || {
        let mut http = connect_from(address, camera).expect("the camera's kernel answers");
        http.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").expect("writes");
        let answer = rest(&http);
        let stream = connect_from(address, camera).expect("the camera's kernel answers");
        let mut native = NativeClient::over(stream);
        native.say(&hello(VERSION, VERSION));
        (answer, native.hear())
    };
    lan.inside(Machine::Desk, ask).join().expect("no panic")
}

#[test]
fn a_stranger_is_told_why_and_a_tunnel_or_a_default_route_makes_nobody_a_neighbour() {
    let Some((lan, camera)) = on_a_lan(
        &["203.0.113.9/32"],
        &[
            &["route", "add", "203.0.113.9/32", "via", "10.77.0.2"],
            // Routes as WireGuard and OpenVPN make them. They say that everything is on the tunnel's link.
            &["tuntap", "add", "dev", "wg0", "mode", "tun"],
            &["link", "set", "wg0", "up"],
            &["route", "add", "default", "dev", "wg0"],
            &["route", "add", "128.0.0.0/1", "dev", "wg0"],
            &["route", "add", "203.0.0.0/8", "dev", "wg0"],
            &["-6", "route", "add", "2000::/3", "dev", "wg0"],
            // A default route on a LAN without a router.
            &["route", "add", "default", "dev", "lan0", "metric", "99"],
        ],
    ) else {
        return;
    };
    let at = SocketAddr::new(Lan::CAMERA, camera.port());
    let (answer, said) = from_desk(&lan, "203.0.113.9", at);
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer:?}");
    assert!(
        answer.contains(
            "203.0.113.9 is not on the LAN. To let it in, start lancam with --allow 203.0.113.9"
        ),
        "{answer}"
    );
    assert!(
        matches!(&said, Said::Goodbye { reason: GoodbyeReason::NotAllowed, text } if text.contains("not on the LAN")),
        "{said:?}"
    );
    let (answer, said) = from_desk(&lan, "10.77.0.2", at);
    assert!(
        answer.starts_with("HTTP/1.0 200 ") && matches!(said, Said::Welcome { .. }),
        "{answer}"
    );
}

#[test]
fn strangers_who_say_nothing_hold_nothing_and_delay_nobody() {
    let Some((lan, camera)) =
        on_a_lan(&["203.0.113.9/32"], &[&["route", "add", "203.0.113.9/32", "via", "10.77.0.2"]])
    else {
        return;
    };
    let at = SocketAddr::new(Lan::CAMERA, camera.port());
    let open = move || {
        let stranger = "203.0.113.9".parse().expect("an address");
        let connect = |_| connect_from(stranger, at).expect("the camera's kernel answers");
        let mut silent: Vec<TcpStream> = (0..50).map(connect).collect();
        // One byte does not tell the protocol, so these connections do not count as busy.
        silent.iter_mut().for_each(|stream| drop(stream.write_all(b"G")));
        let start = Instant::now();
        silent.iter().for_each(|stream| drop(rest(stream)));
        start.elapsed()
    };
    let took = lan.inside(Machine::Desk, open).join().expect("no panic");
    assert!(took < PATIENCE, "{took:?}");
    let (answer, _) = from_desk(&lan, "10.77.0.2", at);
    assert!(answer.starts_with("HTTP/1.0 200 "), "{answer}");
}

#[test]
fn a_neighbour_by_dhcpv6_is_one_because_a_route_says_so() {
    let Some((lan, camera)) = on_a_lan(
        &["2001:db8:1::20/128", "2001:db8:2::20/128"],
        &[
            &["addr", "add", "2001:db8:1::10/128", "dev", "lan0", "nodad"],
            &["-6", "route", "add", "2001:db8:1::/64", "dev", "lan0"],
        ],
    ) else {
        return;
    };
    lan.ip(Machine::Desk, &["-6", "route", "add", "2001:db8:1::10/128", "dev", "lan0"]);
    let link_local = "fe80::99/64";
    lan.ip(Machine::Desk, &["addr", "add", link_local, "dev", "lan0", "nodad"]);
    let by_router = ["-6", "route", "add", "2001:db8:2::/64", "via", "fe80::99", "dev", "lan0"];
    lan.ip(Machine::Camera, &by_router);
    let at = SocketAddr::new("2001:db8:1::10".parse().expect("an address"), camera.port());
    let (answer, said) = from_desk(&lan, "2001:db8:1::20", at);
    assert!(
        answer.starts_with("HTTP/1.0 200 ") && matches!(said, Said::Welcome { .. }),
        "{answer}"
    );
    let (answer, _) = from_desk(&lan, "2001:db8:2::20", at);
    assert!(
        answer.starts_with("HTTP/1.1 403 "),
        "what a router passes on is no neighbour: {answer}"
    );
}

#[test]
fn a_head_of_cookies_is_taken_and_one_without_end_is_not() {
    let camera = CameraProcess::start(&["--source", "test:64x48"]);
    let ask = |cookies: usize| -> Answer {
        let cookie = format!("Cookie: {}\r\n", "c".repeat(1000));
        HttpClient::connect(camera.port()).ask("GET", "/healthz", &cookie.repeat(cookies))
    };
    assert_eq!(ask(7).code, 200);
    assert_eq!(ask(31).code, 200);
    let refused = ask(40);
    assert!(refused.code == 431 && refused.text().contains("cookies"), "{}", refused.text());
}

#[test]
fn four_odd_sizes_take_nothing_from_those_who_ask_for_nothing_special() {
    let own = ["--source", "test:640x360", "--rotate", "90", "--pickle"];
    let camera = CameraProcess::start(&own);
    let widths = [100, 150, 200, 250];
    let mut odd: Vec<NativeClient> = widths
        .into_iter()
        .map(|width| {
            let wishes = lancam::wire::native::message::Wishes { width, ..Default::default() };
            NativeClient::connect_wishing(camera.port(), wishes)
        })
        .collect();
    odd.iter_mut().for_each(|viewer| drop(viewer.frame()));
    let size = |stream: &mut HttpStream| {
        let size = crate::tools::native_client::look(&stream.part().jpeg).0.size();
        (size.width, size.height)
    };
    for (target, expected) in [
        ("/stream", (360, 640)),
        ("/stream?fps=9", (360, 640)),
        ("/stream?width=360", (360, 640)),
        ("/stream?width=9", (100, 178)),
        ("/stream?width=190&quality=7", (200, 356)),
    ] {
        let mut stream = HttpClient::connect(camera.port()).stream(target);
        assert_eq!(size(&mut stream), expected, "{target}");
    }
    assert_eq!(get(camera.port(), "/snapshot").code, 200);
    assert_eq!(get(camera.port(), "/snapshot?quality=7").code, 200);
    assert_eq!(NativeClient::connect(camera.port()).frame().0.size.width, 360);
    // The tutorial's client sends nothing and understands no messages.
    let mut tutorial = TcpStream::connect(("127.0.0.1", camera.port())).expect("connects");
    tutorial.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
    tutorial.read_exact(&mut [0; 1000]).expect("pictures come");
    odd.iter_mut().for_each(|viewer| drop(viewer.frame()));
}
