//! A proxy between viewer and camera that delivers each byte with a fixed delay.

use crate::tools::fake_camera::FakeServer;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A server that connects to `port` and delays every byte: by `there` from the camera, by `back` from the viewer.
pub fn delaying(port: u16, there: Duration, back: Duration) -> FakeServer {
    FakeServer::on(0, move |viewer| {
        let camera = TcpStream::connect(("127.0.0.1", port))?;
        for stream in [&viewer, &camera] {
            stream.set_nodelay(true)?;
        }
        let (from, to) = (viewer.try_clone()?, camera.try_clone()?);
        let backward = thread::spawn(move || drop(carry(from, &to, back)));
        let carried = carry(camera, &viewer, there);
        backward.join().expect("it does not panic");
        carried
    })
}

/// Forwards bytes until one end closes; then both are closed.
fn carry(mut from: TcpStream, to: &TcpStream, delay: Duration) -> io::Result<()> {
    let (sender, due) = mpsc::channel::<(Instant, Vec<u8>)>();
    let mut into = to.try_clone()?;
    let writer = thread::spawn(move || {
        for (at, bytes) in due {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            if into.write_all(&bytes).is_err() {
                break;
            }
        }
        drop(into.shutdown(Shutdown::Both));
    });
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if sender.send((Instant::now() + delay, buffer[..count].to_vec())).is_err() {
            break;
        }
    }
    drop(sender);
    writer.join().expect("it does not panic");
    drop(from.shutdown(Shutdown::Both));
    Ok(())
}
