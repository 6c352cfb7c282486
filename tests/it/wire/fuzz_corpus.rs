//! Replays the fuzzers' seeds, and all inputs that once broke something.

use crate::tools::jpeg_tools::tiny;
use crate::tools::properties;
use crate::tools::restarts::joined;
use crate::wire::wire_bytes::GOLDEN;
use lancam::image::pixels::{Chroma, Size};
use lancam::wire::pickle::head::{PickleHead, TAIL};
use std::fs;
use std::path::Path;

#[test]
fn native_decoder_holds_for_its_corpus() {
    replay("fuzz/corpus/native_decoder", properties::native_decoder);
}

#[test]
fn pickle_reader_holds_for_its_corpus() {
    replay("fuzz/corpus/pickle_reader", properties::pickle_reader);
    for folder in ["numpy1", "numpy2", "refused"] {
        replay(&format!("tests/data/pickle/{folder}"), properties::pickle_reader);
    }
}

#[test]
fn jpeg_structure_holds_for_its_corpus() {
    replay("fuzz/corpus/jpeg_structure", properties::jpeg_structure);
}

#[test]
fn jpeg_repair_holds_for_its_corpus() {
    replay("fuzz/corpus/jpeg_repair", properties::jpeg_repair);
    replay("fuzz/corpus/jpeg_structure", properties::jpeg_repair);
}

#[test]
fn jpeg_strips_holds_for_its_corpus() {
    replay("fuzz/corpus/jpeg_strips", properties::strips::jpeg_strips);
    replay("fuzz/corpus/jpeg_repair", properties::strips::jpeg_strips);
    replay("tests/data/restarts", properties::strips::jpeg_strips);
}

#[test]
fn dns_answer_holds_for_its_corpus() {
    replay("fuzz/corpus/dns_answer", properties::dns_answer);
}

#[test]
fn mdns_responder_holds_for_its_corpus() {
    replay("fuzz/corpus/mdns_responder", properties::mdns_responder);
}

#[test]
fn http_requests_hold_for_their_corpus() {
    replay("fuzz/corpus/http_requests", properties::http_requests);
    replay("fuzz/corpus/http_requests", properties::http_credentials);
    replay("fuzz/corpus/http_credentials", properties::http_credentials);
}

#[test]
fn sessions_hold_for_their_corpus() {
    replay("fuzz/corpus/native_session", properties::native_session);
    replay("fuzz/corpus/pairing_session", properties::pairing_session);
    replay("fuzz/corpus/http_session", properties::http_session);
    replay("fuzz/corpus/pickle_session", properties::pickle_session);
}

#[test]
fn tls_holds_for_its_corpus() {
    replay("fuzz/corpus/tls_greeting", properties::tls::tls_greeting);
    replay("fuzz/corpus/tls_records", properties::tls::tls_records);
}

#[test]
fn first_bytes_hold_for_their_corpus() {
    replay("fuzz/corpus/first_bytes", properties::first_bytes);
}

#[test]
fn key_files_hold_for_their_corpus() {
    replay("fuzz/corpus/key_files", properties::key_files);
}

#[test]
fn setup_files_hold_for_their_corpus() {
    replay("fuzz/corpus/setup_files", properties::setup_files);
    replay("tests/data/setup", properties::setup_files);
}

fn replay(folder: &str, property: fn(&[u8])) {
    let mut replayed = 0;
    for entry in fs::read_dir(top().join(folder)).expect("a corpus") {
        let path = entry.expect("an entry").path();
        println!("{}", path.display());
        property(&fs::read(&path).expect("a seed"));
        replayed += 1;
    }
    assert!(replayed > 0, "{folder} is empty");
}

/// Cases that are missing in the samples: encodings, quotes, a password that has been moved.
const SETUP: [(&str, &[u8]); 6] = [
    ("dotted", b"device.name = \"a\"\nwifi.ssid = 'b'\nwifi.psk = \"\\u0067eheim\\\"#1\"\nquality = 5\n"),
    ("moved", b"[wifi]\nssid = \"a\"\npsk = \"moved to the camera..\"\n[ethernet]\naddress = [\"192.0.2.7/24\"]\n"),
    ("utf16", b"\xff\xfen\0e\0t\0w\0o\0r\0k\0=\0{\0\n\0s\0s\0i\0d\0=\0\"\0a\0\"\0\n\0p\0s\0k\0=\0\"\x001\x002\x003\x004\x005\x006\x007\x008\0\"\0\n\0}\0\n\0"),
    ("flow", b"\xef\xbb\xbfwifis: {w: {access-points: {\"n\\x41\": {password: '12345678'}, o: {}}}}\n"),
    ("code", b"device.code = 'k7qm-2xpd 9HRT'\n[device]\ncode = \"moved.........\"\n#code = \"K7QM-2XPD-9HRT\"\n"),
    ("keys", b"# mine\nssh-ed25519 AAAAC3mine me\r\nfrom=\"x\" ssh-rsa AAAA=\n"),
];

/// Requests with their names. The first six can follow each other on one connection.
pub const HTTP: [(&str, &str); 12] = [
    (
        "chrome",
        "GET / HTTP/1.1\r\nHost: pi.local:8080\r\nConnection: keep-alive\r\nUser-Agent: X Chrome/1 Y\r\nAccept: */*\r\n\r\n",
    ),
    (
        "octopi",
        "GET /?action=snapshot&cacheBust=17 HTTP/1.1\r\nHost: pi\r\nAccept-Encoding: gzip\r\n\r\n",
    ),
    (
        "wishes",
        "HEAD /stream?width=320&height=200&quality=50&fps=7.5 HTTP/1.1\r\nHost: [::1]:9\r\nOrigin: http://a\r\n\r\n",
    ),
    ("wrong-wish", "GET /snapshot.jpg?fps=%0d%0a HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n"),
    ("bare", "\r\nGET /metrics HTTP/1.0\n\n"),
    ("options", "OPTIONS * HTTP/1.1\r\nhost: localhost\r\nX: \t y \r\n\r\n"),
    ("proxy", "GET http://evil.example:80/state HTTP/1.1\r\nHost: evil.example:80\r\n\r\n"),
    ("two-hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("folded", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"),
    ("body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcdGET"),
    ("http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("old", "GET /\r\n\r\n"),
];

/// How clients begin, and others.
const FIRST: [(&str, &[u8]); 6] = [
    ("http", b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("native", b"LCAM\x01\x01\0\0\x12\0\0\0\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0me\0\0"),
    ("pairing", b"LCAM\x01\x09\0\0\x24\0\0\0noncenoncenoncenoncenoncenonce12\x02\0me"),
    ("tls", b"\x16\x03\x01\0\x05\x01\0\0\x01\x03"),
    ("ssh", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("zeros", &[0; 40]),
];

/// Run `cargo test --test it -- --ignored write_the_seeds` after a change of the protocol.
#[test]
#[ignore = "writes files into the tree"]
fn write_the_seeds() {
    for (index, golden) in GOLDEN.iter().enumerate() {
        write_seed("native_decoder", &format!("golden-{index:02}"), golden.bytes);
    }
    let stream: Vec<u8> = GOLDEN.iter().flat_map(|golden| golden.bytes).copied().collect();
    write_seed("native_decoder", "stream", &stream);
    let unknown = [b"LCAM\x09\xFF\xFF\xFF\x02\0\0\0xx", GOLDEN[1].bytes].concat();
    write_seed("native_decoder", "unknown-kind", &unknown);
    write_seed("native_decoder", "claims-16-mib", b"LCAM\x01\x42\0\0\0\0\0\x01");
    write_seed("native_decoder", "http", b"HTTP/1.1 400 Bad Request\r\n\r\n");

    let framed = |size: Size| {
        let pixels = vec![7; 3 * size.area()];
        [PickleHead::new(size).as_bytes(), &pixels, TAIL].concat()
    };
    let frames = [framed(Size::new(2, 1)), framed(Size::new(300, 1))].concat();
    write_seed("pickle_reader", "framed", &frames);
    write_seed("pickle_reader", "claims-64-mib", &(64_u64 << 20).to_le_bytes());
    write_seed("pickle_reader", "http", b"HTTP/1.1 400 Bad Request\r\n\r\n");

    for (name, chroma) in [("420", Chroma::Yuv420), ("422", Chroma::Yuv422)] {
        write_seed("jpeg_structure", name, &tiny(chroma));
    }
    let two = [b"junk\xFF", &tiny(Chroma::Yuv420)[..], b"\0", &tiny(Chroma::Yuv420)].concat();
    write_seed("jpeg_structure", "two-and-junk", &two);
    let odd: &[u8] = &[
        0xFF, 0xD8, 0xFF, 0xE1, 0, 6, 0xFF, 0xD8, 0xFF, 0xD9, // a thumbnail in a segment
        0xFF, 0xFF, 0xC2, 0, 11, 8, 0, 9, 0, 8, 1, 1, 0x11,
        0, // a fill byte, a progressive frame
        0xFF, 0xDA, 0, 3, 1, 7, 0xFF, 0, 0xFF, 0xD3, 8, // stuffing and a restart marker
        0xFF, 0xDA, 0, 2, 9, 0xFF, 0xD9, // another scan, the end
        0xFF, 0xD8, 0xFF, 0xDA, 0, 2, 5, // a picture without its end
        0xFF, 0xD8, 0xFF, 0xD9,
    ];
    write_seed("jpeg_structure", "odd", odd);

    // A camera's answer: PTR, with SRV, TXT and A beside it. Names are compressed.
    let answer = b"\0\0\x84\0\0\0\0\x01\0\0\0\x03\x07_lancam\x04_tcp\x05local\0\
        \0\x0C\0\x01\0\0\0\x0A\0\x07\x04Door\xC0\x0C\
        \xC0\x2A\0\x21\x80\x01\0\0\0\x0A\0\x0B\0\0\0\0\x27\x0F\x02pi\xC0\x19\
        \xC0\x2A\0\x10\x80\x01\0\0\0\x0A\0\x07\x06fps=30\
        \xC0\x43\0\x01\x80\x01\0\0\0\x0A\0\x04\x0A\0\0\x05";
    write_seed("dns_answer", "camera", answer);
    write_seed("dns_answer", "circle", b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x01a\xC0\x0C");
    // Three bytes before each message: how it arrives, how long after the last one, and its length divided by
    // four.
    // follows.
    let mdns = |way: u8, later: u8, message: &[u8]| {
        let mut message = message.to_vec();
        message.resize(message.len().next_multiple_of(4), 0);
        let len = u8::try_from(message.len() / 4).expect("a short message");
        [&[way, later, len][..], &message].concat()
    };
    let question = b"\0\0\0\0\0\x02\0\0\0\0\0\0\x07_lancam\x04_tcp\x05local\0\0\x0C\0\x01\
        \x06garage\xC0\x19\0\xFF\x80\x01";
    let claim = b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x06Garage\x07_lancam\x04_tcp\x05local\0\
        \0\x21\x80\x01\0\0\0\x78\0\x09\0\0\0\0\0\x01\x01x\0";
    let probe = b"\0\0\0\0\0\x01\0\0\0\x01\0\0\x06garage\x05local\0\0\xFF\0\x01\
        \xC0\x0C\0\x01\0\x01\0\0\0\x78\0\x04\x0A\0\0\x09";
    let wait = mdns(0, 255, b"");
    write_seed(
        "mdns_responder",
        "asked",
        &[&wait[..], &mdns(0, 99, question), &mdns(2, 99, question)].concat(),
    );
    write_seed(
        "mdns_responder",
        "asked-alone",
        &[&wait[..], &mdns(6, 9, question), &mdns(7, 9, question)].concat(),
    );
    write_seed(
        "mdns_responder",
        "asked-often",
        &[&wait[..], &mdns(0xC2, 0, question).repeat(40)].concat(),
    );
    write_seed(
        "mdns_responder",
        "taken",
        &[mdns(0, 30, b""), mdns(0, 30, claim).repeat(30)].concat(),
    );
    write_seed(
        "mdns_responder",
        "doubted",
        &[&wait[..], &wait, &mdns(0, 20, claim).repeat(30)].concat(),
    );
    write_seed("mdns_responder", "wanted-by-two", &mdns(0, 30, probe).repeat(20));
    for (name, request) in HTTP {
        write_seed("http_requests", name, request.as_bytes());
    }
    let all: String = HTTP[..6].iter().map(|(_, request)| *request).collect();
    write_seed("http_requests", "all", all.as_bytes());
    let endless = format!("GET / HTTP/1.1\r\n{}", "X: yyyyyyyyyyyyyyyy\r\n".repeat(500));
    write_seed("http_requests", "endless", endless.as_bytes());

    for (name, bytes) in FIRST {
        write_seed("first_bytes", name, bytes);
    }

    // These are added to the samples in tests/data/setup.
    for (name, bytes) in SETUP {
        write_seed("setup_files", name, bytes);
    }

    for (name, bytes) in crate::tools::jpeg_quirks::seeds() {
        write_seed("jpeg_repair", &name, &bytes);
    }
    for (name, chroma) in
        [("420", Chroma::Yuv420), ("422", Chroma::Yuv422), ("440", Chroma::Yuv440)]
    {
        write_seed("jpeg_strips", name, &joined(Size::new(20, 70), chroma, 1));
    }
    write_seed("jpeg_strips", "two-rows", &joined(Size::new(9, 100), Chroma::Yuv420, 2));
}

fn write_seed(target: &str, name: &str, bytes: &[u8]) {
    let folder = top().join("fuzz/corpus").join(target);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), bytes).expect("writes a seed");
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
