//! Entries of bank statements, in a stream: camt.053 and camt.052, OFX and QFX, MT940.
//!
#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: `form`, `entry`, one per form (`camt`, `ofx`, `mt940`), and what they share: `markup` (XML and
//! SGML), `information` (the structured text of SWIFT's field 86), `value` (amounts and times), `source`.

mod camt;
mod entry;
mod error;
mod form;
mod information;
mod markup;
mod mt940;
mod ofx;
mod problem;
mod source;
mod value;

use std::{fmt, io::Read};

use camt::CamtReader;
use mt940::Mt940Reader;
use ofx::OfxReader;
use source::Utf8;

pub use entry::{Entry, Totals};
pub use error::Error;
pub use form::{DECLARATION, Form, declared_encoding};
pub use problem::Problem;
pub use source::DecodedText;
pub use value::{Moment, PRECISION, SCALE};

/// A text of statements that is being read.
pub struct Statements {
    reader: Reader,
    ended: Vec<Totals>,
}

enum Reader {
    Camt(Box<CamtReader>),
    Ofx(Box<OfxReader>),
    Mt940(Box<Mt940Reader>),
}

impl Statements {
    /// Reads a text that is UTF-8.
    #[must_use]
    pub fn new(text: impl Read + Send + 'static, form: Form) -> Self {
        Self::decoded(Box::new(Utf8(text)), form)
    }

    /// Reads a text that was decoded from another encoding.
    #[must_use]
    pub fn decoded(text: Box<dyn DecodedText>, form: Form) -> Self {
        let reader = match form {
            Form::Camt => Reader::Camt(Box::new(CamtReader::new(text))),
            Form::Ofx => Reader::Ofx(Box::new(OfxReader::new(text))),
            Form::Mt940 => Reader::Mt940(Box::new(Mt940Reader::new(text))),
        };
        Self { reader, ended: Vec::new() }
    }

    /// The next entry; `None` behind the last one.
    ///
    /// # Errors
    /// For text that is no statement of the form or in another encoding, and for entries that are damaged or whose sign is not
    /// clear. Nothing behind an error can be read.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        match &mut self.reader {
            Reader::Camt(reader) => reader.next(&mut self.ended),
            Reader::Ofx(reader) => reader.next(),
            Reader::Mt940(reader) => reader.next(&mut self.ended),
        }
    }

    /// The totals of the statements that ended since they were asked for last, before or with the entry read last. OFX has no
    /// opening balances, so that it has none.
    pub fn take_totals(&mut self) -> Vec<Totals> {
        std::mem::take(&mut self.ended)
    }
}

impl Iterator for Statements {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_entry().transpose()
    }
}

impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statements").field("ended", &self.ended).finish_non_exhaustive()
    }
}
