//! Memory aligned to cache lines.

/// Bytes a buffer starts at a multiple of: a cache line, and the widest vector.
const ALIGNMENT: usize = 64;

/// A zeroed slice that starts on a cache line, so that no vector straddles two.
#[derive(Debug, Default)]
pub(crate) struct Buffer<F> {
    memory: Vec<F>,
    start: usize,
    len: usize,
}

impl<F: Copy + Default> Buffer<F> {
    pub(crate) fn new(len: usize) -> Self {
        let spare = ALIGNMENT / size_of::<F>();
        let memory = vec![F::default(); len + spare];
        let start = memory.as_ptr().align_offset(ALIGNMENT).min(spare);
        Self { memory, start, len }
    }
}

impl<F> std::ops::Deref for Buffer<F> {
    type Target = [F];
    fn deref(&self) -> &[F] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl<F> std::ops::DerefMut for Buffer<F> {
    fn deref_mut(&mut self) -> &mut [F] {
        &mut self.memory[self.start..self.start + self.len]
    }
}
