//! The thread that decodes the camera's JPEGs into planes, from which all renditions start.

use super::StartError;
use super::plan::DecodeTask;
use crate::camera::complaint::Complaint;
use crate::camera::encode::EncodeError;
use crate::camera::metrics::Metrics;
use crate::clock;
use crate::image::jpeg::codec::Decoder;
use crate::image::orientation::Orientation;
use crate::image::planes::Planes;
use crate::image::planes_pool::PlanesPool;
use crate::image::turn::turn;
use crate::latest::{Latest, Reader};
use std::sync::Arc;
use std::thread;

/// Starts the thread. It ends when the slot is closed.
pub(super) fn start(metrics: &Arc<Metrics>) -> Result<Arc<Latest<DecodeTask>>, StartError> {
    let tasks = Latest::new();
    let worker = Worker {
        tasks: tasks.reader(),
        decoder: Decoder::new()?,
        lying: Planes::default(),
        pool: PlanesPool::default(),
        metrics: Arc::clone(metrics),
    };
    thread::Builder::new().name("decode".into()).spawn(move || worker.run())?;
    Ok(tasks)
}

struct Worker {
    tasks: Reader<DecodeTask>,
    decoder: Decoder,
    /// Decoded planes that still have to be turned.
    lying: Planes,
    pool: PlanesPool,
    metrics: Arc<Metrics>,
}

impl Worker {
    fn run(mut self) {
        let mut complaint = Complaint::new(Arc::clone(&self.metrics));
        while let Some(task) = self.tasks.take() {
            let outcome = self.run_once(&task);
            if let Some(status) = complaint.outcome(outcome, clock::now()) {
                task.plan.tell_made(status, &task.stream);
            }
        }
        let memory = self.pool.memory() / 1000;
        log::debug!("the camera's JPEGs are not decoded any more; the planes took {memory} kB");
    }

    fn run_once(&mut self, task: &DecodeTask) -> Result<(), EncodeError> {
        let DecodeTask { packet, orientation, stream, plan } = task;
        let facts = packet.facts;
        let Some(wanted) = plan.still_wanted(stream, facts.captured_at) else { return Ok(()) };
        let (decoder, lying) = (&mut self.decoder, &mut self.lying);
        // libjpeg-turbo can decode at a fraction of the size, which costs no more. Take the
        // smallest fraction at which the planes are still as large as every rendition.
        let at_least = orientation.size_of(wanted.at_least);
        let planes = self.pool.filled(|planes| {
            if *orientation == Orientation::UPRIGHT {
                return decoder.decode_planes(packet.payload(), at_least, planes).map(|_| ());
            }
            decoder.decode_planes(packet.payload(), at_least, lying)?;
            turn(lying, *orientation, planes);
            Ok(())
        })?;
        plan.share(&planes, facts.sequence, facts.captured_at, stream);
        Ok(())
    }
}
