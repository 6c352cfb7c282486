//! HTTP with correct requests: every URL and every header, byte for byte as other programs expect them.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::delaying_proxy::delaying;
use crate::tools::http_client::{HttpClient, get, metric};
use crate::tools::interrupted::again;
use crate::tools::jpeg_tools::grey_jpegs;
use crate::tools::native_client::{NativeClient, look};
use crate::tools::until::wait_until;
use lancam::image::pixels::Size;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

fn camera() -> CameraProcess {
    CameraProcess::start(&["--source", "test:320x180@50"])
}

fn now() -> f64 {
    SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs_f64()
}

#[test]
fn a_stream_is_these_bytes() {
    let camera = camera();
    let mut tcp = TcpStream::connect(("127.0.0.1", camera.port())).expect("connects");
    tcp.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
    tcp.write_all(b"GET /stream HTTP/1.0\r\n\r\n").expect("writes");
    let mut bytes = Vec::new();
    let find =
        |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).position(|window| window == part);
    let end = b"\r\n--frame\r\nContent-Type: image/jpeg\r\n";
    let second = loop {
        let mut piece = [0; 4096];
        let count = again(|| tcp.read(&mut piece)).expect("it goes on");
        assert!(count > 0, "it ended");
        bytes.extend_from_slice(&piece[..count]);
        // The first boundary is in the head of the answer, before the first `X-Timestamp`.
        if let Some(at) =
            find(&bytes, b"X-Timestamp").and_then(|at| find(&bytes[at..], end).map(|end| at + end))
        {
            break at;
        }
    };
    let head = "HTTP/1.0 200 OK\r\n\
        Connection: close\r\n\
        Cache-Control: no-store, no-cache, must-revalidate, pre-check=0, post-check=0, max-age=0\r\n\
        Pragma: no-cache\r\n\
        Expires: Mon, 3 Jan 2000 12:34:56 GMT\r\n\
        X-Accel-Buffering: no\r\n\
        X-Content-Type-Options: nosniff\r\n\
        Content-Type: multipart/x-mixed-replace;boundary=frame\r\n\
        \r\n\
        --frame\r\n\
        Content-Type: image/jpeg\r\n\
        Content-Length: ";
    assert!(bytes.starts_with(head.as_bytes()), "{:?}", String::from_utf8_lossy(&bytes[..400]));
    let rest = &bytes[head.len()..second];
    let text = String::from_utf8_lossy(&rest[..60]).into_owned();
    let (len, stamp) = text.split_once("\r\nX-Timestamp: ").expect("two lines");
    let stamp = stamp.split("\r\n\r\n").next().expect("a line");
    let (seconds, micros) = stamp.split_once('.').expect("a point");
    assert!(seconds.len() == 10 && micros.len() == 6, "{stamp}");
    let jpeg = &rest[len.len() + "\r\nX-Timestamp: ".len() + stamp.len() + 4..];
    assert_eq!(len.parse(), Ok(jpeg.len()));
    assert!(jpeg.starts_with(&[0xFF, 0xD8]) && jpeg.ends_with(&[0xFF, 0xD9]));
}

#[test]
fn every_address_of_a_stream_or_a_snapshot_gives_live_pictures() {
    let camera = camera();
    for target in [
        "/stream",
        "/stream.mjpg",
        "/?action=stream",
        "/?action=stream?nonce_dashboard=0.123",
        "/?action=stream&cacheBust=1700000000",
    ] {
        let mut stream = HttpClient::connect(camera.port()).stream(target);
        let pictures: Vec<_> = (0..4).map(|_| stream.part()).collect();
        let stamps = pictures.iter().map(|part| look(&part.jpeg).1.expect("a stamp").sequence);
        assert!(stamps.is_sorted_by(|a, b| a < b), "{target}");
        assert!((now() - pictures[3].timestamp).abs() < 5.0, "{target}: the time of day");
    }
    for target in ["/snapshot", "/snapshot.jpg", "/?action=snapshot", "/?action=snapshot&t=1"] {
        let answer = get(camera.port(), target);
        assert_eq!(
            (answer.code, answer.header("Content-Type")),
            (200, Some("image/jpeg")),
            "{target}"
        );
        assert!(look(&answer.body).1.is_some());
    }
}

#[test]
fn chrome_gets_each_head_with_the_picture_before() {
    let camera = camera();
    let mut tcp = TcpStream::connect(("127.0.0.1", camera.port())).expect("connects");
    tcp.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
    let request = b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\
        User-Agent: Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36\r\n\
        Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8\r\n\r\n";
    tcp.write_all(request).expect("writes");
    let mut bytes = Vec::new();
    let mark = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n";
    let marks = |bytes: &[u8]| -> Vec<usize> {
        bytes
            .windows(mark.len())
            .enumerate()
            .filter(|(_, part)| part == mark)
            .map(|(at, _)| at)
            .collect()
    };
    while marks(&bytes).len() < 4 {
        let mut piece = [0; 4096];
        let count = again(|| tcp.read(&mut piece)).expect("it goes on");
        bytes.extend_from_slice(&piece[..count]);
    }
    for pair in marks(&bytes).windows(2) {
        let jpeg =
            bytes[pair[0] + mark.len()..pair[1]].strip_suffix(b"\r\n").expect("a line's end");
        assert!(look(jpeg).1.is_some());
    }
}

#[test]
fn a_script_in_chrome_gets_each_part_with_its_length() {
    let camera = camera();
    let chrome = "User-Agent: Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36\r\n";
    for accept in ["Accept: */*\r\n", "Accept: multipart/x-mixed-replace\r\n", ""] {
        let headers = format!("{chrome}{accept}");
        // The reader finds the parts by their lengths.
        let mut stream = HttpClient::connect(camera.port()).stream_with("/stream", &headers);
        (0..3).for_each(|_| drop(stream.part()));
    }
}

#[test]
fn paths_as_proxies_and_people_write_them_are_understood() {
    let camera = camera();
    for target in ["//stream", "/stream/", "//?action=stream", "/%73tream"] {
        HttpClient::connect(camera.port()).stream(target).part();
    }
    for target in ["//snapshot", "/snapshot/", "//?action=snapshot", "/snapshot%2ejpg"] {
        assert_eq!(get(camera.port(), target).code, 200, "{target}");
    }
    let whole = format!("http://127.0.0.1:{}/snapshot", camera.port());
    let mut client = HttpClient::connect(camera.port());
    client.say(&format!("GET {whole} HTTP/1.0\r\n\r\n"));
    assert_eq!(client.answer("GET").code, 200);
}

/// Watches, and sends how grey each picture is, until one is 250.
fn greys(port: u16, headers: &'static str) -> mpsc::Receiver<u8> {
    let (sender, greys) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = HttpClient::connect(port).stream_with("/stream", headers);
        loop {
            let grey = look(&stream.part().jpeg).0.rgb(9, 9)[1];
            // JPEG changes a grey by one or two.
            let grey = (grey + 2) / 10 * 10;
            if sender.send(grey).is_err() || grey == 250 {
                break;
            }
        }
    });
    greys
}

#[test]
fn safari_gets_the_last_picture_before_a_pause_twice_and_others_once() {
    let mut command = CameraProcess::command(&["--listen", "127.0.0.1:0", "--source", "-"]);
    let mut camera = CameraProcess::spawn(command.stdin(Stdio::piped()));
    let mut pipe = camera.child.stdin.take().expect("piped");
    let mut take = |grey: u8| pipe.write_all(&grey_jpegs(&[grey])).expect("the camera reads");
    let safari = "User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 \
        (KHTML, like Gecko) Version/18.5 Safari/605.1.15\r\n";
    let (safari, other) = (greys(camera.port(), safari), greys(camera.port(), ""));
    for viewer in [&safari, &other] {
        // A viewer that comes between two pictures begins with the next one.
        while viewer.recv_timeout(Duration::from_millis(50)).is_err() {
            take(50);
        }
    }
    let mut seen = Vec::new();
    for grey in [100, 150, 200] {
        let taken = Instant::now();
        take(grey);
        while seen.iter().filter(|&&seen| seen == grey).count() < 2 {
            seen.push(safari.recv_timeout(PATIENCE).expect("another picture"));
        }
        let after = taken.elapsed().as_secs_f64();
        assert!((0.29..3.0).contains(&after), "again after {after} s");
    }
    take(250);
    seen.extend(safari.iter());
    seen.retain(|&grey| grey != 50);
    assert_eq!(seen, [100, 100, 150, 150, 200, 200, 250]);
    let others: Vec<u8> = other.iter().filter(|&grey| grey != 50).collect();
    assert_eq!(others, [100, 150, 200, 250]);
}

#[test]
fn wishes_in_the_address_are_fulfilled() {
    let camera = camera();
    let part = HttpClient::connect(camera.port()).stream("/stream?width=160").part();
    assert_eq!(look(&part.jpeg).0.size(), Size::new(160, 90));
    let small = get(camera.port(), "/?action=snapshot&height=45&quality=20");
    assert_eq!(look(&small.body).0.size(), Size::new(80, 45));
    let mut slow = HttpClient::connect(camera.port()).stream("/stream?fps=10");
    let times: Vec<f64> = (0..6).map(|_| slow.part().timestamp).collect();
    let span = times[5] - times[0];
    assert!((0.38..2.0).contains(&span), "five tenths of a second, or a busy machine: {span}");
}

#[test]
fn a_fifth_size_or_quality_is_the_nearest_that_is_made_and_no_wish_is_fulfilled() {
    let camera = camera();
    let mut streams: Vec<_> = (1..=4)
        .map(|quality| {
            HttpClient::connect(camera.port()).stream(&format!("/stream?quality={quality}"))
        })
        .collect();
    streams.iter_mut().for_each(|stream| drop(stream.part()));
    let largest = streams[3].part().jpeg.len();
    for target in ["/stream?quality=9", "/stream?quality=9&fps=5"] {
        let part = HttpClient::connect(camera.port()).stream(target).part();
        assert!(part.jpeg.len() < 2 * largest, "quality 4, not the camera's own");
    }
    let stand_in = get(camera.port(), "/snapshot?quality=9");
    assert!(stand_in.code == 200 && stand_in.body.len() < 2 * largest);
    // A client without wishes gets the camera's own picture.
    let own = get(camera.port(), "/snapshot");
    assert!(own.code == 200 && own.body.len() > 2 * largest, "{} {largest}", own.body.len());
    let part = HttpClient::connect(camera.port()).stream("/stream").part();
    assert!(part.jpeg.len() > 2 * largest);
    // A quality that other viewers already have needs no fifth rendition.
    HttpClient::connect(camera.port()).stream("/stream?quality=2").part();
}

#[test]
fn one_connection_serves_many_small_questions() {
    let camera = camera();
    let mut client = HttpClient::connect(camera.port());
    for target in ["/snapshot", "/state", "/metrics", "/healthz", "/", "/nowhere", "/snapshot"] {
        let answer = client.get(target);
        assert_eq!(answer.header("Connection"), Some("keep-alive"), "{target}");
        let expected = if target == "/nowhere" { 404 } else { 200 };
        assert_eq!(answer.code, expected, "{target}");
        let head = client.ask("HEAD", target, "");
        assert_eq!((head.code, head.body.len()), (expected, 0), "HEAD {target}");
        assert_eq!(head.header("Content-Type"), answer.header("Content-Type"), "{target}");
    }
    // Two requests at the same time are answered in order.
    client.say("GET /state HTTP/1.1\r\nHost: x.y\r\n\r\n");
    assert_eq!(client.answer("GET").code, 421);
    let mut client = HttpClient::connect(camera.port());
    let one = "Host: localhost\r\n\r\n";
    client.say(&format!(
        "GET /healthz HTTP/1.1\r\n{one}GET /state HTTP/1.1\r\nConnection: close\r\n{one}"
    ));
    assert!(client.answer("GET").text().contains("live"));
    assert!(client.answer("GET").text().starts_with('{'));
    assert_eq!(client.rest(), b"", "closed as asked");
    // HTTP/1.0 closes unless the client asks to keep the connection.
    let mut old = HttpClient::connect(camera.port());
    old.say("GET /healthz HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    assert_eq!(old.answer("GET").header("Connection"), Some("keep-alive"));
    old.say("GET /healthz HTTP/1.0\r\n\r\n");
    assert!(old.answer("GET").head.starts_with("HTTP/1.0 200 OK\r\nConnection: close\r\n"));
    assert_eq!(old.rest(), b"");
}

#[test]
fn a_head_of_the_stream_is_its_head() {
    let camera = camera();
    let mut client = HttpClient::connect(camera.port());
    let head = client.ask("HEAD", "/stream", "Connection: close\r\n");
    assert_eq!(head.header("Content-Type"), Some("multipart/x-mixed-replace;boundary=frame"));
    assert_eq!(client.rest(), b"");
}

#[test]
fn only_names_of_the_camera_are_answered() {
    let camera = CameraProcess::start(&["--source", "test:64x48", "--name", "kitchen"]);
    let ask = |host: &str| {
        let mut client = HttpClient::connect(camera.port());
        client.say(&format!("GET /snapshot HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        client.answer("GET")
    };
    let port = camera.port();
    for host in
        ["127.0.0.1", "192.168.7.7:8080", "[::1]:1", "localhost", "mjpgstreamer1", "Kitchen.local"]
    {
        assert_eq!(ask(host).code, 200, "{host}");
    }
    assert_eq!(ask(&format!("kitchen.local:{port}")).code, 200);
    for host in ["evil.example", "kitchen.evil.example", "127.0.0.1.evil.example"] {
        let answer = ask(host);
        assert_eq!((answer.code, answer.header("Connection")), (421, Some("close")), "{host}");
        let text = answer.text();
        assert!(text.contains(&format!("start lancam with --http-name {host}\n")), "{text}");
        camera.line_with(host);
    }
    // The answer must not tell another site's page the names of this machine and camera.
    let answer = ask("evil.example:8080");
    let answer = answer.text();
    let host_name = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("it has one");
    let words: Vec<_> = answer.split(|it: char| !it.is_alphanumeric()).collect();
    assert!(!words.contains(&host_name.trim()) && !words.contains(&"kitchen"), "{answer}");

    // The advice in the message works.
    let options = ["--source", "test:64x48", "--http-name", "evil.example", "--http-name", "b.c"];
    let camera = CameraProcess::start(&options);
    for (host, code) in [
        ("evil.example:8080", 200),
        ("Evil.Example.", 200),
        ("b.c", 200),
        ("c.c", 421),
        ("x.evil.example", 421),
    ] {
        let mut client = HttpClient::connect(camera.port());
        client.say(&format!("GET /snapshot HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(client.answer("GET").code, code, "{host}");
    }
}

#[test]
fn pages_of_an_origin_that_was_named_may_read_and_others_may_not() {
    let options =
        ["--source", "test:64x48", "--cors", "http://octopi.local", "--cors", "https://a:1"];
    let camera = CameraProcess::start(&options);
    let mut client = HttpClient::connect(camera.port());
    let mut allowed = |method: &str, target: &str, origin: &str| {
        let answer = client.ask(method, target, &format!("Origin: {origin}\r\n"));
        let allowed = answer.header("Access-Control-Allow-Origin").map(str::to_owned);
        (answer.code, allowed, answer.header("Allow").is_some())
    };
    let octopi = Some("http://octopi.local".to_owned());
    assert_eq!(allowed("GET", "/state", "http://octopi.local"), (200, octopi.clone(), false));
    assert_eq!(allowed("OPTIONS", "/snapshot", "http://octopi.local"), (204, octopi, true));
    assert_eq!(
        allowed("GET", "/snapshot", "https://a:1"),
        (200, Some("https://a:1".into()), false)
    );
    assert_eq!(allowed("GET", "/state", "http://evil.example"), (200, None, false));
    assert_eq!(allowed("OPTIONS", "/", "http://evil.example"), (204, None, true));
    let open = CameraProcess::start(&["--source", "test:64x48", "--cors", "*"]);
    let stream = HttpClient::connect(open.port()).stream("/stream");
    assert!(stream.head.contains("Access-Control-Allow-Origin: *\r\n"), "{}", stream.head);
}

#[test]
fn a_snapshot_is_fresh_and_quick_though_nobody_watches_and_the_camera_rests() {
    let camera = CameraProcess::start(&["--source", "test:320x180@30", "--idle-stop", "0.2"]);
    let port = camera.port();
    for _ in 0..2 {
        let start = Instant::now();
        while !get(port, "/state").text().contains("\"state\":\"resting\"") {
            assert!(start.elapsed() < PATIENCE, "it does not rest: {}", get(port, "/state").text());
        }
        let health = get(port, "/healthz");
        assert_eq!(
            (health.code, health.text()),
            (200, "the camera is off until somebody watches\n")
        );
        let (asked, start) = (now(), Instant::now());
        let answer = get(port, "/snapshot");
        assert_eq!(answer.code, 200);
        assert!(answer.timestamp() >= asked - 0.3, "older than the question");
        // The test pattern starts at once. A busy machine needs some time.
        assert!(start.elapsed().as_secs_f64() < 3.0, "{:?}", start.elapsed());
        println!("a snapshot after a rest took {:?}", start.elapsed());
    }
    // While others watch, the snapshot is one of their pictures.
    let mut stream = HttpClient::connect(port).stream("/stream");
    stream.part();
    let asked = now();
    assert!(get(port, "/snapshot").timestamp() >= asked - 0.3);
}

#[test]
fn without_a_camera_everyone_is_told_at_once() {
    let camera = CameraProcess::start(&["--source", "/dev/video-that-is-not-there"]);
    let start = Instant::now();
    // The program looks for the camera when it starts.
    while get(camera.port(), "/healthz").code == 200 {
        assert!(start.elapsed() < PATIENCE, "it is not missed");
    }
    let start = Instant::now();
    for target in ["/snapshot", "/healthz", "/?action=snapshot"] {
        let answer = get(camera.port(), target);
        assert_eq!(answer.code, 503, "{target}");
        assert!(
            answer.text().contains("/dev/video-that-is-not-there"),
            "{target}: {}",
            answer.text()
        );
        assert!(answer.header("Retry-After").is_some() || target == "/healthz");
    }
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    let state = get(camera.port(), "/state");
    assert!(state.code == 200 && state.text().starts_with("{\"ok\":false"), "{}", state.text());
    assert!(get(camera.port(), "/metrics").text().contains("\nlancam_source_up 0\n"));
    assert_eq!(get(camera.port(), "/").code, 200);
}

#[test]
fn who_asks_again_and_again_is_told_of_once_and_who_watches_each_time() {
    let camera = camera();
    for _ in 0..5 {
        assert_eq!(get(camera.port(), "/snapshot").code, 200);
        assert_eq!(get(camera.port(), "/nowhere").code, 404);
    }
    let answered = camera.line_with("connection ended");
    assert!(answered.ends_with("1 request, closed"), "{answered}");
    for _ in 0..2 {
        HttpClient::connect(camera.port()).stream("/stream").part();
        for line in ["GOT CONNECTION FROM: ", "connection ended: "] {
            let next = camera.line_with("127.0.0.1:");
            assert!(next.starts_with(line), "{next}, not {line}");
        }
    }
}

#[test]
fn what_was_sent_is_counted() {
    let camera = camera();
    let mut stream = HttpClient::connect(camera.port()).stream("/stream");
    (0..5).for_each(|_| drop(stream.part()));
    // A frame is counted once it is sent, and the client may have it before.
    let sent = "lancam_frames_sent_total{transport=\"http\"}";
    let metrics = wait_until("five frames are counted", || {
        let metrics = get(camera.port(), "/metrics");
        (metric(metrics.text(), sent) >= 5.0).then_some(metrics)
    });
    assert_eq!(metrics.header("Content-Type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let value = |name: &str| metric(metrics.text(), name);
    assert_eq!(value("lancam_viewers{transport=\"http\"}"), 1.0);
    assert_eq!(value("lancam_viewers{transport=\"native\"}"), 0.0);
    let frames = value(sent);
    assert_eq!(value("lancam_frame_age_seconds_count{transport=\"http\"}"), frames);
    assert!(value("lancam_bytes_sent_total{transport=\"http\"}") > frames * 2000.0);
    assert!(value("lancam_capture_frames_total") >= frames);
    assert!(value("lancam_encode_seconds_count") >= frames);
    assert!(value("lancam_encode_cpu_seconds_total") > 0.0);
    assert_eq!(value("lancam_source_up"), 1.0);
    assert!(value("process_open_fds") > 3.0);
    let state = get(camera.port(), "/state");
    for part in [
        "\"ok\":true",
        "\"clients\":1",
        "\"width\":320,\"height\":180",
        "\"desired_fps\":50",
        "\"state\":\"streaming\"",
    ] {
        assert!(state.text().contains(part), "{part} in {}", state.text());
    }
}

/// The number in `/state` that follows this text.
fn figure(state: &str, before: &str) -> f64 {
    let rest = state.split_once(before).unwrap_or_else(|| panic!("no {before} in {state}")).1;
    let end = rest.find([',', '}']).expect("JSON");
    rest[..end].parse().unwrap_or_else(|_| panic!("{before} is no number in {state}"))
}

#[test]
fn how_old_frames_reach_a_native_viewer_is_told_with_how_uncertain_that_is() {
    let camera = camera();
    let state = || get(camera.port(), "/state").text().to_owned();
    assert!(state().contains("\"arrival_age_ms\":null"), "nobody has said: {}", state());
    let each_way = Duration::from_millis(50);
    let path = delaying(camera.port(), each_way, each_way);
    // A busy machine delays frames too, so the test makes several attempts.
    for attempt in 1.. {
        let mut client = NativeClient::connect(path.port());
        (0..20).for_each(|_| drop(client.frame()));
        let state = state();
        let figure = |name| figure(&state, name);
        // The age is the delay towards the viewer, 50 ms. Its uncertainty is half of the round trip.
        let p50 = figure("\"p50\":");
        assert!(figure(",\"p95\":") >= p50);
        let uncertainty = figure("\"uncertainty\":");
        assert!(uncertainty >= 50.0, "no less than half the round trip: {uncertainty}");
        // A frame that waits for its turn is at most 20 ms old.
        if (50.0..73.0).contains(&p50) {
            break;
        }
        assert!(attempt < 6, "{state}");
    }
    let metrics = get(camera.port(), "/metrics");
    for name in ["age", "uncertainty"] {
        let of_50_ms = format!("lancam_frame_arrival_{name}_seconds_bucket{{le=\"0.05\"}} 0\n");
        assert!(metrics.text().contains(&of_50_ms), "{}", metrics.text());
    }
}
