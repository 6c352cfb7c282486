//! The native protocol byte by byte: what docs/PROTOCOL.md promises.

use lancam::image::frame::Micros;
use lancam::image::pixels::Size;
use lancam::rate::Rate;
use lancam::wire::native::control::{Control, ControlFlags, ControlKind};
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::{GoodbyeReason, Message, Secret, StatusCode, Wishes};
use lancam::wire::native::{FirstBytes, MAX_PAYLOAD, MAX_REQUEST, MAX_TEXT, WireError};
use lancam::wire::packet::{Codec, FrameFacts};

/// A message and its bytes, header first.
pub struct Golden {
    pub message: Message<'static>,
    pub bytes: &'static [u8],
}

/// Every message, with every value that changes how it is written.
#[rustfmt::skip]
pub const GOLDEN: &[Golden] = &[
    Golden {
        message: Message::Hello {
            min_version: 1,
            max_version: 3,
            credit: 1,
            wishes: Wishes { width: 320, height: 240, quality: 80, rate: Rate(15_000) },
            program: "view é",
            key: Secret(""),
        },
        bytes: &[
            b'L', b'C', b'A', b'M', // magic
            1,                      // version
            1,                      // kind: Hello
            0, 0,                   // flags
            25, 0, 0, 0,            // payload length
            1,                      // oldest version
            3,                      // newest version
            1,                      // credit
            0,                      // reserved
            0x40, 0x01,             // wished width: 320
            0xF0, 0x00,             // wished height: 240
            0x98, 0x3A, 0, 0,       // wished rate: 15000 frames per thousand seconds
            80,                     // wished quality
            0, 0, 0,                // reserved
            7, 0,                   // length of the text
            b'v', b'i', b'e', b'w', b' ', 0xC3, 0xA9, // program
        ],
    },
    Golden {
        message: Message::Hello {
            min_version: 1,
            max_version: 1,
            credit: 2,
            wishes: Wishes { width: 0, height: 0, quality: 0, rate: Rate::NONE },
            program: "v",
            key: Secret("Zk-_"),
        },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 1, 0, 0, 25, 0, 0, 0, // header: Hello, 25 bytes
            1, 1,                               // oldest and newest version
            2,                                  // credit
            0,                                  // reserved
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // wishes: none
            1, 0, b'v',                         // program
            4, 0,                               // length of the text
            b'Z', b'k', b'-', b'_',             // the viewer's key
        ],
    },
    Golden {
        message: Message::Ack { sequence: 0x0102_0304_0506_0708 },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 2, 0, 0, 8, 0, 0, 0, // header: Ack, 8 bytes
            8, 7, 6, 5, 4, 3, 2, 1, // sequence
        ],
    },
    Golden {
        message: Message::Wishes(Wishes { width: 0, height: 0, quality: 0, rate: Rate::NONE }),
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 3, 0, 0, 12, 0, 0, 0, // header: Wishes, 12 bytes
            0, 0,       // width: as the camera likes
            0, 0,       // height: as the camera likes
            0, 0, 0, 0, // rate: as the camera likes
            0,          // quality: as the camera likes
            0, 0, 0,    // reserved
        ],
    },
    Golden {
        message: Message::Ping { token: 0xFEDC_BA98_7654_3210 },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 4, 0, 0, 8, 0, 0, 0, // header: Ping, 8 bytes
            0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE, // token
        ],
    },
    Golden {
        message: Message::Pong { token: 5, received_at: Micros(1_000_000), sent_at: Micros(1_000_016) },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 5, 0, 0, 24, 0, 0, 0, // header: Pong, 24 bytes
            5, 0, 0, 0, 0, 0, 0, 0,             // token of the ping
            0x40, 0x42, 0x0F, 0, 0, 0, 0, 0,    // ping received at: 1000000 µs
            0x50, 0x42, 0x0F, 0, 0, 0, 0, 0,    // pong sent at: 1000016 µs
        ],
    },
    Golden {
        message: Message::ListControls,
        bytes: &[b'L', b'C', b'A', b'M', 1, 6, 0, 0, 0, 0, 0, 0], // header: ListControls, 0 bytes
    },
    Golden {
        message: Message::SetControl { id: 0x0098_0900, value: -2 },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 7, 0, 0, 12, 0, 0, 0, // header: SetControl, 12 bytes
            0x00, 0x09, 0x98, 0x00, // control: V4L2_CID_BRIGHTNESS
            0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, // value: -2
        ],
    },
    Golden {
        message: Message::Credit { frames: 2 },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 8, 0, 0, 4, 0, 0, 0, // header: Credit, 4 bytes
            2,       // frames on their way at once
            0, 0, 0, // reserved
        ],
    },
    Golden {
        message: Message::PairRequest { nonce: FRESH, name: "desk" },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 9, 0, 0, 38, 0, 0, 0, // header: PairRequest, 38 bytes
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, // the viewer's fresh number
            16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
            4, 0,                   // length of the text
            b'd', b'e', b's', b'k', // the viewer's name
        ],
    },
    Golden {
        message: Message::PairProof { proof: FRESH },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 10, 0, 0, 32, 0, 0, 0, // header: PairProof, 32 bytes
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, // the viewer's proof
            16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
        ],
    },
    Golden {
        message: Message::Welcome { version: 1, name: "pi", id: "7f3" },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 64, 0, 0, 13, 0, 0, 0, // header: Welcome, 13 bytes
            1,                // version spoken from here on
            0, 0, 0,          // reserved
            2, 0,             // length of the text
            b'p', b'i',       // the camera's name
            3, 0,             // length of the text
            b'7', b'f', b'3', // the camera's id
        ],
    },
    Golden {
        message: Message::Stream {
            codec: Codec::Jpeg,
            size: Size::new(1280, 720),
            rate: Rate(29_970),
            source: "UVC",
        },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 65, 0, 0, 17, 0, 0, 0, // header: Stream, 17 bytes
            1,                // codec: JPEG
            0, 0, 0,          // reserved
            0x00, 0x05,       // width: 1280
            0xD0, 0x02,       // height: 720
            0x12, 0x75, 0, 0, // rate: 29970 frames per thousand seconds
            3, 0,             // length of the text
            b'U', b'V', b'C', // source
        ],
    },
    Golden {
        message: Message::Frame {
            facts: FrameFacts {
                sequence: 7,
                captured_at: Micros(0x0001_0000_0002),
                codec: Codec::Jpeg,
                size: Size::new(640, 360),
            },
            payload: &[0xFF, 0xD8, 0xFF, 0xD9],
        },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 66, 0, 0, 28, 0, 0, 0, // header: Frame, 28 bytes
            7, 0, 0, 0, 0, 0, 0, 0, // sequence
            2, 0, 0, 0, 1, 0, 0, 0, // captured at: 4294967298 µs
            0x80, 0x02,             // width: 640
            0x68, 0x01,             // height: 360
            1,                      // codec: JPEG
            0, 0, 0,                // reserved
            0xFF, 0xD8, 0xFF, 0xD9, // picture
        ],
    },
    Golden {
        message: Message::Frame {
            facts: FrameFacts {
                sequence: 8,
                captured_at: Micros(0),
                codec: Codec::Bgr24,
                size: Size::new(2, 1),
            },
            payload: &[255, 0, 0, 0, 0, 255],
        },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 66, 0, 0, 30, 0, 0, 0, // header: Frame, 30 bytes
            8, 0, 0, 0, 0, 0, 0, 0, // sequence
            0, 0, 0, 0, 0, 0, 0, 0, // captured at
            2, 0,                   // width
            1, 0,                   // height
            2,                      // codec: raw B, G, R
            0, 0, 0,                // reserved
            255, 0, 0,              // a blue pixel
            0, 0, 255,              // a red pixel
        ],
    },
    Golden {
        message: Message::Status { code: StatusCode::CameraLost, text: "gone" },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 67, 0, 0, 10, 0, 0, 0, // header: Status, 10 bytes
            2, 0,                   // code: camera lost
            0, 0,                   // reserved
            4, 0,                   // length of the text
            b'g', b'o', b'n', b'e', // for people
        ],
    },
    Golden {
        message: Message::Goodbye {
            reason: GoodbyeReason::Version,
            min_version: 2,
            max_version: 4,
            text: "update",
        },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 68, 0, 0, 12, 0, 0, 0, // header: Goodbye, 12 bytes
            1, 0, // reason: no common version
            2,    // oldest version the camera speaks
            4,    // newest version the camera speaks
            6, 0, // length of the text
            b'u', b'p', b'd', b'a', b't', b'e', // for people
        ],
    },
    Golden {
        message: Message::Control(Control {
            id: 0x0098_0900,
            writable: true,
            kind: ControlKind::Integer,
            flags: ControlFlags(0),
            minimum: -64,
            maximum: 64,
            step: 1,
            default: 0,
            value: -1,
            name: "brightness",
            reason: "",
        }),
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 69, 0, 0, 62, 0, 0, 0, // header: Control, 62 bytes
            0x00, 0x09, 0x98, 0x00,                         // control: V4L2_CID_BRIGHTNESS
            1,                                              // writable
            1,                                              // kind: integer
            0,                                              // flags
            0,                                              // reserved
            0xC0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, // minimum: -64
            64, 0, 0, 0, 0, 0, 0, 0,                        // maximum
            1, 0, 0, 0, 0, 0, 0, 0,                         // step
            0, 0, 0, 0, 0, 0, 0, 0,                         // default
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, // value: -1
            10, 0,                                          // length of the text
            b'b', b'r', b'i', b'g', b'h', b't', b'n', b'e', b's', b's', // name
            0, 0,                                           // no reason against changing it
        ],
    },
    Golden {
        message: Message::Control(Control {
            id: 0x009A_0902,
            writable: false,
            kind: ControlKind::IntegerMenu,
            flags: ControlFlags::INACTIVE.and(ControlFlags::VOLATILE),
            minimum: i64::MIN,
            maximum: i64::MAX,
            step: 0,
            default: 7,
            value: 8,
            name: "e",
            reason: "auto",
        }),
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 69, 0, 0, 57, 0, 0, 0, // header: Control, 57 bytes
            0x02, 0x09, 0x9A, 0x00,                         // control: V4L2_CID_EXPOSURE_ABSOLUTE
            0,                                              // cannot be changed
            9,                                              // kind: a menu of numbers
            6,                                              // flags: inactive, volatile
            0,                                              // reserved
            0, 0, 0, 0, 0, 0, 0, 0x80,                      // minimum
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, // maximum
            0, 0, 0, 0, 0, 0, 0, 0,                         // step
            7, 0, 0, 0, 0, 0, 0, 0,                         // default
            8, 0, 0, 0, 0, 0, 0, 0,                         // value
            1, 0, b'e',                                     // name
            4, 0, b'a', b'u', b't', b'o',                   // why it cannot be changed
        ],
    },
    Golden {
        message: Message::ControlList { count: 300, reason: "" },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 70, 0, 0, 6, 0, 0, 0, // header: ControlList, 6 bytes
            0x2C, 0x01, 0, 0, // messages that follow
            0, 0,             // no reason why there are none
        ],
    },
    Golden {
        message: Message::MenuItem { id: 0x0098_0918, value: 1, name: "50 Hz" },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 71, 0, 0, 19, 0, 0, 0, // header: MenuItem, 19 bytes
            0x18, 0x09, 0x98, 0x00,               // control: V4L2_CID_POWER_LINE_FREQUENCY
            1, 0, 0, 0, 0, 0, 0, 0,               // value
            5, 0, b'5', b'0', b' ', b'H', b'z',   // name
        ],
    },
    Golden {
        message: Message::PairOffer {
            nonce: FRESH,
            salt: [0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF],
            iterations: 100_000,
            name: "pi",
            id: "7f3",
        },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 72, 0, 0, 61, 0, 0, 0, // header: PairOffer, 61 bytes
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, // the camera's fresh number
            16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
            0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, // salt
            0xA8, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF,
            0xA0, 0x86, 0x01, 0,    // iterations: 100000
            2, 0, b'p', b'i',       // the camera's name
            3, 0, b'7', b'f', b'3', // its id
        ],
    },
    Golden {
        message: Message::Paired { proof: FRESH, may: 3, key: Secret("Zk-_") },
        bytes: &[
            b'L', b'C', b'A', b'M', 1, 73, 0, 0, 42, 0, 0, 0, // header: Paired, 42 bytes
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, // the camera's proof
            16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
            3,                      // may watch and control
            0, 0, 0,                // reserved
            4, 0,                   // length of the text
            b'Z', b'k', b'-', b'_', // the viewer's key
        ],
    },
];

/// A number or a proof whose bytes count up.
const FRESH: [u8; 32] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 31,
];

#[test]
fn every_message_is_written_as_its_golden_bytes() {
    for Golden { message, bytes } in GOLDEN {
        let mut written = Vec::new();
        message.write_to(&mut written);
        assert_eq!(written, *bytes, "{message:?}");
    }
}

#[test]
fn golden_bytes_are_read_as_their_message() {
    for Golden { message, bytes } in GOLDEN {
        assert_eq!(read(bytes), Ok(Some(*message)));
    }
}

#[test]
fn every_status_and_reason_has_its_number() {
    let codes = [
        (0, StatusCode::Starting),
        (1, StatusCode::NoCamera),
        (2, StatusCode::CameraLost),
        (3, StatusCode::CameraRefused),
        (4, StatusCode::Refused),
        (5, StatusCode::Full),
        (0x0105, StatusCode::Other(0x0105)),
    ];
    for (number, code) in codes {
        let message = Message::Status { code, text: "" };
        assert_eq!(payload_of(&message)[..2], u16::to_le_bytes(number));
        assert_eq!(read(&bytes_of(&message)), Ok(Some(message)));
    }
    let reasons = [
        (0, GoodbyeReason::Stopping),
        (1, GoodbyeReason::Version),
        (2, GoodbyeReason::Full),
        (3, GoodbyeReason::TooSlow),
        (4, GoodbyeReason::BadMessage),
        (5, GoodbyeReason::NotAllowed),
        (6, GoodbyeReason::NoKey),
        (7, GoodbyeReason::WrongCode),
        (8, GoodbyeReason::PairingRests),
        (9, GoodbyeReason::TlsWanted),
        (0x0105, GoodbyeReason::Other(0x0105)),
    ];
    for (number, reason) in reasons {
        let message = Message::Goodbye { reason, min_version: 1, max_version: 1, text: "" };
        assert_eq!(payload_of(&message)[..2], u16::to_le_bytes(number));
        assert_eq!(read(&bytes_of(&message)), Ok(Some(message)));
    }
}

#[test]
fn strangers_are_known_by_their_first_bytes() {
    let strangers: [(&[u8], &str); 5] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 400"),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "SSH-2.0-Open"),
        (b"220", "220"),
        (b"LCAX", "LCAX"),
        (
            b"\x83\x46\x03\0\0\0\0\0\x80\x03cnumpy",
            "\\x83F\\x03\\x00\\x00\\x00\\x00\\x00\\x80\\x03cn",
        ),
    ];
    for (bytes, shown) in strangers {
        let first = bytes[..bytes.len().min(12)].to_vec();
        let error = read(bytes).unwrap_err();
        assert_eq!(error, WireError::NotLancam(FirstBytes(first)));
        let text = format!("it does not speak lancam's protocol: it began with \"{shown}\"");
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(read(b"LCA"), Ok(None), "more bytes may make it a message");
}

#[test]
fn what_follows_a_message_and_is_none_is_not_called_a_stranger() {
    let mut decoder = Decoder::new(MAX_PAYLOAD);
    feed(&mut decoder, &bytes_of(&Message::ListControls));
    feed(&mut decoder, b"oops");
    assert_eq!(decoder.next_message(), Ok(Some(Message::ListControls)));
    let error = decoder.next_message().unwrap_err();
    assert_eq!(error, WireError::OutOfStep(FirstBytes(b"oops".to_vec())));
}

#[test]
fn a_length_over_the_cap_is_refused_before_memory_is_set_aside() {
    let header = b"LCAM\x01\x42\0\0\x01\x10\0\0"; // a frame of 4097 bytes
    let mut decoder = Decoder::new(MAX_REQUEST);
    feed(&mut decoder, header);
    let error = decoder.next_message().unwrap_err();
    assert_eq!(error, WireError::TooLong { len: 4097, max: MAX_REQUEST });
    assert_eq!(error.to_string(), "a message of 4097 bytes is over the limit of 4096");
    assert!(decoder.space().len() < 16 << 10);
}

#[test]
fn memory_follows_what_arrives_and_not_what_is_claimed() {
    let mut decoder = Decoder::new(MAX_PAYLOAD);
    let header = b"LCAM\x01\x42\0\0\0\0\0\x01"; // a frame of 16 MiB
    feed(&mut decoder, header);
    feed(&mut decoder, &[0; 8]);
    assert_eq!(decoder.next_message(), Ok(None));
    assert!(decoder.space().len() < 16 << 10, "20 bytes arrived");

    let mut arrived = 20;
    while arrived < 1 << 20 {
        let space = decoder.space().len();
        assert!(space <= arrived + (16 << 10), "{space} bytes of room after {arrived}");
        decoder.filled(space);
        arrived += space;
    }
}

#[test]
fn unknown_flags_are_refused_by_name() {
    let mut ack = bytes_of(&Message::Ack { sequence: 1 });
    ack[7] = 0x80; // the highest flag
    let error = read(&ack).unwrap_err();
    assert_eq!(error, WireError::UnknownFlags { kind: "an acknowledgement", flags: 0x8000 });
    let text = "an acknowledgement carries flags 0x8000, which version 1 does not know";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_version_from_the_future_is_refused_but_for_greetings_pairing_and_their_answers() {
    for Golden { message, bytes } in GOLDEN {
        let mut bytes = bytes.to_vec();
        bytes[4] = 2; // version
        let greeting = matches!(
            message,
            Message::Hello { .. }
                | Message::Welcome { .. }
                | Message::Goodbye { .. }
                | Message::PairRequest { .. }
                | Message::PairOffer { .. }
                | Message::PairProof { .. }
                | Message::Paired { .. }
        );
        let expected = match greeting {
            true => Ok(Some(*message)),
            false => Err(WireError::Version { found: 2 }),
        };
        assert_eq!(read(&bytes), expected);
    }
}

#[test]
fn a_message_that_ends_before_its_fields_is_refused() {
    for Golden { message, bytes } in GOLDEN {
        let payload = &bytes[12..];
        for len in 0..payload.len() {
            let result = read(&framed(bytes[5], &payload[..len]));
            // A JPEG may be cut anywhere, because the wire does not look into it.
            let jpeg =
                matches!(message, Message::Frame { facts, .. } if facts.codec == Codec::Jpeg);
            if jpeg && len >= 24 {
                assert!(matches!(result, Ok(Some(Message::Frame { .. }))));
                continue;
            }
            // Older versions sent controls without a reason.
            if let Message::Control(control) = message
                && len == 50 + control.name.len()
            {
                let control = Control { reason: "", ..*control };
                assert_eq!(result, Ok(Some(Message::Control(control))));
                continue;
            }
            // Older viewers sent no key.
            if let Message::Hello { program, key, .. } = message
                && len == 18 + program.len()
                && !key.0.is_empty()
            {
                assert!(matches!(result, Ok(Some(Message::Hello { key: Secret(""), .. }))));
                continue;
            }
            // Older versions sent no id of the camera.
            if let Message::Welcome { version, name, .. } = message
                && len == 6 + name.len()
            {
                let welcome = Message::Welcome { version: *version, name, id: "" };
                assert_eq!(result, Ok(Some(welcome)));
                continue;
            }
            let short = matches!(result, Err(WireError::Short { len: found, .. }) if found == len);
            assert!(short, "{message:?} cut to {len}: {result:?}");
        }
    }
    let error = read(&framed(66, &[0; 7])).unwrap_err();
    assert_eq!(error.to_string(), "a frame is cut short: 7 bytes, and sequence is missing");
}

#[test]
fn a_message_that_has_grown_is_read_as_far_as_it_is_known() {
    for Golden { message, bytes } in GOLDEN {
        if matches!(message, Message::Frame { facts, .. } if facts.codec == Codec::Jpeg) {
            continue; // Its picture reaches to the end.
        }
        if matches!(message, Message::Hello { key: Secret(""), .. }) {
            continue; // Its key would follow.
        }
        let grown = [&bytes[12..], b"fields of a later version"].concat();
        assert_eq!(read(&framed(bytes[5], &grown)), Ok(Some(*message)));
    }
}

#[test]
fn values_that_mean_nothing_are_refused_by_name() {
    let cases = [
        (66, 16, 0, "a frame has width = 0, which means nothing"),
        (66, 18, 0, "a frame has height = 0, which means nothing"),
        (66, 20, 3, "a frame has codec = 3, which means nothing"),
        (65, 0, 9, "a stream's description has codec = 9, which means nothing"),
        (3, 8, 101, "a wish has quality = 101, which means nothing"),
        (1, 12, 255, "a greeting has quality = 255, which means nothing"),
    ];
    for (kind, at, value, text) in cases {
        let mut payload = [1; 64];
        (payload[16], payload[17], payload[18], payload[19]) = (1, 0, 1, 0); // a size
        payload[at] = value;
        if kind == 66 {
            payload[at + 1] = 0;
        }
        assert_eq!(read(&framed(kind, &payload)).unwrap_err().to_string(), text);
    }
}

#[test]
fn a_welcome_of_the_first_days_ends_behind_its_name() {
    let payload = [1, 0, 0, 0, 2, 0, b'p', b'i'];
    let message = Message::Welcome { version: 1, name: "pi", id: "" };
    assert_eq!(read(&framed(64, &payload)), Ok(Some(message)));
}

#[test]
fn a_key_shows_nothing_of_itself_in_logs() {
    for Golden { message, .. } in GOLDEN {
        let shown = format!("{message:?}");
        assert!(!shown.contains("Zk-_"), "{shown}");
    }
}

#[test]
fn long_texts_are_cut_at_a_character() {
    let name = format!("x{}", "é".repeat(600)); // 1201 bytes, and byte 1000 is inside a character
    let bytes = bytes_of(&Message::Welcome { version: 1, name: &name, id: "" });
    assert_eq!(bytes.len(), 12 + 4 + 2 + 999 + 2);
    let expected = Message::Welcome { version: 1, name: &name[..999], id: "" };
    assert_eq!(read(&bytes), Ok(Some(expected)));
}

#[test]
fn strange_texts_are_read_as_far_as_they_are_printable() {
    let long = vec![b'a'; MAX_TEXT + 1];
    let texts: [(&[u8], &str); 4] = [
        (b"caf\xE9", "caf"),            // Latin-1
        (b"red \x1B[31malert", "red "), // a terminal's escape sequence
        ("x\u{9B}2J".as_bytes(), "x"),  // the same in one character
        (&long, &"a".repeat(MAX_TEXT)), // longer than any text
    ];
    for (text, expected) in texts {
        let len = u16::try_from(text.len()).expect("short").to_le_bytes();
        let payload = [&[1, 0, 0, 0], &len[..], text].concat();
        let message = Message::Welcome { version: 1, name: expected, id: "" };
        assert_eq!(read(&framed(64, &payload)), Ok(Some(message)));
    }
}

/// Reads one message as a viewer does, and leaks its bytes so that it can be returned.
fn read(bytes: &[u8]) -> Result<Option<Message<'static>>, WireError> {
    let decoder = Box::leak(Box::new(Decoder::new(MAX_PAYLOAD)));
    feed(decoder, bytes);
    decoder.next_message()
}

fn feed(decoder: &mut Decoder, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let space = decoder.space();
        let count = bytes.len().min(space.len());
        space[..count].copy_from_slice(&bytes[..count]);
        decoder.filled(count);
        bytes = &bytes[count..];
    }
}

fn bytes_of(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.write_to(&mut bytes);
    bytes
}

fn payload_of(message: &Message<'_>) -> Vec<u8> {
    bytes_of(message).split_off(12)
}

/// A message of any kind with any payload, without flags.
fn framed(kind: u8, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).expect("short").to_le_bytes();
    [b"LCAM", &[1, kind, 0, 0][..], &len, payload].concat()
}
