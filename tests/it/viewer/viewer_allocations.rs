//! After the first few frames, a frame costs the viewer no allocation.

use crate::tools::allocations::Meter;
use crate::tools::fake_camera::{FakeCamera, FakeServer, Pattern, jpeg_facts};
use crate::tools::relay::Relay;
use crate::tools::restarts::joined;
use lancam::image::pixels::{Chroma, Size};
use lancam::latest::{Doorbell, Latest};
use lancam::net::tls::handshake::Pin;
use lancam::viewer::find::address::CameraAddress;
use lancam::viewer::find::identity::Identity;
use lancam::viewer::headless::{Headless, Limit};
use lancam::viewer::keep::keyring::{Keyring, PairedCamera};
use lancam::viewer::leave::Leave;
use lancam::viewer::run::{End, run};
use lancam::viewer::stage::composer::{Composer, Extras, Repaint};
use lancam::viewer::stage::input::{Input, Key};
use lancam::viewer::stage::tile::Tile;
use lancam::viewer::stage::wall::{Info, Wall};
use lancam::viewer::watch::channel::{Channel, Feed};
use lancam::viewer::watch::receiver::{Protocol, Receiver, Wanted};
use lancam::wire::access::key::{Key as CameraKey, May};
use lancam::wire::native::message::Wishes;
use lancam::wire::packet::{Codec, FrameFacts};
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const WARM_UP: u64 = 30;
const COUNTED: u64 = 200;

#[test]
fn receiving_decoding_and_presenting_allocates_nothing_per_frame() -> io::Result<()> {
    let size = Size::new(640, 360);
    let jpeg = Pattern::new(size).jpeg(1).to_vec();
    // Several cores decode this one.
    let with_restarts = joined(size, Chroma::Yuv420, 1);
    let raw = vec![0x80; size.area() * 3];
    let streams = [(Codec::Jpeg, &jpeg), (Codec::Jpeg, &with_restarts), (Codec::Bgr24, &raw)];
    for (codec, payload) in streams {
        for sealing in [Sealing::None, Sealing::Tls] {
            let (received, presented) = allocations_per_stream(sealing, |sequence, camera| {
                let facts = FrameFacts { codec, ..jpeg_facts(sequence, size) };
                camera.send_frame(&facts, payload)
            })?;
            let what = format!("{codec:?}, {sealing:?}");
            println!("{what}: {received} on the receiver, {presented} on the presenter");
            assert_eq!((received, presented), (0, 0), "{what}, over {COUNTED} frames");
        }
    }
    Ok(())
}

/// Whether frames come inside TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sealing {
    None,
    Tls,
}

/// Knows the camera that shows this certificate.
fn paired_with(pin: Pin) -> Keyring {
    let keyring = Keyring::default();
    let camera = PairedCamera {
        identity: Identity { name: "fake".into(), id: String::new() },
        address: CameraAddress::default(),
        before: Vec::new(),
        pin,
        key: CameraKey::from_random([7; 32]),
        may: May::Watch,
    };
    // It is in no file, and known all the same.
    let _ = keyring.remember(&camera);
    keyring
}

#[test]
fn putting_the_window_together_allocates_nothing_per_frame() -> io::Result<()> {
    let size = Size::new(640, 360);
    let servers = [0, 1].map(|_| {
        FakeServer::on(0, move |stream| {
            let mut camera = FakeCamera::greet(stream, "fake")?.with_clock(Duration::ZERO);
            let jpeg = Pattern::new(size).jpeg(1).to_vec();
            for sequence in 1.. {
                camera.send_frame(&jpeg_facts(sequence, size), &jpeg)?;
                camera.idle(Duration::from_millis(5))?;
            }
            Ok(())
        })
    });
    let doorbell = Doorbell::new();
    let open = |server: &FakeServer| {
        let address = CameraAddress::parse(&server.address()).expect("an address");
        let protocol = Protocol::Native(Wishes::default());
        let camera = Channel::open(Wanted::at(address), protocol, &doorbell);
        Tile::from(camera.expect("memory and threads"))
    };
    let mut tiles = servers.each_ref().map(open);
    let mut wall = Wall::new(2);
    wall.resize(Size::new(1000, 500));
    // The figures are hidden, because each letter is kept when it is drawn for the first time, and it takes a
    // while until all digits were drawn.
    assert_eq!(wall.info, Info::Hidden);
    // One picture is shown smaller than it is. Of the other, a part is shown, turned.
    wall.take(Input::Key(Key::Tab));
    for key in "+++]".chars() {
        wall.take(Input::Key(Key::Character(key)));
    }
    let mut composer = Composer::new(1.0);
    let composing = Meter::new();
    let mut counts = (0, 0);
    for frame in 0..WARM_UP + COUNTED {
        doorbell.wait(Duration::from_secs(10));
        composing.charge_this_thread();
        if frame == WARM_UP {
            counts.0 = composing.count();
        }
        let now = Instant::now();
        for tile in &mut tiles {
            tile.update(now, true);
        }
        let extras = Extras { paused: None, picker: None, toasts: &[], now };
        composer.compose(&wall, &tiles, Repaint::Changed, &extras);
        assert!(composer.last().is_some(), "it is put together, not handed through");
        tiles.iter_mut().for_each(|tile| tile.shown(now));
        counts.1 = composing.count();
    }
    assert!(tiles.iter().all(|tile| tile.channel.statistics.shown() > COUNTED / 8));
    println!("{} while putting {COUNTED} windows together", counts.1 - counts.0);
    assert_eq!(counts.1 - counts.0, 0);
    Ok(())
}

/// The allocations of the receiver's and of the presenter's thread while `COUNTED` frames arrive.
fn allocations_per_stream(
    sealing: Sealing,
    mut send: impl FnMut(u64, &mut FakeCamera) -> io::Result<()>,
) -> io::Result<(usize, usize)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let doorbell = Doorbell::new();
    let leave = Leave::new(Arc::clone(&doorbell));
    let news = Latest::with_doorbell(Arc::clone(&doorbell));
    let relay = Relay::before(listener.local_addr()?.port());
    let (address, identity, keyring) = match sealing {
        Sealing::None => (listener.local_addr()?.to_string(), None, Keyring::default()),
        Sealing::Tls => {
            let identity = Identity { name: "fake".into(), id: String::new() };
            (relay.address(), Some(identity), paired_with(relay.pin()))
        }
    };
    let address = CameraAddress::parse(&address).expect("an address");
    let protocol = Protocol::Native(Wishes::default());
    let wanted = Wanted { identity, address };
    let receiver = Receiver::new(wanted.clone(), protocol, Arc::clone(&news)).expect("a decoder");
    let mut receiver = receiver.known_by(Arc::new(keyring), None);
    let (recorder, remote) = (receiver.recorder(), receiver.remote());
    let feed = Feed { slot: news, demand: Arc::default(), recorder, remote };

    let receiving = Meter::new();
    let receiver = thread::spawn(move || {
        receiving.charge_this_thread();
        receiver.run_once()
    });
    let presenting = Meter::new();
    let asked = leave.clone();
    let presenter = thread::spawn(move || {
        presenting.charge_this_thread();
        let (limit, timeout) = (Limit::Pictures(u64::MAX), Duration::from_secs(60).into());
        let camera = Channel::fed_by(feed, wanted);
        let mut screen = Headless::new(camera, limit, timeout, Instant::now());
        let Ok(end) = run(&mut screen, &doorbell, &asked);
        (screen.camera, end)
    });

    let camera = FakeCamera::greet(listener.accept()?.0, "fake")?;
    let mut camera = camera.with_clock(Duration::ZERO);
    for sequence in 1..=WARM_UP {
        send(sequence, &mut camera)?;
    }
    let before = (receiving.count(), presenting.count());
    for sequence in WARM_UP + 1..=WARM_UP + COUNTED {
        send(sequence, &mut camera)?;
    }
    let counted = (receiving.count() - before.0, presenting.count() - before.1);

    drop(camera);
    receiver.join().expect("no panic").expect("the camera only closed");
    leave.ask();
    let (camera, end) = presenter.join().expect("no panic");
    assert_eq!(end, End::Done);
    assert!(camera.statistics.shown() > 0);
    assert!(camera.statistics.ages().max().is_some(), "the clocks were matched meanwhile");
    Ok(counted)
}
