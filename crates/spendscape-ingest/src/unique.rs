//! Whether any transaction id stands twice, in bounded memory.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use spendscape_store::ScratchFolder;

use crate::Error;

/// Ids held in memory before they are moved to files: 24 bytes each, some 100 MB.
const IN_MEMORY: usize = 1 << 22;

/// Files that ids are divided into by their hash; each is checked on its own.
const FILES: usize = 64;

/// Bytes of an id on disk: its hash and the number of its row.
const ID_BYTES: usize = 24;

/// An id's hash, which does not collide by chance, and the number of its row.
pub(crate) type Id = ([u64; 2], u64);

/// The id of a row.
pub(crate) fn id_of(id: &[u8], row: u64) -> Id {
    let hash = blake3::hash(id);
    let word = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.as_bytes()[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    ([word(0), word(8)], row)
}

/// Collects the ids of a ledger.
#[derive(Debug)]
pub(crate) struct Unique {
    scratch: PathBuf,
    in_memory: usize,
    ids: Vec<Id>,
    spilled: Option<(ScratchFolder, Vec<BufWriter<File>>)>,
}

impl Unique {
    pub(crate) fn new(scratch: &Path) -> Self {
        Self::with_room(scratch, IN_MEMORY)
    }

    fn with_room(scratch: &Path, in_memory: usize) -> Self {
        Self { scratch: scratch.to_owned(), in_memory, ids: Vec::new(), spilled: None }
    }

    pub(crate) fn add(&mut self, id: Id) -> Result<(), Error> {
        self.ids.push(id);
        if self.ids.len() >= self.in_memory { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), Error> {
        if self.spilled.is_none() {
            let folder = ScratchFolder::create(&self.scratch)?;
            let mut files = Vec::with_capacity(FILES);
            for file in 0..FILES {
                let path = folder.path().join(format!("ids-{file}"));
                files.push(BufWriter::new(
                    File::create(&path).map_err(|source| Error::Scratch { path, source })?,
                ));
            }
            self.spilled = Some((folder, files));
        }
        let Some((folder, files)) = &mut self.spilled else { return Ok(()) };
        for ([high, low], row) in self.ids.drain(..) {
            let file = &mut files[high as usize % FILES];
            for word in [high, low, row] {
                file.write_all(&word.to_le_bytes())
                    .map_err(|source| Error::Scratch { path: folder.path().to_owned(), source })?;
            }
        }
        Ok(())
    }

    /// The first row whose id stood before, and the row where it stood.
    pub(crate) fn first_repeat(self) -> Result<Option<(u64, u64)>, Error> {
        let mut first: Option<(u64, u64)> = None;
        self.visit_repeats(|again, before| {
            first = Some(first.map_or((again, before), |known| known.min((again, before))));
        })?;
        Ok(first)
    }

    /// Calls `visit` with every row whose id stood before, and the last row before it where it stood.
    pub(crate) fn visit_repeats(mut self, mut visit: impl FnMut(u64, u64)) -> Result<(), Error> {
        if self.spilled.is_none() {
            repeats(&mut self.ids, &mut visit);
            return Ok(());
        }
        self.spill()?;
        let Some((folder, files)) = self.spilled else { return Ok(()) };
        for (number, file) in files.into_iter().enumerate() {
            let path = folder.path().join(format!("ids-{number}"));
            let read = || -> std::io::Result<Vec<Id>> {
                drop(file.into_inner()?);
                let mut bytes = Vec::new();
                BufReader::new(File::open(&path)?).read_to_end(&mut bytes)?;
                let word = |chunk: &[u8; ID_BYTES], at: usize| {
                    let mut word = [0; 8];
                    word.copy_from_slice(&chunk[8 * at..8 * at + 8]);
                    u64::from_le_bytes(word)
                };
                let ids = bytes.as_chunks::<ID_BYTES>().0;
                Ok(ids.iter().map(|chunk| ([word(chunk, 0), word(chunk, 1)], word(chunk, 2))).collect())
            };
            let mut ids = read().map_err(|source| Error::Scratch { path: path.clone(), source })?;
            repeats(&mut ids, &mut visit);
        }
        Ok(())
    }
}

fn repeats(ids: &mut [Id], visit: &mut impl FnMut(u64, u64)) {
    ids.sort_unstable();
    for pair in ids.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        visit(pair[1].1, pair[0].1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_repeat_is_found_in_memory_and_through_files() {
        let folder = tempfile::tempdir().unwrap();
        for room in [1, 7, 1000] {
            let mut unique = Unique::with_room(folder.path(), room);
            for row in 0..100 {
                // Rows 60 and 70 repeat rows 3 and 2.
                let id = match row {
                    60 => 3,
                    70 => 2,
                    other => other,
                };
                unique.add(id_of(format!("t{id}").as_bytes(), row)).unwrap();
            }
            assert_eq!(unique.first_repeat().unwrap(), Some((60, 3)), "room for {room}");
            let mut unique = Unique::with_room(folder.path(), room);
            (0..100).for_each(|row| unique.add(id_of(row.to_string().as_bytes(), row)).unwrap());
            assert_eq!(unique.first_repeat().unwrap(), None);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
