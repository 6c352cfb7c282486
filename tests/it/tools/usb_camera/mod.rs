//! A USB camera in software: it listens for USB/IP, and a kernel with `vhci_hcd` uses it like a webcam that was plugged in.
//!
//! ```ignore
//! let camera = UsbCamera::new(lsusb::parse(&text)?, Pictures::default());
//! camera.plug_into(&guest, 0);                                 // the guest's uvcvideo makes /dev/video0 of it
//! camera.order(|orders| orders.flaw = Some((10, Flaw::Cut)));  // from now on every tenth frame is cut
//! camera.unplug();
//! ```
//! A file in tests/data/cameras says what a camera is: descriptors, formats, sizes, rates, controls. Tests order its faults
//! while it runs. It keeps to the host's speed: no byte is lost if an emulated machine is slow, and frames wait.

mod controls;
mod device;
mod fault;
pub mod lsusb;
mod model;
pub mod pictures;
mod stream;
mod usbip;

pub use fault::{Clock, Flaw, Manner, Moment, Orders};
use model::Speed;
pub use model::{Kind, Model, Transfers};

use device::{Device, Effect};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use usbip::{Command, Done, Request};

/// A camera with its cable. Dropping it unplugs the camera.
pub struct UsbCamera {
    shared: Arc<Shared>,
    port: u16,
    listener: Option<JoinHandle<()>>,
}

/// What a camera films.
pub trait Film: Send + Sync {
    /// The bytes of a frame, always the same for the same shot.
    fn frame(&self, shot: Shot) -> Vec<u8>;
}

/// One frame of a film.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shot {
    pub kind: Kind,
    pub width: usize,
    pub height: usize,
    /// How many frames this camera had begun before.
    pub number: u64,
}

/// What has happened to a camera.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// How often it was attached.
    pub plugged: u64,
    /// Frames that were begun since the camera was created.
    pub frames: u64,
    /// Controls set since it was plugged in. Those of a second camera in the device: `brightness@2`, with the number of its
    /// interface.
    pub controls: BTreeMap<String, i64>,
    /// The last committed format, size and interval since it was plugged in: `MJPG 640x480 333333`.
    pub committed: Option<String>,
}

struct Shared {
    model: Mutex<Model>,
    film: Box<dyn Film>,
    orders: Mutex<Orders>,
    seen: Mutex<Seen>,
    /// The connection to the host that uses it.
    cable: Mutex<Option<TcpStream>>,
    is_over: AtomicBool,
}

impl UsbCamera {
    /// A camera that waits for a host.
    pub fn new(model: Model, film: impl Film + 'static) -> Self {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port");
        let port = socket.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            model: Mutex::new(model),
            film: Box::new(film),
            orders: Mutex::default(),
            seen: Mutex::default(),
            cable: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let listening = Arc::clone(&shared);
        let listener = thread::spawn(move || listen(&socket, &listening));
        Self { shared, port, listener: Some(listener) }
    }

    /// The port on this machine's loopback where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes its faults.
    pub fn order(&self, change: impl FnOnce(&mut Orders)) {
        change(&mut locked(&self.shared.orders));
    }

    pub fn seen(&self) -> Seen {
        locked(&self.shared.seen).clone()
    }

    /// Becomes another camera, from the next time it is plugged in.
    pub fn becomes(&self, model: Model) {
        *locked(&self.shared.model) = model;
    }

    /// Unplugs the camera.
    pub fn unplug(&self) {
        self.shared.unplug();
    }

    /// The bytes of this frame.
    pub fn film(&self, shot: Shot) -> Vec<u8> {
        self.shared.film.frame(shot)
    }
}

impl Drop for UsbCamera {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.unplug();
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Shared {
    fn unplug(&self) {
        if let Some(cable) = locked(&self.cable).take() {
            let _ = cable.shutdown(Shutdown::Both);
        }
    }
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen(socket: &TcpListener, shared: &Arc<Shared>) {
    for stream in socket.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let (Ok(stream), shared) = (stream, Arc::clone(shared)) else { continue };
        // The thread ends with its connection, which `unplug` closes.
        thread::spawn(move || {
            let served = serve(stream, &shared);
            // An unplugged cable is not an error.
            if let Err(error) = served.filter_pulled() {
                eprintln!("the USB camera: {error}");
            }
        });
    }
}

trait FilterPulled {
    fn filter_pulled(self) -> Self;
}

impl FilterPulled for io::Result<()> {
    fn filter_pulled(self) -> Self {
        let is_pull = |error: &io::Error| {
            matches!(
                error.kind(),
                ErrorKind::UnexpectedEof
                    | ErrorKind::BrokenPipe
                    | ErrorKind::ConnectionReset
                    | ErrorKind::NotConnected
            )
        };
        self.or_else(|error| if is_pull(&error) { Ok(()) } else { Err(error) })
    }
}

/// Serves one host: sends a list, or the device's data until it is unplugged.
fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let model = locked(&shared.model).clone();
    match usbip::request(&mut stream)? {
        Request::List => stream.write_all(&usbip::list(&model)),
        Request::Import { is_known: false } => stream.write_all(&usbip::import(None)),
        Request::Import { is_known: true } => {
            shared.unplug();
            *locked(&shared.cable) = Some(stream.try_clone()?);
            let mut seen = locked(&shared.seen);
            *seen = Seen { plugged: seen.plugged + 1, frames: seen.frames, ..Seen::default() };
            drop(seen);
            stream.write_all(&usbip::import(Some(&model)))?;
            attached(&stream, &model, shared)
        }
    }
}

/// How long a host may take for the rest of a message.
const PATIENCE: Duration = Duration::from_secs(30);
/// How soon a new order is noticed.
const LONGEST_SLEEP: Duration = Duration::from_millis(20);

/// Serves an attached device.
fn attached(mut stream: &TcpStream, model: &Model, shared: &Shared) -> io::Result<()> {
    let mut device = Device::new(model);
    let isochronous = model.isochronous();
    let is_isochronous =
        |endpoint: u8, is_in: bool| isochronous.contains(&(endpoint | u8::from(is_in) << 7));
    loop {
        feed(stream, &mut device, shared)?;
        let wait = device.idle_for(Instant::now(), LONGEST_SLEEP).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(wait))?;
        match stream.peek(&mut [0]) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                continue;
            }
            Err(error) => return Err(error),
        }
        stream.set_read_timeout(Some(PATIENCE))?;
        match usbip::command(&mut stream, is_isochronous)? {
            Command::Unlink { seqnum, of } => {
                let was_waiting = device.unlink(of);
                stream.write_all(&usbip::unlinked(seqnum, was_waiting))?;
            }
            Command::Submit(submit) => {
                let effect = device.submit(submit, &mut locked(&shared.orders));
                match effect {
                    Effect::Answered(done) => answer(stream, &device, shared, &done)?,
                    Effect::Waits => {}
                    Effect::Unplugged => {
                        shared.unplug();
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// Completes all transfers that can be.
fn feed(stream: &TcpStream, device: &mut Device, shared: &Shared) -> io::Result<()> {
    loop {
        let mut orders = locked(&shared.orders);
        let mut count = locked(&shared.seen).frames;
        let done = device.next(Instant::now(), &mut orders, &*shared.film, &mut count);
        locked(&shared.seen).frames = count;
        let is_pulled = orders.unplug == Some(Moment::InFrame) && device.is_inside_of_a_frame();
        if is_pulled {
            orders.unplug = None;
        }
        drop(orders);
        let Some(done) = done else { return Ok(()) };
        answer(stream, device, shared, &done)?;
        if is_pulled {
            shared.unplug();
        }
    }
}

fn answer(mut stream: &TcpStream, device: &Device, shared: &Shared, done: &Done) -> io::Result<()> {
    if done.submit.endpoint == 0 {
        let mut seen = locked(&shared.seen);
        (seen.controls, seen.committed) = (device.controls_set(), device.committed());
    }
    done.write_to(&mut stream)
}
