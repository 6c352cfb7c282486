//! A pool of planes that several threads read at once, and that are reused when none of them does.

use super::planes::Planes;
use std::sync::Arc;

/// The pool of one thread.
#[derive(Debug, Default)]
pub struct PlanesPool {
    planes: Vec<Arc<Planes>>,
}

impl PlanesPool {
    /// Takes planes that nobody reads and fills them by `fill`. From then on they are shared.
    ///
    /// The pool grows to the number of renditions that are still at work, plus two.
    ///
    /// # Errors
    /// Those of `fill`; the planes stay in the pool.
    ///
    /// # Panics
    /// Never: planes that were found free stay free.
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

    /// Takes planes that nobody reads out of the pool, to be filled bit by bit.
    /// [`give_back`](Self::give_back) returns them.
    pub fn take(&mut self) -> Arc<Planes> {
        let free = self.planes.iter_mut().position(|planes| Arc::get_mut(planes).is_some());
        free.map(|index| self.planes.swap_remove(index)).unwrap_or_default()
    }

    /// Puts planes into the pool. Other threads may still read them; they are reused when none
    /// does.
    pub fn give_back(&mut self, planes: Arc<Planes>) {
        self.planes.push(planes);
    }

    /// Releases all planes.
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

    #[test]
    fn planes_that_were_taken_come_back_and_are_taken_again() {
        let mut pool = PlanesPool::default();
        let taken = pool.take();
        let address = Arc::as_ptr(&taken);
        let reader = Arc::clone(&taken);
        pool.give_back(taken);
        assert_ne!(Arc::as_ptr(&pool.take()), address, "somebody reads them");
        drop(reader);
        assert_eq!(Arc::as_ptr(&pool.take()), address);
    }
}
