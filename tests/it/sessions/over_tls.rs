//! Sessions over TLS, on real sockets: what works without it works inside, on the same port.

use crate::tools::camera_process::PATIENCE;
use crate::tools::native_client::NativeClient;
use crate::tools::served_camera::ServedCamera;
use crate::tools::tls_client::TlsClient;
use lancam::camera::session_end::SessionEnd;
use lancam::net::tls::handshake::HandshakeError;
use lancam::net::tls::stream::GreetingError;
use std::io::{Read, Write};
use std::net::TcpStream;

#[test]
fn a_native_viewer_gets_its_frames_in_order_inside_tls_and_beside_it_on_the_same_port() {
    let camera = ServedCamera::open();
    let mut sealed = TlsClient::connect(camera.port, camera.pin).expect("the camera");
    sealed.greet();
    let mut open = NativeClient::connect(camera.port);
    let (mut last, mut last_open) = (0, 0);
    for _ in 0..50 {
        let sequence = sealed.frame();
        assert!(sequence > last, "{sequence} after {last}");
        last = sequence;
        let sequence = open.frame().0.sequence;
        assert!(sequence > last_open, "{sequence} after {last_open}");
        last_open = sequence;
    }
}

#[test]
fn http_inside_tls_answers_and_ends_with_a_farewell() {
    let camera = ServedCamera::open();
    let mut client = TlsClient::connect(camera.port, camera.pin).expect("the camera");
    client.write(b"GET /snapshot HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let answer = client.read_to_end();
    let head = answer.windows(4).position(|it| it == b"\r\n\r\n").expect("a head") + 4;
    let text = String::from_utf8_lossy(&answer[..head]).into_owned();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(text.contains(&format!("Content-Length: {}\r\n", answer.len() - head)), "{text}");
    assert!(answer[head..].starts_with(&[0xFF, 0xD8]) && answer.ends_with(&[0xFF, 0xD9]));
    drop(client);
    assert!(matches!(camera.next_end(), SessionEnd::Answered(1)));
}

#[test]
fn a_request_that_comes_byte_by_byte_is_answered() {
    let camera = ServedCamera::open();
    let mut client = TlsClient::connect(camera.port, camera.pin).expect("the camera");
    for byte in b"GET /healthz HTTP/1.0\r\n\r\n" {
        client.write(&[*byte]);
    }
    let answer = String::from_utf8(client.read_to_end()).expect("text");
    assert!(answer.starts_with("HTTP/1."), "{answer}");
}

#[test]
fn a_viewer_of_another_camera_refuses_this_one_and_the_session_ends_with_words() {
    let camera = ServedCamera::open();
    let refused = TlsClient::connect(camera.port, [7; 32]).err().expect("another camera");
    let GreetingError::Handshake(HandshakeError::OtherCertificate { seen }) = refused else {
        panic!("{refused}");
    };
    assert_eq!(seen, camera.pin);
    let end = camera.next_end();
    assert_eq!(end.to_string(), "does not accept this camera's certificate");
}

#[test]
fn garbage_instead_of_a_handshake_or_inside_tls_ends_with_words() {
    let camera = ServedCamera::open();
    let mut stranger = TcpStream::connect(("127.0.0.1", camera.port)).expect("connects");
    stranger.write_all(b"\x16\x03\x01\0\x06\x14\0\0\x02hi").expect("it listens");
    let mut alert = Vec::new();
    stranger.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
    stranger.read_to_end(&mut alert).expect("it ends");
    assert_eq!(alert.get(..6), Some(&[21, 3, 3, 0, 2, 2][..]), "a fatal alert: {alert:?}");
    let end = camera.next_end();
    assert!(matches!(end, SessionEnd::Refused { .. }), "{end}");
    assert!(end.to_string().starts_with("failed in the TLS handshake: "), "{end}");

    let mut client = TlsClient::connect(camera.port, camera.pin).expect("the camera");
    client.write(b"SSH-2.0-OpenSSH_9.2\r\n");
    assert!(matches!(camera.next_end(), SessionEnd::Refused { .. }));
    // TLS inside TLS is nothing that lancam speaks.
    let mut client = TlsClient::connect(camera.port, camera.pin).expect("the camera");
    client.write(b"\x16\x03\x01\0\x06\x14\0\0\x02hi");
    assert!(matches!(camera.next_end(), SessionEnd::Refused { .. }));
}
