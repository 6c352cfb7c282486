//! Planes that several threads read at once, and that are filled again when none of them does.

use crate::image::planes::Planes;
use std::sync::Arc;

/// The planes of one thread.
#[derive(Debug, Default)]
pub struct PlanesPool {
    planes: Vec<Arc<Planes>>,
}

impl PlanesPool {
    /// Planes that nobody reads, filled by `fill`. They are shared from then on.
    ///
    /// The pool grows to one for each rendition that is still at work, plus two.
    ///
    /// # Errors
    /// What `fill` says; the planes are not lost by it.
    ///
    /// # Panics
    /// Never: planes that were found free stay so.
    pub fn filled<E>(
        &mut self,
        fill: impl FnOnce(&mut Planes) -> Result<(), E>,
    ) -> Result<Arc<Planes>, E> {
        let free = self.planes.iter_mut().position(|planes| Arc::get_mut(planes).is_some());
        let index = free.unwrap_or_else(|| {
            self.planes.push(Arc::default());
            self.planes.len() - 1
        });
        let shared = &mut self.planes[index];
        fill(Arc::get_mut(shared).expect("found free or made just now"))?;
        Ok(Arc::clone(shared))
    }

    /// Lets go of all memory that nobody reads.
    pub fn clear(&mut self) {
        self.planes = Vec::new();
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        self.planes.iter().map(|planes| planes.packed().len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_are_filled_again_only_when_nobody_reads_them() {
        let mut pool = PlanesPool::default();
        let mut take = || pool.filled(|_| Ok::<_, ()>(())).expect("filled");
        let first = take();
        let second = take();
        assert!(!Arc::ptr_eq(&first, &second), "the first is still read");
        let address = Arc::as_ptr(&first);
        drop(first);
        assert_eq!(Arc::as_ptr(&take()), address);
        assert_eq!(pool.filled(|_| Err("no")).err(), Some("no"));
    }
}
