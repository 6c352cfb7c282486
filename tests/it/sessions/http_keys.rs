//! HTTP of a camera that wants keys, on sockets and with curl: what a key opens, and that nothing else does.

use crate::tools::camera_process::PATIENCE;
use crate::tools::program::run;
use crate::tools::served_camera::ServedCamera;
use crate::tools::tls_client::TlsClient;
use lancam::camera::connections::Connections;
use lancam::camera::session_end::SessionEnd;
use lancam::crypto::sha256;
use lancam::wire::base64;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Output;

/// How a JPEG begins.
const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF];

fn holds_a_picture(bytes: &[u8]) -> bool {
    bytes.windows(JPEG.len()).any(|it| it == JPEG)
}

/// The whole answer to a request inside TLS.
fn sealed(camera: &ServedCamera, target: &str, headers: &str) -> Vec<u8> {
    let mut client = TlsClient::connect(camera.port, camera.pin).expect("the camera");
    let request =
        format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    client.write(request.as_bytes());
    client.read_to_end()
}

#[test]
fn a_key_opens_what_nothing_opens_without_it() {
    let camera = ServedCamera::with_keys();
    let key = camera.key("HA");
    for (query, is_open) in [(format!("?key={key}"), true), (String::new(), false)] {
        let answer = sealed(&camera, &format!("/snapshot{query}"), "");
        let status = if is_open { "HTTP/1.1 200 " } else { "HTTP/1.1 401 " };
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(text.starts_with(status) && holds_a_picture(&answer) == is_open, "{text}");
        let end = camera.next_end();
        assert_eq!(matches!(end, SessionEnd::Answered(1)), is_open, "{end}");
    }
    let state = sealed(&camera, "/state", &format!("Authorization: Bearer {key}\r\n"));
    assert!(String::from_utf8_lossy(&state).contains("\"ok\":true"));
}

#[test]
fn strangers_who_never_finish_a_form_keep_no_paired_viewer_out() {
    const PLACES: usize = 6;
    let camera = ServedCamera::with_keys_for(Connections::with_most(4, PLACES));
    let key = camera.key("desk");
    let strangers: Vec<_> = (0..PLACES).map(|_| asks_for_the_form_and_begins_it(&camera)).collect();
    let mut viewer = TlsClient::connect(camera.port, camera.pin).expect("there is room for it");
    viewer.greet_with(&key);
    assert!(viewer.frame() > 0);
    drop(strangers);
}

/// A client whose form is being waited for.
fn asks_for_the_form_and_begins_it(camera: &ServedCamera) -> TlsClient {
    let mut client = TlsClient::connect(camera.port, camera.pin).expect("the camera");
    client.write(
        b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n\
          POST /login HTTP/1.1\r\nHost: localhost\r\nOrigin: https://localhost\r\n\
          Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 20\r\n\r\ncode=",
    );
    let (mut answer, mut some) = (Vec::new(), vec![0; 4096]);
    while !answer.ends_with(b"</html>\n") {
        let count = client.read(&mut some);
        assert!(count > 0, "it is answered");
        answer.extend_from_slice(&some[..count]);
    }
    client
}

#[test]
fn without_tls_a_key_is_refused_in_words_and_no_picture_leaves() {
    let camera = ServedCamera::with_keys();
    let key = camera.key("HA");
    for target in ["/stream", "/snapshot", "/?action=stream", "/", "/state", "/metrics", "/healthz"]
    {
        let mut plain = TcpStream::connect(("127.0.0.1", camera.port)).expect("connects");
        plain.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
        let request = format!(
            "GET {target}{}key={key} HTTP/1.0\r\n\r\n",
            if target.contains('?') { '&' } else { '?' }
        );
        plain.write_all(request.as_bytes()).expect("it listens");
        let mut answer = Vec::new();
        plain.read_to_end(&mut answer).expect("it ends");
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(text.starts_with("HTTP/1.0 403 ") && !holds_a_picture(&answer), "{target}: {text}");
    }
}

#[test]
fn refusals_are_counted_by_their_reason() {
    let camera = ServedCamera::with_keys();
    let key = camera.key("Prometheus");
    for headers in ["", "Authorization: Bearer x\r\n"] {
        sealed(&camera, "/state", headers);
        camera.next_end();
    }
    let metrics = sealed(&camera, &format!("/metrics?key={key}"), "");
    let metrics = String::from_utf8_lossy(&metrics).into_owned();
    assert!(metrics.contains("{reason=\"no_key\"} 2\n"), "{metrics}");
}

/// curl without a check of names and authorities, but with one of the camera's public key.
fn curl(camera: &ServedCamera, path: &str, more: &[&str]) -> Option<Output> {
    let pin = base64::encode(&sha256(camera.public_key()));
    let (pin, url) = (format!("sha256//{pin}"), format!("https://127.0.0.1:{}{path}", camera.port));
    let own = [
        "--silent",
        "--show-error",
        "--insecure",
        "--max-time",
        "20",
        "--pinnedpubkey",
        &pin,
        &url,
    ];
    run("curl", &[&own, more].concat())
}

#[test]
fn curl_gets_a_picture_with_a_key_in_each_place_and_words_without() {
    let camera = ServedCamera::with_keys();
    let key = camera.key("curl");
    let (query, bearer) = (format!("/snapshot?key={key}"), format!("Authorization: Bearer {key}"));
    let user = format!("any:{key}");
    for (path, more) in [
        (query.as_str(), &[][..]),
        ("/snapshot", &["--header", &bearer]),
        ("/snapshot", &["--user", &user]),
        // It asks without a password first.
        ("/snapshot", &["--anyauth", "--user", &user]),
    ] {
        let Some(output) = curl(&camera, path, &[more, &["--fail"]].concat()) else { return };
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{path} {more:?}: {complaint}");
        assert!(output.stdout.starts_with(JPEG), "{path} {more:?}");
    }
    let Some(refused) = curl(&camera, "/snapshot", &[]) else { return };
    let words = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(words.starts_with("this camera wants a key. ") && words.ends_with('\n'), "{words}");
    let Some(stream) = curl(&camera, &format!("/stream?key={key}"), &["--max-time", "2"]) else {
        return;
    };
    assert_eq!(stream.status.code(), Some(28), "it goes on until the time is over");
    assert!(holds_a_picture(&stream.stdout));
}

#[test]
fn curl_notices_another_cameras_key() {
    let (camera, other) = (ServedCamera::with_keys(), ServedCamera::with_keys());
    let key = camera.key("curl");
    let pin = base64::encode(&sha256(other.public_key()));
    let url = format!("https://127.0.0.1:{}/snapshot?key={key}", camera.port);
    let words = ["--silent", "--insecure", "--pinnedpubkey", &format!("sha256//{pin}"), &url];
    let Some(output) = run("curl", &words) else { return };
    // CURLE_SSL_PINNEDPUBKEYNOTMATCH
    assert_eq!((output.status.code(), output.stdout.len()), (Some(90), 0));
}

#[test]
fn curl_as_a_browser_logs_in_and_comes_back_with_its_cookie() {
    let camera = ServedCamera::with_keys();
    let folder = tempfile::tempdir().expect("a folder");
    let jar = folder.path().join("cookies").display().to_string();
    let (code, origin) = (
        format!("code={}", camera.access().code().shown()),
        format!("Origin: https://127.0.0.1:{}", camera.port),
    );
    let browser = ["--header", "Accept: text/html", "--cookie", &jar, "--cookie-jar", &jar];
    let Some(page) = curl(&camera, "/", &browser) else { return };
    assert!(
        String::from_utf8_lossy(&page.stdout).contains("<form method=\"post\" action=\"login\">")
    );
    let typed = ["--location", "--header", &origin, "--data", &code];
    let Some(page) = curl(&camera, "/login", &[&browser[..], &typed].concat()) else { return };
    let text = String::from_utf8_lossy(&page.stdout).into_owned();
    assert!(text.contains("Only clients with a key may watch"), "{text}");
    let Some(picture) = curl(&camera, "/snapshot", &browser) else { return };
    assert!(picture.stdout.starts_with(JPEG));
    assert_eq!(camera.access().keys()[0].name, "curl");
}

/// As after DNS rebinding: a page elsewhere has pointed its own name at the camera's address.
#[test]
fn curl_by_a_name_that_is_not_the_cameras_gets_no_picture_though_it_has_a_key() {
    let camera = ServedCamera::with_keys();
    let key = camera.key("curl");
    let (host, port) = ("rebound.example", camera.port);
    for (name, status) in [(host, "421"), ("garage.local", "200")] {
        let resolve = format!("{name}:{port}:127.0.0.1");
        let url = format!("https://{name}:{port}/snapshot?key={key}");
        let words =
            ["--silent", "--insecure", "--resolve", &resolve, "--write-out", "%{http_code}"];
        let Some(output) = run("curl", &[&words[..], &[&url]].concat()) else { return };
        assert!(output.stdout.ends_with(status.as_bytes()), "{name}");
        assert_eq!(holds_a_picture(&output.stdout), status == "200", "{name}");
        let says = b"this camera does not answer to the name rebound.example";
        assert_eq!(output.stdout.starts_with(says), status == "421", "{name}");
    }
}
