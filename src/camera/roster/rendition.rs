//! A rendition: a form that is encoded, its viewers, and the thread that encodes it.

use super::StartError;
use super::inbox::Inbox;
use super::wish::Form;
use crate::camera::complaint::Complaint;
use crate::camera::encode::{EncodeError, Encoding, Recipe};
use crate::camera::figures::Figures;
use crate::camera::metrics::Metrics;
use crate::camera::strips::EncodeThreads;
use crate::camera::update::{StreamFacts, Update};
use crate::clock;
use crate::image::frame::Micros;
use crate::image::planes::Planes;
use crate::latest::{Latest, Reader};
use crate::wire::packet::{FrameFacts, Packet};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A rendition with a fixed set of viewers. When the viewers change, a new one takes over the
/// thread.
#[derive(Debug)]
pub(super) struct Rendition {
    /// For the log. No other rendition has this number, nor has one whose thread is just ending.
    pub(super) number: usize,
    pub(super) recipe: Recipe,
    pub(super) inboxes: Vec<Arc<Inbox>>,
    /// The slot from which its thread takes frames.
    pub(super) tasks: Arc<Latest<EncodeTask>>,
}

/// Planes of which a rendition is to be made.
#[derive(Debug, Clone)]
pub(super) struct EncodeTask {
    rendition: Arc<Rendition>,
    planes: Arc<Planes>,
    sequence: u64,
    captured_at: Micros,
    stream: Arc<StreamFacts>,
}

/// How often the figures are logged at debug level while a rendition is watched.
const REPORT_EVERY: Duration = Duration::from_secs(10);

impl Rendition {
    fn form(&self) -> Form {
        Form::Made(self.recipe)
    }

    /// Whether the frame captured `at` is due for any viewer. Must be called once for each frame,
    /// in the order of capture.
    pub(super) fn is_due(&self, stream: &Arc<StreamFacts>, at: Micros) -> bool {
        // Ask every inbox, without stopping at the first: each learns the frame rate from every
        // frame.
        self.inboxes.iter().fold(false, |due, inbox| inbox.is_due(self.form(), stream, at) | due)
    }

    /// Whether the frame is still due. Since it was handed over, its viewers may have left or got a
    /// newer frame.
    pub(super) fn is_still_due(&self, stream: &Arc<StreamFacts>, at: Micros) -> bool {
        self.inboxes.iter().any(|inbox| inbox.is_still_due(self.form(), stream, at))
    }

    /// Hands planes to the thread, if the frame is still due.
    pub(super) fn make_of(
        self: &Arc<Self>,
        planes: &Arc<Planes>,
        sequence: u64,
        captured_at: Micros,
        stream: &Arc<StreamFacts>,
    ) {
        if self.is_still_due(stream, captured_at) {
            self.tasks.publish(EncodeTask {
                rendition: Arc::clone(self),
                planes: Arc::clone(planes),
                sequence,
                captured_at,
                stream: Arc::clone(stream),
            });
        }
    }

    /// Tells its viewers why they get no frames.
    pub(super) fn tell(&self, status: &Update, stream: &Arc<StreamFacts>) {
        for inbox in &self.inboxes {
            inbox.tell_of(self.form(), stream, status);
        }
    }

    fn publish(&self, packet: &Arc<Packet>, stream: &Arc<StreamFacts>) {
        for inbox in &self.inboxes {
            inbox.offer(self.form(), packet, stream);
        }
    }
}

/// Starts the thread of rendition `number`. It ends when the slot is closed.
pub(super) fn start(
    number: usize,
    recipe: Recipe,
    threads: &Arc<EncodeThreads>,
    metrics: &Arc<Metrics>,
) -> Result<Arc<Latest<EncodeTask>>, StartError> {
    let tasks = Latest::new();
    let worker = Worker {
        number,
        tasks: tasks.reader(),
        encoding: Encoding::new(recipe, threads)?,
        figures: Figures::new(clock::now()),
        next_report: REPORT_EVERY,
        metrics: Arc::clone(metrics),
    };
    thread::Builder::new().name(format!("rendition {number}")).spawn(move || worker.run())?;
    log::debug!("rendition {number} begins: {recipe}");
    Ok(tasks)
}

struct Worker {
    number: usize,
    tasks: Reader<EncodeTask>,
    encoding: Encoding,
    figures: Figures,
    /// The age of the figures at which they are logged next.
    next_report: Duration,
    metrics: Arc<Metrics>,
}

impl Worker {
    fn run(mut self) {
        let mut complaint = Complaint::new(Arc::clone(&self.metrics));
        while let Some(task) = self.tasks.take() {
            let outcome = self.run_once(&task);
            if let Some(status) = complaint.outcome(outcome, clock::now()) {
                task.rendition.tell(status, &task.stream);
            }
        }
        self.report(self.figures.level(), "has no viewers any more");
    }

    fn run_once(&mut self, task: &EncodeTask) -> Result<(), EncodeError> {
        let EncodeTask { rendition, planes, sequence, captured_at, stream } = task;
        if !rendition.is_still_due(stream, *captured_at) {
            return Ok(());
        }
        self.follow(rendition.recipe)?;
        let (started, cpu) = (clock::now(), clock::of_this_thread());
        let Recipe { coding, size } = rendition.recipe;
        let facts = FrameFacts {
            sequence: *sequence,
            captured_at: *captured_at,
            codec: coding.codec(),
            size,
        };
        let packet = self.encoding.encode(planes, facts)?;
        let (ended, cpu) = (clock::now(), clock::of_this_thread() - cpu + self.encoding.helped());
        self.figures.count(packet.payload().len(), started, ended);
        self.figures.count_cpu(cpu);
        self.metrics.encoded(ended.since(started), cpu);
        rendition.publish(&packet, stream);
        if self.figures.age() >= self.next_report {
            self.next_report += REPORT_EVERY;
            self.report(log::Level::Debug, "so far");
        }
        Ok(())
    }

    /// Changes the recipe: the camera's pictures have another size now.
    fn follow(&mut self, recipe: Recipe) -> Result<(), EncodeError> {
        if recipe != self.encoding.recipe() {
            self.report(log::Level::Debug, "changes");
            self.encoding.follow(recipe)?;
            self.figures = Figures::new(clock::now());
            self.next_report = REPORT_EVERY;
        }
        Ok(())
    }

    fn report(&mut self, level: log::Level, occasion: &str) {
        self.figures.memory = self.encoding.memory();
        let (number, recipe, figures) = (self.number, self.encoding.recipe(), &self.figures);
        log::log!(level, "rendition {number} {occasion}: {recipe}, {figures}");
    }
}
