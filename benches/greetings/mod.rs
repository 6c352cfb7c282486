//! How long a viewer and a camera need to greet each other with TLS, and to pair.

use lancam::camera::access::identity::{Identity, Names};
use lancam::clock;
use lancam::net::tls::handshake::{Accepts, Client};
use lancam::net::tls::stream::Secured;
use lancam::wire::access::code::Code;
use lancam::wire::access::proof::{ITERATIONS, Prover, Salting};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const GREETINGS: usize = 51;
const HASHES: usize = 9;

/// Longer than any greeting.
const PATIENCE: Duration = Duration::from_secs(60);

/// A new identity of a camera.
pub(crate) fn identity() -> io::Result<Identity> {
    let names = Names { name: "bench", hosts: &[], addresses: &[] };
    Identity::new(names, clock::since_1970(clock::now())).map_err(io::Error::other)
}

/// Prints both times.
pub(crate) fn tell() -> io::Result<()> {
    let (greeting, hash) = (greeting()?, hash()?);
    println!(
        "a greeting over loopback takes {greeting:.1?}: connecting, and both sides' part of TLS; median of {GREETINGS}"
    );
    println!(
        "pairing besides: the viewer hashes the code, {ITERATIONS} times, in {hash:.1?}; median of {HASHES}"
    );
    Ok(())
}

fn greeting() -> io::Result<Duration> {
    let server = identity()?.server().clone();
    let client = Client::new(Accepts::Only(server.pin())).map_err(io::Error::other)?;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let camera = thread::spawn(move || {
        for _ in 0..GREETINGS {
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            let handshake = server.begin().map_err(io::Error::other)?;
            let until = Instant::now() + PATIENCE;
            Secured::greet(handshake, &stream, Vec::new(), 0, until).map_err(io::Error::other)?;
        }
        Ok::<_, io::Error>(())
    });
    let mut times = Vec::new();
    for _ in 0..GREETINGS {
        let started = Instant::now();
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let handshake = client.begin().map_err(io::Error::other)?;
        let until = started + PATIENCE;
        Secured::greet(handshake, &stream, Vec::new(), 0, until).map_err(io::Error::other)?;
        times.push(started.elapsed());
    }
    camera.join().expect("it does not panic")?;
    Ok(median(times))
}

fn hash() -> io::Result<Duration> {
    let code = Code::from_random([7; 8]);
    let salting = Salting::new([3; 16], ITERATIONS).map_err(io::Error::other)?;
    let times = (0..HASHES).map(|_| {
        let started = Instant::now();
        std::hint::black_box(Prover::new(&code, &salting));
        started.elapsed()
    });
    Ok(median(times.collect()))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
