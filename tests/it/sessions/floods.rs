//! Floods of handshakes and of wrong codes from fifty addresses of a LAN, while a paired viewer watches: how old its pictures
//! get, and who else is let in.

use crate::tools::ages::{Ages, Watcher};
use crate::tools::camera_process::PATIENCE;
use crate::tools::keyed_camera::Keyed;
use crate::tools::lan::{Lan, Machine};
use crate::tools::until::wait_until;
use lancam::net::tls::handshake::{Accepts, Client, Pin};
use lancam::net::tls::stream::Secured;
use lancam::wire::native::MAX_PAYLOAD;
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::{GoodbyeReason, Message};
use nix::unistd::gettid;
use socket2::{Domain, Socket, Type};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How many addresses attack.
const ADDRESSES: u8 = 50;

/// How many times a flood is tried at most. Other programs on this machine only make pictures older, so the best round counts.
const ROUNDS: usize = 4;

/// How much older pictures may get: the share of 95 %.
const MOST: Duration = Duration::from_millis(10);

/// How long a flood of handshakes takes.
const FLOOD: Duration = Duration::from_secs(6);

/// A LAN whose desk has an address for each attacker besides its own.
fn lan_of_attackers() -> Option<Lan> {
    let lan = Lan::new()?;
    lan.ip(Machine::Desk, &["route", "add", "local", "10.77.1.0/24", "dev", "lo"]);
    lan.ip(Machine::Camera, &["route", "add", "10.77.1.0/24", "dev", "lan0"]);
    Some(lan)
}

fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 1, number + 2)
}

fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect_timeout(&to.into(), PATIENCE)?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Lets each address attack at once, and returns how often each thing happened that they report. Attackers have machines of
/// their own, so they may not take this one's time from the camera and its viewer.
fn all_attack<F>(lan: &Lan, attack: F) -> BTreeMap<String, usize>
where
    F: Fn(Ipv4Addr) -> Vec<String> + Send + Sync + 'static,
{
    let attackers = lan.inside(Machine::Desk, move || {
        let own = gettid().to_string();
        let renice = Command::new("renice").args(["-n", "19", "-p", &own]).output();
        assert!(renice.expect("renice runs").status.success());
        thread::scope(|threads| {
            let attack = &attack;
            let all: Vec<_> =
                (0..ADDRESSES).map(|it| threads.spawn(move || attack(address(it)))).collect();
            let all = all.into_iter().map(|one| one.join().expect("no attacker panics"));
            all.flatten().collect::<Vec<String>>()
        })
    });
    let mut counts = BTreeMap::new();
    for what in attackers.join().expect("no panic") {
        *counts.entry(what).or_default() += 1;
    }
    counts
}

/// Checks that pictures stay as young as before a flood, in one round at least.
#[track_caller]
fn assert_stays_young(viewer: &Watcher, mut flood: impl FnMut()) {
    let mut rounds = (0..ROUNDS).map(|_| {
        let before = viewer.during(|| viewer.wait_for_frames(200));
        let meanwhile = viewer.during(&mut flood);
        println!("before {before}; during the flood {meanwhile}");
        (before, meanwhile)
    });
    let is_as_young = |(before, meanwhile): (Ages, Ages)| {
        meanwhile.p95 <= before.p95 + MOST && meanwhile.lost_share() <= before.lost_share() + 0.01
    };
    assert!(rounds.any(is_as_young), "pictures got older, or were lost");
}

/// Does the handshake with a camera, without asking for its certificate.
fn greet(client: &Client, stream: &TcpStream) -> io::Result<Secured> {
    let handshake = client.begin().map_err(io::Error::other)?;
    let until = Instant::now() + PATIENCE;
    Secured::greet(handshake, stream, Vec::new(), 4096, until).map_err(io::Error::other)
}

/// Reads more bytes inside TLS.
fn read_more(secured: &mut Secured, stream: &TcpStream, into: &mut Vec<u8>) -> io::Result<()> {
    let mut some = [0; 2048];
    loop {
        match secured.read(stream, &mut some) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                into.extend_from_slice(&some[..count]);
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Says that it knows the code, natively, with a proof that is wrong. Returns why it gets no key.
fn guess_natively(secured: &mut Secured, stream: &TcpStream) -> io::Result<GoodbyeReason> {
    let mut bytes = Vec::new();
    Message::PairRequest { nonce: [9; 32], name: "thief" }.write_to(&mut bytes);
    secured.write_all(stream, &bytes)?;
    let mut decoder = Decoder::new(MAX_PAYLOAD);
    loop {
        let answer = match decoder.next_message().map_err(io::Error::other)? {
            Some(Message::PairOffer { .. }) => true,
            Some(Message::Goodbye { reason, .. }) => return Ok(reason),
            Some(other) => return Err(io::Error::other(format!("{other:?}"))),
            None => false,
        };
        if answer {
            bytes.clear();
            Message::PairProof { proof: [9; 32] }.write_to(&mut bytes);
            secured.write_all(stream, &bytes)?;
        }
        let mut some = Vec::new();
        read_more(secured, stream, &mut some)?;
        decoder.push(&some);
    }
}

/// Types a wrong code on the login page. Returns the status of the answer.
fn guess_by_http(secured: &mut Secured, stream: &TcpStream) -> io::Result<String> {
    let form = "code=0000-0000-0000";
    let head = "POST /login HTTP/1.1\r\nHost: 10.77.0.1\r\nSec-Fetch-Site: same-origin\r\n\
        Content-Type: application/x-www-form-urlencoded\r\n";
    let request = format!("{head}Content-Length: {}\r\n\r\n{form}", form.len());
    secured.write_all(stream, request.as_bytes())?;
    let mut answer = Vec::new();
    while answer.len() < 12 {
        read_more(secured, stream, &mut answer)?;
    }
    Ok(String::from_utf8_lossy(&answer[9..12]).into_owned())
}

/// What comes of one wrong code from this address.
fn guess(client: &Client, from: Ipv4Addr, camera: SocketAddr, number: usize) -> String {
    let attempt = || -> io::Result<String> {
        let stream = connect(from, camera)?;
        let Ok(mut secured) = greet(client, &stream) else { return Ok("no handshake".into()) };
        match number % 2 {
            0 => guess_natively(&mut secured, &stream).map(|reason| format!("{reason:?}")),
            _ => guess_by_http(&mut secured, &stream),
        }
    };
    attempt().unwrap_or_else(|_| "disconnected".into())
}

/// How long a paired viewer at this address takes from its first attempt to its first frame, and how many attempts.
fn comes_in(lan: &Lan, camera: (SocketAddr, Pin), key: &str, from: Ipv4Addr) -> (Duration, usize) {
    let (to, accepts, key) = (camera.0, Accepts::Only(camera.1), key.to_owned());
    let comes = lan.inside(Machine::Desk, move || {
        let (began, mut attempts) = (Instant::now(), 0);
        wait_until("that a paired viewer is let in", || {
            attempts += 1;
            let stream = connect(from, to).ok()?;
            let client = Client::new(accepts).expect("ciphers");
            let mut secured = greet(&client, &stream).ok()?;
            let mut bytes = Vec::new();
            crate::tools::tls_client::greeting(&key).write_to(&mut bytes);
            secured.write_all(&stream, &bytes).ok()?;
            let mut decoder = Decoder::new(MAX_PAYLOAD);
            loop {
                match decoder.next_message().ok()? {
                    Some(Message::Frame { .. }) => return Some(()),
                    Some(_) => continue,
                    None => {}
                }
                let mut some = Vec::new();
                read_more(&mut secured, &stream, &mut some).ok()?;
                decoder.push(&some);
            }
        });
        (began.elapsed(), attempts)
    });
    comes.join().expect("no panic")
}

#[test]
#[ignore = "minutes: make test-all"]
fn ten_thousand_wrong_codes_are_hardly_looked_at_and_make_no_picture_older() {
    const EACH: usize = 10_000 / ADDRESSES as usize;
    let Some(lan) = lan_of_attackers() else { return };
    let camera = Keyed::on(&lan, &["--source", "test:640x360@50"]);
    let (to, pin, key) = (camera.on_lan(), camera.pin(), camera.made(&["--name", "desk"]));
    let viewer = Watcher::start(&lan, &camera, &key);
    assert_stays_young(&viewer, || {
        let counts = all_attack(&lan, move |from| {
            let client = Client::new(Accepts::Any).expect("ciphers");
            (0..EACH).map(|number| guess(&client, from, to, number)).collect()
        });
        println!("{counts:?}");
        assert_eq!(counts.values().sum::<usize>(), EACH * usize::from(ADDRESSES));
        let of = |what: &str| counts.get(what).copied().unwrap_or_default();
        // The camera looks at 20, and then at none for 5 minutes. These may end meanwhile.
        let looked_at = of("WrongCode") + of("403");
        assert!(looked_at <= 40, "{looked_at} codes were looked at");
        let known = ["WrongCode", "403", "PairingRests", "429", "no handshake", "disconnected"];
        assert!(counts.keys().all(|what| known.contains(&what.as_str())), "{counts:?}");
    });
    // Pairing rests for everybody. Keys work.
    let (took, _) = comes_in(&lan, (to, pin), &key, Ipv4Addr::new(10, 77, 0, 2));
    println!("another viewer with a key was in after {took:.0?}");
}

/// Keeps twenty handshakes half open, and says a byte of each now and then. Begins those anew that the camera has closed.
fn half_open(from: Ipv4Addr, camera: SocketAddr, hello: &[u8]) -> Vec<String> {
    let mut all: Vec<(Option<TcpStream>, usize)> = (0..20).map(|_| (None, 0)).collect();
    let (mut begun, until) = (0, Instant::now() + FLOOD);
    while Instant::now() < until {
        for (number, (stream, said)) in all.iter_mut().enumerate() {
            let open = stream.as_ref().is_some_and(|mut stream| {
                let next = &hello[*said..(*said + 1).min(hello.len() - 1)];
                *said += next.len();
                stream.write_all(next).is_ok()
            });
            if !open {
                // Some say one byte, and some all but the last one.
                *said = if number % 2 == 0 { 1 } else { hello.len() - 1 };
                *stream = connect(from, camera).ok();
                let first = &hello[..*said];
                drop(stream.as_ref().map(|mut stream| stream.write_all(first)));
                begun += 1;
            }
        }
        thread::sleep(Duration::from_millis(250));
    }
    vec!["begun".to_owned(); begun]
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_thousand_half_open_handshakes_make_no_picture_older_and_keep_no_paired_viewer_out() {
    let Some(lan) = lan_of_attackers() else { return };
    let camera = Keyed::on(&lan, &["--source", "test:640x360@50"]);
    let (to, pin, key) = (camera.on_lan(), camera.pin(), camera.made(&["--name", "desk"]));
    let viewer = Watcher::start(&lan, &camera, &key);
    let (mut hello, client) = (Vec::new(), Client::new(Accepts::Any).expect("ciphers"));
    client.begin().expect("begins").advance(&mut Vec::new(), &mut hello).expect("a greeting");
    assert_stays_young(&viewer, || {
        let hello = hello.clone();
        thread::scope(|threads| {
            let newcomer = threads.spawn(|| {
                viewer.wait_for_frames(100);
                comes_in(&lan, (to, pin), &key, Ipv4Addr::new(10, 77, 0, 2))
            });
            let counts = all_attack(&lan, move |from| half_open(from, to, &hello));
            assert!(counts["begun"] >= 1000, "{counts:?}");
            let (took, _) = newcomer.join().expect("it comes in");
            println!("{counts:?}; another viewer with a key was in after {took:.0?}");
        });
    });
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_flood_of_whole_handshakes_is_answered_seldom_and_makes_no_picture_older() {
    let Some(lan) = lan_of_attackers() else { return };
    let camera = Keyed::on(&lan, &["--source", "test:640x360@50"]);
    let (to, key) = (camera.on_lan(), camera.made(&["--name", "desk"]));
    let viewer = Watcher::start(&lan, &camera, &key);
    assert_stays_young(&viewer, || {
        let began = Instant::now();
        let counts = all_attack(&lan, move |from| {
            let client = Client::new(Accepts::Any).expect("ciphers");
            let attempt = || match connect(from, to).and_then(|stream| greet(&client, &stream)) {
                Ok(_) => "whole".to_owned(),
                Err(_) => "refused".to_owned(),
            };
            std::iter::repeat_with(attempt).take_while(|_| began.elapsed() < FLOOD).collect()
        });
        println!("{counts:?} in {:.1?}", began.elapsed());
        // 60 at once and 20 a second, and a second's more that wait for their turn.
        let most = 60 + 20 * (usize::try_from(began.elapsed().as_secs()).expect("short") + 2);
        assert!(counts["whole"] <= most, "more than {most}: {counts:?}");
    });
}

#[test]
#[ignore = "minutes: make test-all"]
fn paired_viewers_at_new_addresses_come_in_during_a_flood() {
    let Some(lan) = lan_of_attackers() else { return };
    let camera = Keyed::on(&lan, &["--source", "test:64x48@25"]);
    let (to, pin, key) = (camera.on_lan(), camera.pin(), camera.made(&["--name", "desk"]));
    let began = Instant::now();
    thread::scope(|threads| {
        let newcomers = threads.spawn(|| {
            wait_until("the flood", || (began.elapsed() > FLOOD / 3).then_some(()));
            let all = (0..5).map(|it| comes_in(&lan, (to, pin), &key, address(ADDRESSES + it)));
            all.collect::<Vec<_>>()
        });
        all_attack(&lan, move |from| {
            let client = Client::new(Accepts::Any).expect("ciphers");
            let attempt = || drop(connect(from, to).and_then(|stream| greet(&client, &stream)));
            std::iter::repeat_with(attempt).take_while(|()| began.elapsed() < 2 * FLOOD).count();
            Vec::new()
        });
        let newcomers = newcomers.join().expect("they come in");
        println!("viewers with a key at new addresses were in after {newcomers:.0?}");
        let at_once = newcomers.iter().filter(|(_, attempts)| *attempts == 1).count();
        assert!(at_once >= 3, "{newcomers:?}");
    });
}
