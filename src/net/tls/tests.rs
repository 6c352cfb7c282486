//! Both sides of a connection in memory, and rustls's own client as a stranger that keeps the rules.

use super::handshake::{Accepts, Client, Handshake, HandshakeError, Pin, Progress, Server};
use super::inbox::{Inbox, Next};
use super::records::{Gather, HEAD};
use super::stream::{GreetingError, Secured};
use super::traffic::{Traffic, TrafficError};
use crate::crypto::p256::PrivateKey;
use crate::crypto::sha256;
use crate::wire::certificate::{Certificate, signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use std::io::{self, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// A certificate and its key.
fn identity(serial: u8) -> (Vec<u8>, PrivateKey) {
    let key = PrivateKey::new().expect("randomness");
    let hosts = ["garage.local".to_owned()];
    let certificate = Certificate {
        name: "Garage",
        hosts: &hosts,
        addresses: &[],
        serial: [serial; 16],
        last_year: 2046,
        public_key: key.public_key(),
    };
    let certificate = certificate.to_be_signed();
    let signature = key.sign(&certificate).expect("randomness");
    (signed(&certificate, &signature), key)
}

fn server() -> Server {
    let (certificate, key) = identity(1);
    Server::new(&certificate, key.pkcs8()).expect("they belong together")
}

fn client(accepts: Accepts) -> Client {
    Client::new(accepts).expect("ciphers")
}

/// Which side failed first, and why.
type Failed = (Side, HandshakeError);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Server,
    Client,
}

/// Lets both sides talk until both are done. At most `piece` bytes come at once.
fn talk(
    server: &mut Handshake,
    client: &mut Handshake,
    piece: usize,
) -> Result<(Vec<u8>, Vec<u8>), Failed> {
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let (mut at_server, mut at_client) = (Vec::new(), Vec::new());
    let mut failed = None;
    for _ in 0..100_000 {
        let from_client = client.advance(&mut at_client, &mut to_server);
        let from_server = server.advance(&mut at_server, &mut to_client);
        match (from_client, from_server) {
            (Ok(Progress::Over), Ok(Progress::Over)) => return Ok((at_server, at_client)),
            (Err(error), _) if failed.is_none() => failed = Some((Side::Client, error)),
            (_, Err(error)) if failed.is_none() => failed = Some((Side::Server, error)),
            _ => {}
        }
        if to_server.is_empty() && to_client.is_empty() {
            return Err(failed.expect("they wait for each other"));
        }
        at_server.extend(to_server.drain(..piece.min(to_server.len())));
        at_client.extend(to_client.drain(..piece.min(to_client.len())));
    }
    Err(failed.expect("they come to an end"))
}

/// The traffic of a server and a client that trust each other.
fn pair() -> (Traffic, Traffic) {
    let (camera, viewer) = secured();
    (camera.into_parts().0, viewer)
}

/// The same, as a link wants it.
pub(crate) fn secured() -> (Secured, Traffic) {
    let server = server();
    let client = client(Accepts::Only(server.pin()));
    let (mut server, mut client) =
        (server.begin().expect("begins"), client.begin().expect("begins"));
    talk(&mut server, &mut client, usize::MAX).expect("they agree");
    let server = Secured::new(server.finish().expect("it is over"), Vec::new(), 0);
    (server, Traffic::new(client.finish().expect("it is over")))
}

/// Seals `bytes` as one side does.
pub(crate) fn seal(traffic: &mut Traffic, bytes: &[u8]) -> Vec<u8> {
    let (parts, mut sealed) = ([IoSlice::new(bytes)], Vec::new());
    let mut from = Gather::new(&parts);
    traffic.prepare(&mut sealed).expect("there are keys");
    while !from.is_empty() {
        traffic.seal(&mut from, &mut sealed).expect("it seals");
    }
    sealed
}

/// Opens what the other side has sealed, of which `piece` bytes come at once.
fn open(traffic: &mut Traffic, sealed: &[u8], piece: usize) -> Result<Vec<u8>, TrafficError> {
    let (mut inbox, mut opened) = (Inbox::new(Vec::new(), 0), Vec::new());
    let mut rest = sealed;
    loop {
        let mut some = [0; 1000];
        match inbox.take(&mut some) {
            0 => {}
            count => {
                opened.extend_from_slice(&some[..count]);
                continue;
            }
        }
        match inbox.open(traffic)? {
            Next::Opened => {}
            Next::Closed => return Ok(opened),
            Next::Partial if rest.is_empty() => return Ok(opened),
            Next::Partial => {
                let space = inbox.space()?;
                let count = space.len().min(piece).min(rest.len());
                space[..count].copy_from_slice(&rest[..count]);
                inbox.filled(count);
                rest = &rest[count..];
            }
        }
    }
}

#[test]
fn both_sides_agree_wherever_their_bytes_are_cut() {
    let server = server();
    for piece in [1, 2, 3, 5, 64, 500, usize::MAX] {
        let client = client(Accepts::Only(server.pin()));
        let (mut camera, mut viewer) =
            (server.begin().expect("begins"), client.begin().expect("begins"));
        talk(&mut camera, &mut viewer, piece).expect("they agree");
        let (camera, viewer) = (camera.finish().expect("over"), viewer.finish().expect("over"));
        assert_eq!((camera.seen(), viewer.seen()), (None, Some(server.pin())));
        let (mut camera, mut viewer) = (Traffic::new(camera), Traffic::new(viewer));
        let hello = seal(&mut viewer, b"hello");
        assert_eq!(open(&mut camera, &hello, piece).expect("opens"), b"hello");
        let frame = vec![9; 100_000];
        let sealed = seal(&mut camera, &frame);
        assert!(open(&mut viewer, &sealed, piece.max(700)).expect("opens") == frame);
    }
}

#[test]
fn traffic_that_comes_with_the_end_of_a_handshake_is_kept() {
    let server = server();
    let client = client(Accepts::Any);
    let (mut camera, mut viewer) =
        (server.begin().expect("begins"), client.begin().expect("begins"));
    let (mut to_camera, mut to_viewer, mut none) = (Vec::new(), Vec::new(), Vec::new());
    assert_eq!(viewer.advance(&mut none, &mut to_camera).expect("hello"), Progress::Waits);
    assert_eq!(camera.advance(&mut to_camera, &mut to_viewer).expect("hello"), Progress::Waits);
    assert_eq!(viewer.advance(&mut to_viewer, &mut to_camera).expect("agrees"), Progress::Over);
    let mut viewer = Traffic::new(viewer.finish().expect("over"));
    let request = seal(&mut viewer, b"GET / HTTP/1.1\r\n");
    to_camera.extend_from_slice(&request);
    assert_eq!(camera.advance(&mut to_camera, &mut none).expect("agrees"), Progress::Over);
    assert!(to_camera == request);
    let mut camera = Traffic::new(camera.finish().expect("over"));
    assert_eq!(open(&mut camera, &request, 7).expect("opens"), b"GET / HTTP/1.1\r\n");
}

#[test]
fn a_client_with_another_pin_refuses_the_camera_and_both_know_why() {
    let (garage, door) = (server(), server());
    let client = client(Accepts::Only(door.pin()));
    for piece in [1, usize::MAX] {
        let (mut camera, mut viewer) =
            (garage.begin().expect("begins"), client.begin().expect("begins"));
        let failed = talk(&mut camera, &mut viewer, piece).expect_err("another camera");
        let (side, HandshakeError::OtherCertificate { seen }) = failed else {
            panic!("{failed:?}");
        };
        assert_eq!((side, seen), (Side::Client, garage.pin()));
    }
    // The camera hears it too.
    let (mut camera, mut viewer) =
        (garage.begin().expect("begins"), client.begin().expect("begins"));
    let (mut to_camera, mut to_viewer, mut none) = (Vec::new(), Vec::new(), Vec::new());
    viewer.advance(&mut none, &mut to_camera).expect("hello");
    camera.advance(&mut to_camera, &mut to_viewer).expect("hello");
    viewer.advance(&mut to_viewer, &mut to_camera).expect_err("another camera");
    assert!(!to_camera.is_empty(), "an alert");
    let error = camera.advance(&mut to_camera, &mut none).expect_err("an alert");
    assert!(matches!(error, HandshakeError::NotAccepted), "{error:?}");
}

/// Shows a certificate whose key it does not have.
#[derive(Debug)]
struct Thief(Arc<CertifiedKey>);

impl ResolvesServerCert for Thief {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

#[test]
fn a_certificate_without_its_key_lets_nobody_pass_for_the_camera() {
    let ((certificate, _), (_, key)) = (identity(1), identity(2));
    assert!(Server::new(&certificate, key.pkcs8()).is_err(), "they do not belong together");
    let pin: Pin = sha256(&certificate);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.pkcs8().to_vec()));
    let key = provider.key_provider.load_private_key(key).expect("a key");
    let shown = CertifiedKey::new(vec![CertificateDer::from(certificate)], key);
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Thief(Arc::new(shown))));
    for accepts in [Accepts::Only(pin), Accepts::Any] {
        let mut thief = rustls::ServerConnection::new(Arc::new(config.clone())).expect("begins");
        let mut viewer = client(accepts).begin().expect("begins");
        let (mut to_thief, mut to_viewer) = (Vec::new(), Vec::new());
        viewer.advance(&mut to_viewer, &mut to_thief).expect("hello");
        thief.read_tls(&mut &to_thief[..]).expect("in memory");
        thief.process_new_packets().expect("a hello");
        thief.write_tls(&mut to_viewer).expect("in memory");
        while thief.wants_write() {
            thief.write_tls(&mut to_viewer).expect("in memory");
        }
        let error = viewer.advance(&mut to_viewer, &mut to_thief).expect_err("a thief");
        assert!(error.to_string().contains("BadSignature"), "{accepts:?}: {error}");
    }
}

#[test]
fn what_is_no_handshake_ends_with_words() {
    let server = server();
    for (garbage, says) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "sent what is not TLS"),
        (b"\x16\x05", "sent what is not TLS"),
        (b"\x16\x03\x01\xFF\xFF", "sent a TLS record of 65535 bytes, and TLS allows 16640"),
        (b"\x16\x03\x01\0\x05hello", "failed in the TLS handshake: "),
        (b"\x17\x03\x03\0\x05hello", "failed in the TLS handshake: "),
        (
            b"\x15\x03\x01\0\x02\x02\x46",
            "does not speak TLS 1.3 as lancam does: it ended the handshake",
        ),
        (b"\x15\x03\x01\0\x02\x02\x30", "does not accept this camera's certificate"),
    ] {
        let mut handshake = server.begin().expect("begins");
        let error = handshake.advance(&mut garbage.to_vec(), &mut Vec::new()).expect_err("garbage");
        assert!(error.to_string().starts_with(says), "{}: {error}", garbage.escape_ascii());
    }
    // A hello that never ends, in records that are whole.
    let mut handshake = server.begin().expect("begins");
    let record = [&b"\x16\x03\x01\x40\0"[..], &[1, 0, 0xFF, 0xFF], &[0; 0x4000 - 4]].concat();
    let mut endless = record.repeat(3);
    let error = handshake.advance(&mut endless, &mut Vec::new()).expect_err("too long");
    assert!(matches!(error, HandshakeError::TooLong), "{error:?}");
}

#[test]
fn a_handshake_of_which_a_bit_is_changed_does_not_come_to_an_end() {
    let server = server();
    let client = client(Accepts::Only(server.pin()));
    let mut at = 0;
    loop {
        let (mut camera, mut viewer) =
            (server.begin().expect("begins"), client.begin().expect("begins"));
        let (mut to_camera, mut to_viewer) = (Vec::new(), Vec::new());
        viewer.advance(&mut Vec::new(), &mut to_camera).expect("hello");
        let hello = to_camera.len();
        if at < hello {
            to_camera[at] ^= 4;
        }
        let _ = camera.advance(&mut to_camera, &mut to_viewer);
        let answer = to_viewer.len();
        if at >= hello && at < hello + answer {
            to_viewer[at - hello] ^= 4;
        }
        let viewer = viewer.advance(&mut to_viewer, &mut to_camera);
        let camera = camera.advance(&mut to_camera, &mut to_viewer);
        let both = [viewer.ok(), camera.ok()];
        // The version of a record is ignored (RFC 8446, section 5.1), of those that are not sealed.
        let is_same = both == [Some(Progress::Over); 2];
        if at >= hello + answer {
            assert!(is_same, "unchanged");
            break;
        }
        if is_same {
            let shown = if at < hello { at } else { at - hello };
            assert!(shown < 3 || at > hello, "changed at {at} of {hello} + {answer}");
        }
        at += 1;
    }
    assert!(at > 500, "{at}");
}

/// rustls's own client.
fn stranger(
    server: &Server,
    suites: Vec<rustls::SupportedCipherSuite>,
) -> rustls::ClientConnection {
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    #[derive(Debug)]
    struct Trusts(Pin);
    impl ServerCertVerifier for Trusts {
        fn verify_server_cert(
            &self,
            certificate: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: rustls::pki_types::UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            assert_eq!(sha256(certificate), self.0);
            Ok(ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            panic!("TLS 1.3 only")
        }
        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            vec![rustls::SignatureScheme::ECDSA_NISTP256_SHA256]
        }
    }
    let provider = rustls::crypto::CryptoProvider {
        cipher_suites: suites,
        ..rustls::crypto::ring::default_provider()
    };
    let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusts(server.pin())))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("garage.local").expect("a name");
    rustls::ClientConnection::new(Arc::new(config), name).expect("begins")
}

/// Moves what `client` wants to send to `at_server`.
fn heard(client: &mut rustls::ClientConnection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut bytes).expect("in memory");
    }
    bytes
}

/// Lets `client` read `bytes`; returns the data in them.
fn tell(client: &mut rustls::ClientConnection, mut bytes: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while !bytes.is_empty() {
        client.read_tls(&mut bytes).expect("in memory");
        let state = client.process_new_packets().expect("it keeps the rules");
        let mut some = vec![0; state.plaintext_bytes_to_read()];
        client.reader().read_exact(&mut some).expect("it is there");
        data.extend(some);
    }
    data
}

#[test]
fn rustls_own_client_understands_every_cipher_and_new_keys_on_both_sides() {
    use rustls::crypto::ring::cipher_suite as suite;
    let server = server();
    for (suites, chosen) in [
        (suite_list(), suite::TLS13_CHACHA20_POLY1305_SHA256),
        (vec![suite::TLS13_AES_128_GCM_SHA256], suite::TLS13_AES_128_GCM_SHA256),
        (vec![suite::TLS13_AES_256_GCM_SHA384], suite::TLS13_AES_256_GCM_SHA384),
    ] {
        let mut client = stranger(&server, suites);
        let mut handshake = server.begin().expect("begins");
        let (mut at_server, mut to_client) = (heard(&mut client), Vec::new());
        handshake.advance(&mut at_server, &mut to_client).expect("a hello");
        assert!(tell(&mut client, &to_client).is_empty());
        at_server.extend(heard(&mut client));
        let progress = handshake.advance(&mut at_server, &mut Vec::new()).expect("it agrees");
        assert_eq!((progress, at_server.len()), (Progress::Over, 0));
        assert_eq!(client.negotiated_cipher_suite(), Some(chosen), "our order counts");
        assert_eq!(client.alpn_protocol(), Some(&b"http/1.1"[..]));
        let mut traffic = Traffic::new(handshake.finish().expect("over"));
        for round in 0..40_u8 {
            let frame = vec![round; 1 + 5000 * usize::from(round)];
            let sealed = seal(&mut traffic, &frame);
            assert!(tell(&mut client, &sealed) == frame, "{round}");
            let said = [round; 300];
            client.writer().write_all(&said).expect("in memory");
            let sealed = heard(&mut client);
            assert_eq!(open(&mut traffic, &sealed, 1 + usize::from(round)).expect("opens"), said);
            if round % 3 == 0 {
                client.refresh_traffic_keys().expect("there are keys");
            }
        }
        client.send_close_notify();
        let sealed = heard(&mut client);
        assert!(open(&mut traffic, &sealed, 9).expect("closes").is_empty());
        let mut end = Vec::new();
        traffic.close(&mut end).expect("it seals");
        client.read_tls(&mut &end[..]).expect("in memory");
        assert!(client.process_new_packets().expect("it keeps the rules").peer_has_closed());
    }
}

fn suite_list() -> Vec<rustls::SupportedCipherSuite> {
    rustls::crypto::ring::default_provider().cipher_suites
}

#[test]
fn frames_of_one_byte_to_16_mb_arrive_whole_and_in_order() {
    let (mut camera, mut viewer) = pair();
    for len in [1, 2, 16_383, 16_384, 16_385, 120_000, 16 << 20] {
        let frame: Vec<u8> = (0..=250_u8).cycle().take(len).collect();
        let sealed = seal(&mut camera, &frame);
        assert!(open(&mut viewer, &sealed, 70_000).expect("opens") == frame, "{len}");
    }
}

#[test]
fn records_are_opened_wherever_they_are_cut_and_no_changed_one_is() {
    let (mut camera, mut viewer) = pair();
    let sealed = [seal(&mut camera, b"one"), seal(&mut camera, b"two")].concat();
    let mut inbox = Inbox::new(Vec::new(), 0);
    let (mut data, mut some) = (Vec::new(), [0; 9]);
    for byte in &sealed {
        inbox.space().expect("short")[0] = *byte;
        inbox.filled(1);
        while inbox.open(&mut viewer).expect("opens") == Next::Opened {
            let count = inbox.take(&mut some);
            data.extend_from_slice(&some[..count]);
        }
    }
    assert_eq!((data, inbox.is_empty()), (b"onetwo".to_vec(), true));
    let mut sealed = seal(&mut camera, b"three");
    sealed[HEAD] ^= 1;
    let error = open(&mut viewer, &sealed, 100).expect_err("changed").to_string();
    assert_eq!(
        error,
        "sent a TLS record that was changed on its way, or encrypted with another key"
    );
}

#[test]
fn a_side_that_has_closed_stays_closed_however_often_it_is_asked() {
    let (mut camera, mut viewer) = pair();
    let mut sealed = seal(&mut camera, b"bye");
    camera.close(&mut sealed).expect("it seals");
    let mut inbox = Inbox::new(sealed, 0);
    assert_eq!(inbox.open(&mut viewer).expect("opens"), Next::Opened);
    assert_eq!(inbox.take(&mut [0; 9]), 3);
    for _ in 0..3 {
        assert_eq!(inbox.open(&mut viewer).expect("closed"), Next::Closed);
    }
}

/// Two sockets that are joined.
fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let one = TcpStream::connect(listener.local_addr().expect("bound")).expect("connects");
    (one, listener.accept().expect("accepts").0)
}

/// Long enough for a busy machine.
fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[test]
fn over_a_socket_both_sides_say_and_hear_everything_up_to_the_end() {
    let (near, far) = sockets();
    let server = server();
    let pin = server.pin();
    let camera = thread::spawn(move || {
        let handshake = server.begin().expect("begins");
        let mut camera =
            Secured::greet(handshake, &far, Vec::new(), 2048, soon()).expect("a viewer");
        far.set_read_timeout(None).expect("open");
        let mut said = [0; 5];
        let mut heard = 0;
        while heard < said.len() {
            match camera.read(&far, &mut said[heard..]) {
                Ok(count) => heard += count,
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::Interrupted),
            }
        }
        camera.write_all(&far, &vec![3; 1 << 20]).expect("it is taken");
        camera.close(&far).expect("it is taken");
        said
    });
    let handshake = client(Accepts::Only(pin)).begin().expect("begins");
    let mut viewer =
        Secured::greet(handshake, &near, Vec::new(), 64 << 10, soon()).expect("a camera");
    assert_eq!(viewer.seen(), Some(pin));
    viewer.write_all(&near, b"hello").expect("it is taken");
    let (mut got, mut some) = (0, vec![0; 100_000]);
    loop {
        match viewer.read(&near, &mut some) {
            Ok(0) => break,
            Ok(count) => got += some[..count].iter().map(|byte| usize::from(*byte)).sum::<usize>(),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::Interrupted),
        }
    }
    assert_eq!(got, 3 << 20);
    assert_eq!(&camera.join().expect("it has no fault"), b"hello");
}

#[test]
fn who_is_silent_leaves_or_talks_nonsense_during_a_handshake_is_told_apart() {
    let server = server();
    let greet = |far: &TcpStream, until| {
        let handshake = server.begin().expect("begins");
        Secured::greet(handshake, far, Vec::new(), 2048, until).expect_err("no viewer")
    };
    let (near, far) = sockets();
    let error = greet(&far, Instant::now() + Duration::from_millis(50));
    assert!(matches!(error, GreetingError::Late), "{error:?}");
    // A message that only ends handshakes.
    (&near).write_all(b"\x16\x03\x01\0\x06\x14\0\0\x02hi").expect("room");
    let error = greet(&far, soon());
    assert!(matches!(error, GreetingError::Handshake(_)), "{error:?}");
    near.set_read_timeout(Some(Duration::from_secs(60))).expect("open");
    let mut alert = [0; 7];
    (&near).read_exact(&mut alert).expect("an alert");
    assert_eq!(alert[..6], [21, 3, 3, 0, 2, 2], "a fatal one");
    drop(near);
    let error = greet(&far, soon());
    assert!(matches!(error, GreetingError::Left), "{error:?}");
}
