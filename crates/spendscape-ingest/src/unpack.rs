//! The bytes of a text file: unpacked, and as UTF-8.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::Path,
};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;

use spendscape_store::DigestedFile;

use super::encoding::{Decoded, Encoding};
use crate::Error;

/// Bytes read at a time.
pub(crate) const BLOCK: usize = 64 * 1024;

/// Bytes that tell what a file is.
const MAGIC: usize = 10;

/// Bytes of the longest byte order mark.
const LONGEST_MARK: usize = 3;

type Source = Box<dyn Read + Send>;

/// A source whose first bytes were looked at.
type Peeked<R> = io::Chain<Cursor<Vec<u8>>, R>;

/// The text of a file from some line on.
pub(crate) struct Text {
    source: BufReader<Form>,
    /// Bytes of the lines that were skipped.
    skipped: u64,
}

enum Form {
    Utf8(Source),
    Other(Box<Decoded<Source>>),
}

impl Read for Form {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Utf8(source) => source.read(buffer),
            Self::Other(source) => source.read(buffer),
        }
    }
}

impl Text {
    /// Opens a file, whose first bytes tell its compression whatever its name, and its encoding if they are a byte order mark.
    pub(crate) fn open(path: &Path, encoding: Encoding) -> Result<Self, Error> {
        Self::new(path, Self::file(path)?, encoding, LONGEST_MARK, |_| None)
    }

    /// As [`Self::open`], and the file, whose digest is taken as it is read.
    pub(crate) fn open_digested(path: &Path, encoding: Encoding) -> Result<(Self, DigestedFile), Error> {
        let file = DigestedFile::new(Self::file(path)?);
        Ok((Self::new(path, file.clone(), encoding, LONGEST_MARK, |_| None)?, file))
    }

    fn file(path: &Path) -> Result<File, Error> {
        File::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })
    }

    /// As [`Self::open`]; without a mark, what `declared` finds in the first bytes, so many, tells the encoding.
    pub(crate) fn open_declared(
        path: &Path,
        encoding: Encoding,
        bytes: usize,
        declared: impl Fn(&[u8]) -> Option<Encoding>,
    ) -> Result<Self, Error> {
        Self::new(path, Self::file(path)?, encoding, bytes, declared)
    }

    fn new(
        path: &Path,
        file: impl Read + Send + 'static,
        encoding: Encoding,
        bytes: usize,
        declared: impl Fn(&[u8]) -> Option<Encoding>,
    ) -> Result<Self, Error> {
        let read = |source| Error::Read { path: path.to_owned(), source };
        let (start, file) = peek(file, MAGIC).map_err(read)?;
        let refuse = |what| Err(Error::NoText { path: path.to_owned(), what });
        let unpacked: Source = match start.as_slice() {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BLOCK, file))),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                Box::new(zstd::Decoder::with_buffer(BufReader::with_capacity(BLOCK, file)).map_err(read)?)
            }
            // A block or, in an archive of nothing, its end follows the size.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => {
                Box::new(MultiBzDecoder::new(BufReader::with_capacity(BLOCK, file)))
            }
            [b'P', b'K', 3, 4, ..] => {
                return refuse("a ZIP archive or a workbook: unpack it, or save it as CSV");
            }
            [0xfd, b'7', b'z', b'X', b'Z', ..] => return refuse("compressed by xz: unpack it"),
            [b'P', b'A', b'R', b'1', ..] => {
                return refuse("a Parquet file: set `source.format = \"parquet\"`");
            }
            [0xd0, 0xcf, 0x11, 0xe0, ..] => return refuse("a workbook of an old Excel: save it as CSV"),
            [b'%', b'P', b'D', b'F', b'-', ..] => return refuse("a PDF document"),
            _ => Box::new(file),
        };
        let (start, mut unmarked) = peek(unpacked, bytes.max(LONGEST_MARK)).map_err(read)?;
        let own = || (declared(&start).unwrap_or(encoding), 0);
        let (encoding, mark) = Encoding::of_mark(&start).unwrap_or_else(own);
        unmarked.get_mut().0.set_position(mark as u64);
        let source: Source = Box::new(unmarked);
        let form = match encoding.is_utf8() {
            true => Form::Utf8(source),
            false => Form::Other(Box::new(Decoded::new(source, encoding))),
        };
        Ok(Self { source: BufReader::with_capacity(BLOCK, form), skipped: 0 })
    }

    /// Leaves lines out; `false` if the text ends before.
    pub(crate) fn skip_lines(&mut self, lines: u64) -> io::Result<bool> {
        for _ in 0..lines {
            // Up to a line end, which is a line feed, a carriage return or both.
            let found = loop {
                let block = self.source.fill_buf()?;
                let end = memchr::memchr2(b'\n', b'\r', block);
                let found = end.map(|at| block[at]);
                let (used, is_empty) = (end.map_or(block.len(), |at| at + 1), block.is_empty());
                self.consume(used);
                if found.is_some() || is_empty {
                    break found;
                }
            };
            match found {
                None => return Ok(false),
                Some(b'\r') if self.source.fill_buf()?.first() == Some(&b'\n') => self.consume(1),
                Some(_) => {}
            }
        }
        Ok(true)
    }

    fn consume(&mut self, bytes: usize) {
        self.source.consume(bytes);
        self.skipped += bytes as u64;
    }

    /// The places before an offset behind the skipped lines where something did not decode, which are then forgotten.
    pub(crate) fn malformed_before(&mut self, to: u64) -> Vec<u64> {
        let Form::Other(source) = self.source.get_mut() else { return Vec::new() };
        let places = source.malformed_before(self.skipped + to).into_iter();
        places.filter_map(|at| at.checked_sub(self.skipped)).collect()
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer)
    }
}

/// The first bytes of a source, and a source that has them still.
fn peek<R: Read>(mut source: R, bytes: usize) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut start = Vec::with_capacity(bytes);
    source.by_ref().take(bytes as u64).read_to_end(&mut start)?;
    Ok((start.clone(), Cursor::new(start).chain(source)))
}
