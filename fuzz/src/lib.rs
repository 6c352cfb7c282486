//! Properties that hold for any bytes: one function per fuzz target. An ordinary test calls them with the corpus.

pub mod sessions;
pub mod strips;
pub mod tls;

use lancam::camera::access::code_file::Written;
use lancam::camera::access::identity::Identity;
use lancam::camera::access::keys::{Keys, MOST};
use lancam::camera::session::opening::{Opening, recognised};
use lancam::camera::session::protocol::Protocol;
use lancam::camera::session_end::SessionEnd;
use lancam::image::jpeg::gate::{DriverSays, Gate};
use lancam::image::jpeg::markers;
use lancam::image::jpeg::repair::{self, Examined, MOST_ADDED};
use lancam::image::jpeg::splitter::Splitter;
use lancam::prefix::Prefix;
use lancam::settings::device;
use lancam::setup::{Parsed, files};
use lancam::wire::access::code::Code;
use lancam::wire::access::key::Key;
use lancam::wire::dns;
use lancam::wire::dns::message::Message;
use lancam::wire::http::browser;
use lancam::wire::http::credentials::Credentials;
use lancam::wire::http::fields::Fields;
use lancam::wire::http::form;
use lancam::wire::http::host;
use lancam::wire::http::request::{MAX_HEAD, Requests};
use lancam::wire::http::resource::Resource;
use lancam::wire::http::site::Site;
use lancam::wire::mdns::responder::Responder;
use lancam::wire::mdns::{Arrival, Family, Interface, LinkId, Names, SentTo, Service, Standing};
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::header::MAGIC;
use lancam::wire::native::{MAX_PAYLOAD, MAX_REQUEST, WireError};
use lancam::wire::pem;
use lancam::wire::pickle::decoder::Decoder as PickleDecoder;
use lancam::wire::pickle::head::{PickleHead, TAIL};
use lancam::wire::pickle::{BgrArray, MAX_PICKLE};
use sessions::{Choices, Speaks};
use std::mem::{Discriminant, discriminant};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Splitting the input does not change what is read. A message that was read, written and read again is the same.
pub fn native_decoder(bytes: &[u8]) {
    let (messages, error) = native_messages(bytes, bytes.len());
    assert_eq!((messages.clone(), error), native_messages(bytes, piece_len(bytes)));
    assert_eq!((messages.clone(), None), native_messages(&messages, messages.len()));
}

/// All messages as bytes, and the error after them. How much of the input an error shows depends on the splitting, so only
/// its kind is compared.
fn native_messages(bytes: &[u8], piece_len: usize) -> (Vec<u8>, Option<Discriminant<WireError>>) {
    let mut decoder = Decoder::new(MAX_PAYLOAD);
    let mut messages = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let count = put(decoder.space(), rest, piece_len);
        decoder.filled(count);
        rest = &rest[count..];
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => message.write_to(&mut messages),
                Ok(None) => break,
                Err(error) => return (messages, Some(discriminant(&error))),
            }
        }
        let received = bytes.len() - rest.len();
        assert!(decoder.space().len() <= 2 * received + (8 << 10), "memory follows what arrives");
    }
    (messages, None)
}

/// Splitting the input does not change what is read. A picture that was read, written and read again is the same.
pub fn pickle_reader(bytes: &[u8]) {
    let whole = pickles(bytes, bytes.len());
    assert_eq!(whole, pickles(bytes, piece_len(bytes)));
    for pickle in whole.0.iter().map(Vec::as_slice).chain([bytes]) {
        let mut scratch = Vec::new();
        let Ok(array) = BgrArray::parse(pickle, &mut scratch) else { continue };
        let head = PickleHead::new(array.size);
        let written = [head.as_bytes(), array.pixels, TAIL].concat();
        let (pickles, error) = pickles(&written, written.len());
        assert_eq!((pickles.len(), error), (1, None));
        assert_eq!(BgrArray::parse(&pickles[0], &mut Vec::new()), Ok(array));
    }
}

/// All pickles of a stream, and the error after them.
fn pickles(bytes: &[u8], piece_len: usize) -> (Vec<Vec<u8>>, Option<String>) {
    let mut decoder = PickleDecoder::new(MAX_PICKLE);
    let mut pickles = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let count = put(decoder.space(), rest, piece_len);
        decoder.filled(count);
        rest = &rest[count..];
        loop {
            match decoder.next_pickle() {
                Ok(Some(pickle)) => pickles.push(pickle.to_vec()),
                Ok(None) => break,
                Err(error) => return (pickles, Some(error.to_string())),
            }
        }
        let received = bytes.len() - rest.len();
        assert!(decoder.space().len() <= 2 * received + (8 << 10), "memory follows what arrives");
    }
    (pickles, None)
}

/// Splitting the input does not change which pictures are found. Each has a start and an end, and they are in the order of
/// the stream.
pub fn jpeg_structure(bytes: &[u8]) {
    let _ = markers::picture_size(bytes);
    let whole = pictures(bytes, bytes.len());
    assert_eq!(whole, pictures(bytes, piece_len(bytes)));
    let mut rest = bytes;
    for picture in &whole.0 {
        assert!(picture.starts_with(&[0xFF, markers::SOI]));
        let found = rest.windows(picture.len()).position(|window| window == picture);
        rest = &rest[found.expect("pictures are parts of the stream") + picture.len()..];
        if let Some(size) = markers::picture_size(picture) {
            assert!(size.width > 0 && size.height > 0);
        }
    }
}

/// All pictures, and how many were dropped.
fn pictures(bytes: &[u8], piece_len: usize) -> (Vec<Vec<u8>>, u64) {
    let mut splitter = Splitter::default();
    let mut pictures = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let count = put(splitter.space(), rest, piece_len);
        splitter.filled(count);
        rest = &rest[count..];
        while let Some(picture) = splitter.next_picture() {
            pictures.push(splitter.bytes(picture).to_vec());
        }
        let received = bytes.len() - rest.len();
        assert!(
            splitter.space().len() <= 2 * received + (128 << 10),
            "memory follows what arrives"
        );
    }
    pictures.extend(splitter.finish().map(|last| splitter.bytes(last).to_vec()));
    assert!(splitter.oversized() <= splitter.dropped());
    (pictures, splitter.dropped())
}

/// A repaired JPEG has the promised length and needs no more repair. A camera may send anything.
pub fn jpeg_repair(bytes: &[u8]) {
    if let Ok(repaired) = repair::examine(bytes) {
        check_repaired(bytes, &repaired);
        check_repaired(bytes, &repaired.without_leftovers());
    }
    // A camera that sends these bytes again and again, sometimes one byte less.
    let mut gate = Gate::default();
    for frame in 0..40 {
        let sent = &bytes[..bytes.len() - usize::from(frame % 3 == 0 && !bytes.is_empty())];
        let driver = if frame % 5 == 0 { DriverSays::Damaged } else { DriverSays::Whole };
        if let Ok(judged) = gate.judge(sent, driver) {
            check_repaired(sent, &judged);
        }
    }
}

fn check_repaired(sent: &[u8], repaired: &Examined<'_>) {
    assert!(sent.starts_with(repaired.span()) && repaired.len() <= sent.len() + MOST_ADDED);
    let mut written = vec![0; repaired.len()];
    repaired.write_to(&mut written);
    assert!(written.starts_with(&[0xFF, markers::SOI]) && written.ends_with(&[0xFF, markers::EOI]));
    assert!(markers::picture_size(&written).is_some());
    let again = repair::examine(&written).expect("what was repaired is a JPEG");
    assert!(again.is_untouched() && again.span() == written);
}

/// A DNS answer does not contain more records than its bytes have room for, and no name is longer than allowed.
pub fn dns_answer(bytes: &[u8]) {
    let Ok(records) = dns::records(bytes) else { return };
    // The smallest record: a name of one byte, type, class, time to live, length.
    assert!(records.len() <= bytes.len() / 11);
    for record in records {
        // A byte that is not UTF-8 becomes three.
        assert!(record.name.to_string().len() < 3 * 256);
    }
}

/// Whatever arrives in whatever order: a camera sends few and whole messages that fit into a packet, and none to a peer
/// behind a router. When it is quiet again, the camera is found again.
pub fn mdns_responder(bytes: &[u8]) {
    let names = Names { name: "Garage".into(), host_name: "pi".into(), port: 9999 };
    let text = vec![("id".to_owned(), "1".to_owned())];
    let service = |kind| Service { kind, port: 9999, text: text.clone() };
    let services = vec![service("_lancam._tcp.local"), service("_http._tcp.local")];
    let mut responder = Responder::new(names, services, ("id".into(), "1".into()), 1);
    let own: IpAddr = [10, 0, 0, 1].into();
    let interface = Interface {
        index: 2,
        addresses: vec![Prefix { address: own, len: 24 }],
        announced: vec![own],
    };
    let mut now = Instant::now();
    responder.set_interfaces(vec![interface], now);
    let link = LinkId { interface: 2, family: Family::V4 };
    let mut rest = bytes;
    // Three bytes before each message: how it arrives, how long after the last one, and its length.
    while let [way, later, len, message @ ..] = rest {
        let (message, behind) = message.split_at(message.len().min(4 * usize::from(*len)));
        rest = behind;
        let from = if way & 1 == 0 { [10, 0, 0, 9] } else { [203, 0, 113, 9] };
        let port = if way & 2 == 0 { 5353 } else { 40_000 };
        let to = if way & 4 == 0 { SentTo::Group } else { SentTo::Us };
        let arrival = Arrival { link, from: (from, port).into(), to };
        for _ in 0..1 << (way >> 6) {
            responder.received(message, &arrival, now);
        }
        let until = now + Duration::from_millis(u64::from(*later) * 10);
        pass(&mut responder, &mut now, until);
    }
    let until = now + Duration::from_secs(30);
    pass(&mut responder, &mut now, until);
    assert!(matches!(responder.standing(), Standing::Found(_)), "{:?}", responder.standing());
}

fn pass(responder: &mut Responder, now: &mut Instant, until: Instant) {
    let millis = (until - *now).as_millis();
    let mut sent = 0;
    loop {
        while let Some(outgoing) = responder.next(*now) {
            sent += 1;
            assert!(outgoing.bytes.len() <= 1400);
            let message = Message::parse(&outgoing.bytes).expect("it is a message");
            let counts = [4, 6, 8, 10].map(|at| {
                usize::from(outgoing.bytes[at]) << 8 | usize::from(outgoing.bytes[at + 1])
            });
            assert_eq!(message.questions().count(), counts[0]);
            assert_eq!(message.records().count(), counts[1..].iter().sum());
            if let Some(peer) = outgoing.to {
                assert!(peer.ip().to_string().starts_with("10.0.0."), "{peer}");
            }
        }
        match responder.wake().filter(|&wake| wake <= until) {
            Some(wake) => *now = wake.max(*now),
            None => break,
        }
    }
    // 64 answers to single askers; a few to the group, and after that at most one per 20 ms.
    assert!(sent <= 80 + millis / 20, "{sent} in {millis} ms");
    *now = until;
}

/// Splitting the input does not change the requests or the refusals. Every refusal is one line.
pub fn http_requests(bytes: &[u8]) {
    assert_eq!(requests(bytes, bytes.len()), requests(bytes, piece_len(bytes)));
}

/// All requests as text, and the refusal after them.
fn requests(bytes: &[u8], piece_len: usize) -> (Vec<String>, Option<String>) {
    let mut requests = Requests::default();
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let count = put(requests.space(), rest, piece_len);
        requests.filled(count);
        rest = &rest[count..];
        loop {
            let request = match requests.next_request() {
                Ok(Some(request)) => request,
                Ok(None) => break,
                Err(refusal) => {
                    assert!(!refusal.text.contains('\n'), "{refusal:?}");
                    return (found, Some(refusal.text));
                }
            };
            let resource = Resource::parse(request.target);
            if let Err(refusal) = &resource {
                assert!(!refusal.text.contains(['\r', '\n']), "{refusal:?}");
            }
            let ours = request.host.map(|host| host::is_ours(host, &["pi".to_owned()]));
            found.push(format!("{request:?} {resource:?} {ours:?}"));
        }
        assert!(requests.waiting() <= MAX_HEAD + piece_len, "what is waited for is limited");
        assert!(
            requests.space().len() <= 2 * bytes.len() + (8 << 10),
            "memory follows what arrives"
        );
    }
    (found, None)
}

/// Whatever the headers, the address and the form are: a key that is found is not empty and no longer than they are, no
/// refusal shows what was typed, and a browser's name is short and printable.
pub fn http_credentials(bytes: &[u8]) {
    let fields = Fields::new(bytes);
    let lossy = String::from_utf8_lossy(bytes);
    let Credentials { authorization, address, cookie } =
        Credentials::of(fields, &lossy, "__Host-lancam-07070707");
    for key in [authorization, address, cookie].into_iter().flatten() {
        assert!((1..=lossy.len()).contains(&key.0.len()));
    }
    let _ = Site::of(fields, fields.text("host"));
    let _ = form::check_type(fields.text("content-type"));
    match form::only_field(bytes, "code") {
        Ok(typed) => assert!(typed.len() < bytes.len()),
        Err(refusal) => assert_eq!(refusal.text, "the form must have one field, code"),
    }
    let name = browser::name(&lossy);
    assert!(name.len() < 40 && name.is_ascii(), "{name}");
}

/// A session with a native viewer, in any world.
pub fn native_session(bytes: &[u8]) {
    sessions::run(Speaks::Native, Choices::Bytes(bytes));
}

/// The same for pairing.
pub fn pairing_session(bytes: &[u8]) {
    sessions::run(Speaks::Pairing, Choices::Bytes(bytes));
}

/// The first bytes of a connection, inside TLS or not. What is recognised begins as it was said. Whatever follows, TLS stays
/// TLS, and no protocol stays none. No client makes a camera wait for more than its first record of TLS.
pub fn first_bytes(bytes: &[u8]) {
    for is_sealed in [false, true] {
        let mut said = Decoder::new(MAX_REQUEST);
        let (mut rest, mut opening) = (bytes, None);
        while !rest.is_empty() && opening.is_none() {
            let count = put(said.space(), rest, piece_len(bytes));
            said.filled(count);
            rest = &rest[count..];
            opening = recognised(&mut said, is_sealed, || SessionEnd::Silent);
        }
        match opening {
            Some(Opening::Native(first) | Opening::Pairing(first)) => {
                assert!(bytes.starts_with(&first) && first.starts_with(&MAGIC));
            }
            Some(Opening::Http(first)) => assert!(bytes.starts_with(&first)),
            Some(Opening::Over(_)) => {}
            Some(Opening::Silent) => unreachable!("it has said something"),
            None => assert!(bytes.len() < 5 + (4 << 10), "{} bytes", bytes.len()),
        }
    }
    for end in 1..bytes.len().min(64) {
        let begin = Protocol::of(&bytes[..end]);
        if [Protocol::Tls, Protocol::Unknown].contains(&begin) {
            assert_eq!(Protocol::of(bytes), begin, "after {end} bytes");
        }
    }
}

/// A list of keys is read only if it is what would be written, to the byte. So is a key. A code is read as it is shown. What is
/// read of an identity is read again as it is written.
pub fn key_files(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(keys) = Keys::parse(text) {
        assert!(keys.text() == text && keys.entries().len() <= MOST);
    }
    if let Some(key) = Key::parse(text) {
        assert_eq!(key.text(), text);
    }
    if let Ok(code) = Code::parse(text) {
        assert!(Code::parse(&code.shown()).is_ok_and(|again| again.is(&code)));
    }
    if Written::parse(text).is_ok() {
        assert!(text.lines().next().is_some_and(|line| Code::parse(line).is_ok()));
    }
    for label in ["CERTIFICATE", "PRIVATE KEY"] {
        let Some(read) = pem::read(label, text) else { continue };
        let mut written = String::new();
        pem::write(label, &read, &mut written);
        assert_eq!(pem::read(label, &written), Some(read));
    }
    if let Ok(identity) = Identity::from_text(text) {
        let again = Identity::from_text(&identity.to_text()).expect("it was whole");
        assert_eq!(again.server().pin(), identity.server().pin());
    }
}

/// A session with an HTTP client, in any world.
pub fn http_session(bytes: &[u8]) {
    sessions::run(Speaks::Http, Choices::Bytes(bytes));
    sessions::run(Speaks::HttpWithKeys, Choices::Bytes(bytes));
}

/// A session with the tutorial's client, in any world.
pub fn pickle_session(bytes: &[u8]) {
    sessions::run(Speaks::Pickle, Choices::Bytes(bytes));
}

/// Any file on the boot partition of a card, under any name that is read.
pub fn setup_files(bytes: &[u8]) {
    files().for_each(|name| setup_file(name, bytes));
}

/// Remarks are single lines at positions in the file. `wpa_supplicant.conf` is read as it was written. A moved secret is
/// recognised. The public part of `lancam.toml` contains nothing of its tables.
fn setup_file(name: &str, bytes: &[u8]) {
    let file = Parsed::new(name, bytes.to_vec()).expect("it is read");
    for remark in &file.reading.remarks {
        assert!(!remark.text.contains(char::is_control), "{name}: {remark:?}");
        assert!(remark.at.is_none_or(|at| file.text().is_char_boundary(at)), "{name}: {remark:?}");
    }
    let names = |file: &Parsed| -> Vec<String> {
        file.reading.wishes.networks.iter().map(|network| network.ssid.hex()).collect()
    };
    let written = Parsed::new("wpa_supplicant.conf", file.wifi().into_bytes()).expect("it is read");
    assert!(written.reading.remarks.is_empty(), "{name}: {written:?}");
    assert!(names(&written).iter().all(|ssid| names(&file).contains(ssid)), "{name}: {written:?}");

    let mut moved = bytes.to_vec();
    file.move_secrets(&mut moved);
    let moved = Parsed::new(name, moved).expect("it is read");
    assert_eq!(names(&moved), names(&file), "{name}");
    let is_left = moved.reading.wishes.networks.iter().any(|it| it.secret.text().is_some());
    let code =
        moved.reading.wishes.code.as_ref().and_then(lancam::settings::code::WrittenCode::code);
    assert!(!is_left && code.is_none(), "{name}: {:?}", moved.text());

    let public = device::without_tables(file.text());
    let lines = |text: &str| text.matches('\n').count();
    assert_eq!(lines(&public), lines(file.text()));
    if name == "lancam.toml" {
        assert_eq!(device::read(&public), Default::default(), "{public:?}");
    }
}

/// Copies the next piece of `rest` into `space`. Returns its length.
fn put(space: &mut [u8], rest: &[u8], piece_len: usize) -> usize {
    let count = piece_len.min(rest.len()).min(space.len());
    space[..count].copy_from_slice(&rest[..count]);
    count
}

/// The length of the pieces, from the fuzzer's last byte.
fn piece_len(bytes: &[u8]) -> usize {
    1 + usize::from(bytes.last().copied().unwrap_or_default() % 64)
}
