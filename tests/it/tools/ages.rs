//! A native viewer on a LAN that notes how old its frames are when they come. Both machines have one clock.

use crate::tools::keyed_camera::Keyed;
use crate::tools::lan::{Lan, Machine};
use crate::tools::tls_client::TlsClient;
use crate::tools::until::wait_until;
use lancam::clock;
use lancam::net::tls::handshake::Accepts;
use std::fmt;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// It watches until it is dropped.
pub struct Watcher {
    /// The number of each frame, and its age.
    seen: Arc<Mutex<Vec<(u64, Duration)>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// How old the frames of some time were.
#[derive(Debug, Clone, Copy)]
pub struct Ages {
    pub p50: Duration,
    pub p95: Duration,
    pub frames: u64,
    /// How many the camera has made besides.
    pub lost: u64,
}

impl Watcher {
    /// Watches with a key from the LAN's machine for viewers.
    pub fn start(lan: &Lan, camera: &Keyed, key: &str) -> Self {
        let (to, pin, key) = (camera.on_lan(), camera.pin(), key.to_owned());
        let seen: Arc<Mutex<Vec<_>>> = Arc::default();
        let is_over: Arc<AtomicBool> = Arc::default();
        let (notes, ends) = (Arc::clone(&seen), Arc::clone(&is_over));
        let thread = lan.inside(Machine::Desk, move || {
            // The camera may not know its newest key yet.
            let mut client = wait_until("the camera knows the key", || {
                let stream = TcpStream::connect(to).expect("connects");
                let mut client = TlsClient::over(stream, Accepts::Only(pin)).expect("the camera");
                client.greet_with(&key);
                client.is_welcome().then_some(client)
            });
            while !ends.load(Ordering::SeqCst) {
                let facts = client.frame_facts();
                let age = clock::now().since(facts.captured_at);
                notes.lock().expect("no panic").push((facts.sequence, age));
            }
        });
        Self { seen, is_over, thread: Some(thread) }
    }

    /// The ages of the frames that come while `work` is done.
    pub fn during(&self, work: impl FnOnce()) -> Ages {
        let first = self.count();
        work();
        let seen = self.seen.lock().expect("no panic")[first..].to_vec();
        let frames = seen.len() as u64;
        let made = seen[seen.len() - 1].0 - seen[0].0 + 1;
        let mut ages: Vec<Duration> = seen.into_iter().map(|(_, age)| age).collect();
        ages.sort();
        let part = |percent| ages[ages.len() * percent / 100];
        Ages { p50: part(50), p95: part(95), frames, lost: made - frames }
    }

    /// Waits for so many frames more.
    pub fn wait_for_frames(&self, count: usize) {
        let until = self.count() + count;
        wait_until("frames", || (self.count() >= until).then_some(()));
    }

    fn count(&self) -> usize {
        self.seen.lock().expect("no panic").len()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // When a test has failed, this fails too.
        drop(self.thread.take().map(JoinHandle::join));
    }
}

impl Ages {
    /// How many of the camera's frames did not come.
    pub fn lost_share(&self) -> f64 {
        self.lost as f64 / (self.frames + self.lost) as f64
    }
}

impl fmt::Display for Ages {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p95, frames, lost } = self;
        write!(out, "p50 {p50:.1?}, p95 {p95:.1?} of {frames} frames, {lost} lost")
    }
}
