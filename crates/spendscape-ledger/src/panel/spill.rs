//! Beyond the memory limit: rows divided by customer into files of the scratch folder, each aggregated in memory.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use futures::{StreamExt, stream, stream::BoxStream};
use spendscape_store::{ScratchFolder, require_free_space};

use super::{
    rows::{Division, Rows},
    scan::{Counts, Producer, Scan},
};
use crate::Error;

/// Bytes of a row on disk: customer, cell and amount.
pub(crate) const ROW_BYTES: u64 = 16;

/// Rows read from a file before they are aggregated: what was written in small pieces is joined to batches of this size.
const BATCH_ROWS: usize = 8 * 1024;

/// The divided rows on disk.
#[derive(Debug)]
pub(crate) struct Spilled {
    folder: ScratchFolder,
    files: usize,
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
            (0..division.parts()).map(open).collect::<Result<_, Error>>()?;
        let work = || -> Result<Counts, Error> {
            let mut producer = Producer::new(scan.clone());
            let mut bytes = Vec::new();
            while let Some(rows) = producer.next()? {
                for (part, rows) in
                    division.divide(rows).iter().enumerate().filter(|(_, rows)| rows.len() > 0)
                {
                    rows.to_bytes(&mut bytes);
                    let mut file = files[part].lock().unwrap_or_else(PoisonError::into_inner);
                    file.0
                        .write_all(&bytes)
                        .map_err(|source| Error::Scratch { path: file_of(folder.path(), part), source })?;
                    file.1 += bytes.len() as u64;
                }
            }
            Ok(producer.into_counts())
        };
        let mut counts = Counts::default();
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.get()).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                counts.add(&worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok::<(), Error>(())
        })?;
        let mut bytes = 0;
        for (part, file) in files.iter().enumerate() {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.0.flush().map_err(|source| Error::Scratch { path: file_of(folder.path(), part), source })?;
            bytes += file.1;
        }
        let files = files.len();
        Ok(Self { folder, files, bytes, counts })
    }

    /// One stream of rows per file.
    pub(crate) fn feeds(&self) -> Vec<BoxStream<'static, Result<Rows, Error>>> {
        (0..self.files)
            .map(|part| {
                let path = file_of(self.folder.path(), part);
                // Opened when first read: there may be more files than handles.
                let mut reader: Option<BufReader<File>> = None;
                stream::poll_fn(move |_| {
                    let rows = read_rows(&path, &mut reader);
                    std::task::Poll::Ready(
                        rows.map_err(|source| Error::Scratch { path: path.clone(), source }).transpose(),
                    )
                })
                .boxed()
            })
            .collect()
    }
}

fn read_rows(path: &Path, reader: &mut Option<BufReader<File>>) -> io::Result<Option<Rows>> {
    let reader = match reader {
        Some(reader) => reader,
        None => reader.insert(BufReader::new(File::open(path)?)),
    };
    let mut rows = Rows::default();
    while rows.len() < BATCH_ROWS {
        let mut count = [0; 4];
        if let Err(error) = reader.read_exact(&mut count) {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                break;
            }
            return Err(error);
        }
        let mut bytes = vec![0; u32::from_le_bytes(count) as usize * ROW_BYTES as usize];
        reader.read_exact(&mut bytes)?;
        rows.add_bytes(&bytes);
    }
    Ok((rows.len() > 0).then_some(rows))
}

impl Rows {
    /// The number of rows, then column after column.
    fn to_bytes(&self, bytes: &mut Vec<u8>) {
        bytes.clear();
        bytes.extend_from_slice(&(self.len() as u32).to_le_bytes());
        bytes.extend(self.customers.iter().flat_map(|customer| customer.to_le_bytes()));
        bytes.extend(self.cells.iter().flat_map(|cell| cell.to_le_bytes()));
        bytes.extend(self.amounts.iter().flat_map(|amount| amount.to_le_bytes()));
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        let rows = bytes.len() / ROW_BYTES as usize;
        let (customers, rest) = bytes.split_at(rows * 4);
        let (cells, amounts) = rest.split_at(rows * 4);
        self.customers.extend(customers.as_chunks::<4>().0.iter().map(|chunk| u32::from_le_bytes(*chunk)));
        self.cells.extend(cells.as_chunks::<4>().0.iter().map(|chunk| u32::from_le_bytes(*chunk)));
        self.amounts.extend(amounts.as_chunks::<8>().0.iter().map(|chunk| i64::from_le_bytes(*chunk)));
    }
}
