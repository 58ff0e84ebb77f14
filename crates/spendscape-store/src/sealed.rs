//! Seals, which show a flipped byte: a digest of every column chunk in the footer, and a seal on the footer.
//!
//! A Parquet footer says where the columns lie, what their smallest and largest values are and, here, what the table was
//! made from: numbers that are computed with. Its seal is the digest of the footer's bytes with zeros in the seal's place.
//! A column chunk is the columns' unit of reading: a reader that skips columns or row groups compares what it reads, and
//! nothing else.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::{Buf, Bytes, buf::Reader};
use parquet::{
    arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions},
    errors::ParquetError,
    file::{
        metadata::{ParquetMetaDataReader, RowGroupMetaData},
        reader::{ChunkReader, Length},
    },
};

use crate::{
    Digest, Error, Provenance,
    damage::{parquet_error, remedy},
    file::io_error,
    hash::UNSEALED,
};

pub(crate) const PROVENANCE_KEY: &str = "spendscape.provenance";
pub(crate) const DIGEST_KEY: &str = "spendscape.digest";
pub(crate) const CHUNKS_KEY: &str = "spendscape.chunks";
pub(crate) const SEAL_KEY: &str = "spendscape.seal";

/// The seal's key in the footer, and the two bytes between it and the value: a text follows, of 64 bytes.
const SEAL_MARK: &[u8] = b"spendscape.seal\x18\x40";

/// Hexadecimal digits of a column chunk's digest: enough that damage has one chance in 2^64 to go unseen, and few enough
/// that a ledger of a thousand row groups keeps a small footer.
const CHUNK_DIGITS: usize = 16;

/// The bytes that end a Parquet file: length of the footer, and `PAR1`.
const TAIL: usize = 8;
const MAGIC: &[u8; 4] = b"PAR1";

/// Refuses bytes that have another digest than the file says.
pub(crate) fn compare(path: &Path, part: &str, expected: &str, found: &Digest) -> Result<(), Error> {
    if found.as_str().starts_with(expected) && !expected.is_empty() {
        return Ok(());
    }
    let (part, found, remedy) = (part.to_owned(), found.clone(), remedy(path));
    Err(Error::DigestMismatch { path: path.to_owned(), part, expected: expected.to_owned(), found, remedy })
}

/// The footer of a table's file, as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Footer {
    pub(crate) path: PathBuf,
    pub(crate) metadata: ArrowReaderMetadata,
    pub(crate) provenance: Provenance,
    pub(crate) digest: Digest,
    pub(crate) seal: Digest,
    layout: Arc<[Place]>,
}

/// Where a column chunk lies, and what its bytes are.
#[derive(Debug)]
struct Place {
    start: u64,
    length: usize,
    group: usize,
    column: usize,
    name: String,
    digest: String,
}

impl Footer {
    /// Opens a file and compares its footer with the seal.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let mut file = File::open(path).map_err(io_error("open", path))?;
        let bytes = read_footer(&mut file, path)?;
        let at = seal_place(&bytes).ok_or_else(|| unsealed(path))?;
        let said = String::from_utf8_lossy(&bytes[at..at + UNSEALED.len()]).into_owned();
        let seal = unsealed_digest(&bytes, at);
        compare(path, "footer", &said, &seal)?;
        let refuse = |source| parquet_error(path, source);
        let metadata = ParquetMetaDataReader::decode_metadata(&bytes).map_err(refuse)?;
        let metadata =
            ArrowReaderMetadata::try_new(Arc::new(metadata), ArrowReaderOptions::new()).map_err(refuse)?;
        let entry = |key: &str| {
            let pairs = metadata.metadata().file_metadata().key_value_metadata()?;
            pairs.iter().find(|pair| pair.key == key)?.value.clone()
        };
        let json = |what| move |source| Error::Json { path: path.to_owned(), what, source };
        let provenance = serde_json::from_str(&entry(PROVENANCE_KEY).unwrap_or_default())
            .map_err(json("its provenance"))?;
        let digest = serde_json::from_value(serde_json::Value::from(entry(DIGEST_KEY).unwrap_or_default()))
            .map_err(json("its digest"))?;
        let layout = layout(metadata.metadata().row_groups(), &entry(CHUNKS_KEY).unwrap_or_default());
        Ok(Self { path: path.to_owned(), metadata, provenance, digest, seal, layout })
    }

    /// The column chunks of the file.
    pub(crate) fn chunks(&self) -> Result<Chunks, Error> {
        let file = File::open(&self.path).map_err(io_error("open", &self.path))?;
        let size = file.metadata().map_err(io_error("read", &self.path))?.len();
        let inner = Inner {
            path: self.path.clone(),
            size,
            layout: self.layout.clone(),
            state: Mutex::new(State { file, held: BTreeMap::new(), refused: None }),
        };
        Ok(Chunks(Arc::new(inner)))
    }

    /// Compares every column chunk with its digest.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let chunks = self.chunks()?;
        let mut state = chunks.state();
        self.layout.iter().try_for_each(|place| state.load(&self.path, place).map(drop))
    }
}

/// Reads the bytes of a Parquet footer.
fn read_footer(file: &mut File, path: &Path) -> Result<Vec<u8>, Error> {
    let size = file.metadata().map_err(io_error("read", path))?.len();
    if size == 0 {
        return Err(Error::Empty { path: path.to_owned(), remedy: remedy(path) });
    }
    let damaged = |what: &str| parquet_error(path, ParquetError::EOF(what.to_owned()));
    let mut read = |back: u64, length: usize| -> Result<Vec<u8>, Error> {
        let start = size.checked_sub(back).ok_or_else(|| damaged("it is shorter than its footer"))?;
        let mut bytes = vec![0; length];
        file.seek(SeekFrom::Start(start)).map_err(io_error("read", path))?;
        file.read_exact(&mut bytes).map_err(io_error("read", path))?;
        Ok(bytes)
    };
    let tail = read(TAIL as u64, TAIL)?;
    let (length, magic) = tail.split_at(TAIL - MAGIC.len());
    if magic != MAGIC {
        return Err(damaged("it does not end with PAR1"));
    }
    let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
    let back = u64::from(length) + TAIL as u64;
    if back > size {
        return Err(damaged("it is shorter than its footer"));
    }
    read(back, length as usize)
}

fn unsealed(path: &Path) -> Error {
    Error::Unsealed { path: path.to_owned(), remedy: remedy(path) }
}

/// Where the seal lies in the bytes of a footer.
fn seal_place(footer: &[u8]) -> Option<usize> {
    let mark = footer.windows(SEAL_MARK.len()).rposition(|bytes| bytes == SEAL_MARK)?;
    let at = mark + SEAL_MARK.len();
    (at + UNSEALED.len() <= footer.len()).then_some(at)
}

fn unsealed_digest(footer: &[u8], at: usize) -> Digest {
    let mut bytes = footer.to_vec();
    bytes[at..at + UNSEALED.len()].copy_from_slice(UNSEALED.as_bytes());
    Digest::of(&bytes)
}

/// Seals the footer of a file that was written with [`UNSEALED`].
pub(crate) fn seal(file: &mut File, path: &Path) -> Result<(), Error> {
    let footer = read_footer(file, path)?;
    let at = seal_place(&footer).ok_or_else(|| unsealed(path))?;
    let back = (footer.len() - at + TAIL) as i64;
    file.seek(SeekFrom::End(-back))
        .and_then(|_| file.write_all(unsealed_digest(&footer, at).as_str().as_bytes()))
        .map_err(io_error("write", path))
}

/// The digests of the column chunks that were written, one after the other.
pub(crate) fn chunk_digests(
    file: &mut File,
    path: &Path,
    groups: &[RowGroupMetaData],
) -> Result<String, Error> {
    let mut digests = String::new();
    for column in groups.iter().flat_map(RowGroupMetaData::columns) {
        let (start, length) = column.byte_range();
        digests.push_str(&read_chunk(file, path, start, length as usize)?.1.as_str()[..CHUNK_DIGITS]);
    }
    Ok(digests)
}

fn read_chunk(file: &mut File, path: &Path, start: u64, length: usize) -> Result<(Vec<u8>, Digest), Error> {
    let mut bytes = Vec::with_capacity(length);
    file.seek(SeekFrom::Start(start)).map_err(io_error("read", path))?;
    file.take(length as u64).read_to_end(&mut bytes).map_err(io_error("read", path))?;
    let digest = Digest::of(&bytes);
    Ok((bytes, digest))
}

fn layout(groups: &[RowGroupMetaData], digests: &str) -> Arc<[Place]> {
    let mut places = Vec::new();
    for (group, columns) in groups.iter().map(RowGroupMetaData::columns).enumerate() {
        for (column, chunk) in columns.iter().enumerate() {
            let (start, length) = chunk.byte_range();
            let from = places.len() * CHUNK_DIGITS;
            places.push(Place {
                start,
                length: length as usize,
                group,
                column,
                name: chunk.column_path().string(),
                // Without its digest a chunk is refused: an empty text is no digest.
                digest: digests.get(from..from + CHUNK_DIGITS).unwrap_or_default().to_owned(),
            });
        }
    }
    places.sort_unstable_by_key(|place| place.start);
    places.into()
}

/// The bytes of a table's column chunks for Parquet's readers, each compared with its digest before any of it is handed
/// out. What is decoded are the very bytes that were compared. Of every column the chunk read last is kept in memory.
#[derive(Debug, Clone)]
pub struct Chunks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    size: u64,
    layout: Arc<[Place]>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// Row group and bytes of the last chunk of each column.
    held: BTreeMap<usize, (usize, Bytes)>,
    refused: Option<Error>,
}

impl State {
    fn load(&mut self, path: &Path, place: &Place) -> Result<Bytes, Error> {
        let (bytes, digest) = read_chunk(&mut self.file, path, place.start, place.length)?;
        let part = format!("column {} of row group {}", place.name, place.group);
        compare(path, &part, &place.digest, &digest)?;
        Ok(bytes.into())
    }
}

impl Chunks {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why bytes were refused, if they were.
    pub(crate) fn refused(&self) -> Option<Error> {
        self.state().refused.take()
    }

    /// The rest of its column chunk from `at` on.
    fn rest(&self, at: u64) -> Result<Bytes, ParquetError> {
        let Inner { path, layout, .. } = &*self.0;
        let after = layout.partition_point(|place| place.start <= at);
        let place = after.checked_sub(1).map(|place| &layout[place]);
        let place = place.filter(|place| at - place.start <= place.length as u64);
        let place = place.ok_or_else(|| ParquetError::EOF(format!("no column lies at byte {at}")))?;
        let mut state = self.state();
        let bytes = match state.held.get(&place.column) {
            Some((group, bytes)) if *group == place.group => bytes.clone(),
            _ => match state.load(path, place) {
                Ok(bytes) => {
                    state.held.insert(place.column, (place.group, bytes.clone()));
                    bytes
                }
                Err(error) => {
                    let told = ParquetError::General(error.to_string());
                    state.refused = Some(error);
                    return Err(told);
                }
            },
        };
        Ok(bytes.slice((at - place.start) as usize..))
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.size
    }
}

impl ChunkReader for Chunks {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.rest(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut rest = self.rest(start)?;
        if rest.len() < length {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} reach beyond the column")));
        }
        rest.truncate(length);
        Ok(rest)
    }
}
