//! Beyond the memory limit: rows divided by customer into files of the scratch folder, each aggregated in memory.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use spendscape_store::{ScratchFolder, require_free_space};

use super::{
    rows::{Division, Rows},
    scan::{Counts, Scan},
    threads::scan_all,
};
use crate::Error;

/// Bytes of a row on disk: customer, cell and amount.
pub(crate) const ROW_BYTES: u64 = 16;

/// The divided rows on disk.
#[derive(Debug)]
pub(crate) struct Spilled {
    folder: ScratchFolder,
    pub(crate) division: Division,
    pub(crate) bytes: u64,
    pub(crate) counts: Counts,
}

fn file_of(folder: &Path, part: usize) -> PathBuf {
    folder.join(format!("part-{part}"))
}

impl Spilled {
    /// Scans the ledger and writes every row that counts into the file of its part.
    pub(crate) fn write(
        scan: &Arc<Scan>,
        division: Division,
        threads: NonZeroUsize,
        scratch: &Path,
    ) -> Result<Self, Error> {
        require_free_space(scratch, scan.ledger.rows * ROW_BYTES)?;
        let folder = ScratchFolder::create(scratch)?;
        let open = |part| {
            let path = file_of(folder.path(), part);
            let file = File::create(&path).map_err(|source| Error::Scratch { path, source })?;
            Ok(Mutex::new((BufWriter::new(file), 0)))
        };
        let files: Vec<Mutex<(BufWriter<File>, u64)>> =
            (0..division.parts as usize).map(open).collect::<Result<_, Error>>()?;
        let write = |part: usize, rows: &Rows| {
            let bytes = rows.to_bytes();
            let mut file = files[part].lock().unwrap_or_else(PoisonError::into_inner);
            file.0
                .write_all(&bytes)
                .map_err(|source| Error::Scratch { path: file_of(folder.path(), part), source })?;
            file.1 += bytes.len() as u64;
            Ok::<_, Error>(())
        };
        let counts = scan_all(scan, threads, |worker, producer| {
            let parts = division.parts as usize;
            while let Some(rows) = producer.next()? {
                let divided = division.divide(&rows);
                // Each thread begins with another part, so that they seldom meet.
                for part in (0..parts).map(|step| (worker * parts / threads.get() + step) % parts) {
                    if divided[part].len() > 0 {
                        write(part, &divided[part])?;
                    }
                }
            }
            Ok(())
        })?;
        let mut bytes = 0;
        for (part, file) in files.iter().enumerate() {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.0.flush().map_err(|source| Error::Scratch { path: file_of(folder.path(), part), source })?;
            bytes += file.1;
        }
        Ok(Self { folder, division, bytes, counts })
    }

    /// Reads the rows of a part in pieces.
    pub(crate) fn read(&self, part: usize, mut visit: impl FnMut(&Rows)) -> Result<(), Error> {
        let path = file_of(self.folder.path(), part);
        let failed = |source| Error::Scratch { path: path.clone(), source };
        let mut reader = BufReader::new(File::open(&path).map_err(failed)?);
        while let Some(rows) = read_rows(&mut reader).map_err(failed)? {
            visit(&rows);
        }
        Ok(())
    }
}

/// The next piece, as it was written; `None` at the end of the file.
fn read_rows(reader: &mut impl Read) -> io::Result<Option<Rows>> {
    let mut count = [0; 4];
    match reader.read_exact(&mut count) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut bytes = vec![0; u32::from_le_bytes(count) as usize * ROW_BYTES as usize];
    reader.read_exact(&mut bytes)?;
    Ok(Some(Rows::from_bytes(&bytes)))
}

impl Rows {
    /// The number of rows, then column after column.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 + self.len() * ROW_BYTES as usize);
        bytes.extend_from_slice(&(self.len() as u32).to_le_bytes());
        bytes.extend(self.customers.iter().flat_map(|customer| customer.to_le_bytes()));
        bytes.extend(self.cells.iter().flat_map(|cell| cell.to_le_bytes()));
        bytes.extend(self.amounts.iter().flat_map(|amount| amount.to_le_bytes()));
        bytes
    }

    /// What [`Self::to_bytes`] wrote after the number.
    fn from_bytes(bytes: &[u8]) -> Self {
        let rows = bytes.len() / ROW_BYTES as usize;
        let (customers, rest) = bytes.split_at(rows * 4);
        let (cells, amounts) = rest.split_at(rows * 4);
        Self {
            customers: customers.as_chunks().0.iter().map(|chunk| u32::from_le_bytes(*chunk)).collect(),
            cells: cells.as_chunks().0.iter().map(|chunk| u32::from_le_bytes(*chunk)).collect(),
            amounts: amounts.as_chunks().0.iter().map(|chunk| i64::from_le_bytes(*chunk)).collect(),
        }
    }
}
