//! One rendition's thread: takes the newest planes, encodes them, publishes the packet.

use super::decode::StartError;
use super::plan::Rendition;
use crate::camera::complaint::Complaint;
use crate::camera::encode::{EncodeError, Encoding, Recipe};
use crate::camera::figures::Figures;
use crate::camera::metrics::Metrics;
use crate::camera::update::StreamFacts;
use crate::image::frame::Micros;
use crate::image::planes::Planes;
use crate::latest::{Latest, Reader};
use crate::source::clock;
use crate::wire::packet::FrameFacts;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Planes that a rendition is to be made of.
#[derive(Debug, Clone)]
pub(super) struct EncodeTask {
    pub(super) rendition: Arc<Rendition>,
    pub(super) planes: Arc<Planes>,
    pub(super) sequence: u64,
    pub(super) captured_at: Micros,
    pub(super) stream: Arc<StreamFacts>,
}

/// How often the figures are told while a rendition is watched, to those who read the log so closely.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// Starts the thread of rendition `number`; it ends when the slot is closed.
pub(super) fn start(
    number: usize,
    recipe: Recipe,
    metrics: &Arc<Metrics>,
) -> Result<Arc<Latest<EncodeTask>>, StartError> {
    let tasks = Latest::new();
    let worker = Worker {
        number,
        tasks: tasks.reader(),
        encoding: Encoding::new(recipe)?,
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
    /// At which age of the figures.
    next_report: Duration,
    metrics: Arc<Metrics>,
}

impl Worker {
    fn run(mut self) {
        let mut complaint = Complaint::new(Arc::clone(&self.metrics));
        while let Some(task) = self.tasks.take() {
            let outcome = self.run_once(&task);
            if outcome.is_err() {
                self.metrics.failed(1);
            }
            let trouble = outcome.err().map(|error| error.to_string());
            if let Some(status) = complaint.note(trouble, clock::now()) {
                task.rendition.tell(status, &task.stream);
            }
        }
        self.report(self.figures.level(), "is no longer watched");
    }

    fn run_once(&mut self, task: &EncodeTask) -> Result<(), EncodeError> {
        let EncodeTask { rendition, planes, sequence, captured_at, stream } = task;
        // Those who wanted it may have left, or had enough, since it was handed over.
        if !rendition.wants(stream, *captured_at) {
            return Ok(());
        }
        self.follow(rendition.recipe)?;
        let started = clock::now();
        let Recipe { coding, size } = rendition.recipe;
        let facts = FrameFacts {
            sequence: *sequence,
            captured_at: *captured_at,
            codec: coding.codec(),
            size,
        };
        let packet = self.encoding.encode(planes, facts)?;
        let ended = clock::now();
        self.figures.count(packet.payload().len(), started, ended);
        self.metrics.encoded(ended.since(started));
        rendition.publish(&packet, stream);
        if self.figures.age() >= self.next_report {
            self.next_report += REPORT_EVERY;
            self.report(log::Level::Debug, "so far");
        }
        Ok(())
    }

    /// The camera's pictures have another size now, and so have these.
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
