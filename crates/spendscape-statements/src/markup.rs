//! Tags and texts of XML, and of the SGML of early OFX, in which elements that hold text need no end tag.

use std::io::{self, BufRead, BufReader, Read};

use quick_xml::{
    Error as XmlError, Reader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

use crate::{
    Error, Problem,
    source::{BLOCK, Source},
};

/// The longest tag or text accepted.
const LONGEST: usize = 1 << 20;

/// The deepest nesting accepted; statements have about fifteen levels.
pub(crate) const DEEPEST: usize = 100;

/// A piece of markup. Prefixes of namespaces are left out of names.
#[derive(Debug)]
pub(crate) enum Token {
    /// A tag, and its attribute `Ccy` if it has one.
    Open(String, Option<String>),
    /// An end tag.
    Close(String),
    /// Text, in as many pieces as it comes.
    Text(String),
    /// The end of the file.
    End,
}

/// Reads markup in pieces.
pub(crate) struct Markup {
    reader: Reader<Counted>,
    buffer: Vec<u8>,
    sgml: bool,
    depth: usize,
}

/// Follows what is read: lines, and the size of the piece at hand.
struct Counted {
    text: BufReader<Source>,
    line: u64,
    bytes: u64,
    piece: usize,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Counted {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.piece > LONGEST {
            return Err(io::Error::other(Problem::TooLong { limit: LONGEST }));
        }
        self.text.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        let used = self.text.buffer().get(..count).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', used).count() as u64;
        self.bytes += count as u64;
        self.piece += count;
        self.text.consume(count);
    }
}

impl Markup {
    /// Well-formed XML.
    pub(crate) fn xml(text: Source) -> Self {
        Self::new(text, false)
    }

    /// XML or SGML.
    pub(crate) fn sgml(text: Source) -> Self {
        Self::new(text, true)
    }

    fn new(text: Source, sgml: bool) -> Self {
        let text = BufReader::with_capacity(BLOCK, text);
        let mut reader = Reader::from_reader(Counted { text, line: 1, bytes: 0, piece: 0 });
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        if sgml {
            config.check_end_names = false;
            config.allow_unmatched_ends = true;
            config.allow_dangling_amp = true;
        }
        Self { reader, buffer: Vec::new(), sgml, depth: 0 }
    }

    /// The line read to.
    pub(crate) fn line(&mut self) -> u64 {
        self.reader.get_mut().line
    }

    pub(crate) fn fault(&mut self, problem: Problem) -> Error {
        Error::at(self.line(), problem)
    }

    /// The next piece.
    ///
    /// # Errors
    /// For markup that is damaged, too long or too deep, and for text that is in another encoding.
    pub(crate) fn next(&mut self) -> Result<Token, Error> {
        loop {
            self.buffer.clear();
            let counted = self.reader.get_mut();
            counted.piece = 0;
            let line = counted.line;
            let found = self.reader.read_event_into(&mut self.buffer).map(|event| token(&event, self.sgml));
            let counted = self.reader.get_mut();
            if counted.text.get_mut().is_malformed_before(counted.bytes) {
                return Err(Error::Encoding { line, ahead: 0 });
            }
            let token = match found {
                Ok(Ok(None)) => continue,
                Ok(Ok(Some(token))) => token,
                Ok(Err(problem)) => return Err(Error::at(line, problem)),
                Err(error) => return Err(fault_of(error, line)),
            };
            match &token {
                Token::Open(..) => self.depth += 1,
                Token::Close(_) => self.depth = self.depth.saturating_sub(1),
                Token::End if self.depth > 0 && !self.sgml => {
                    return Err(Error::at(line, Problem::Cut { what: "its last end tag" }));
                }
                _ => {}
            }
            // Of SGML not all tags have an end.
            if self.depth > DEEPEST && !self.sgml {
                return Err(Error::at(line, Problem::TooDeep { limit: DEEPEST }));
            }
            return Ok(token);
        }
    }
}

fn token(event: &Event<'_>, sgml: bool) -> Result<Option<Token>, Problem> {
    Ok(Some(match event {
        Event::Start(tag) => Token::Open(tag.local_name().as_ref().to_owned(), currency(tag)?),
        Event::End(tag) => Token::Close(tag.local_name().as_ref().to_owned()),
        Event::Text(text) => Token::Text(text.borrow().into_inner().into_owned()),
        Event::CData(text) => Token::Text(text.borrow().into_inner().into_owned()),
        Event::GeneralRef(entity) => {
            let name = entity.borrow().into_inner();
            let character = entity.resolve_char_ref();
            match (character, resolve_predefined_entity(&name)) {
                (Ok(Some(character)), _) => Token::Text(character.to_string()),
                (_, Some(text)) => Token::Text(text.to_owned()),
                _ if sgml && &*name == "nbsp" => Token::Text(" ".to_owned()),
                _ if sgml => Token::Text(format!("&{name};")),
                _ => return Err(Problem::Entity { name: name.into_owned() }),
            }
        }
        Event::Eof => Token::End,
        _ => return Ok(None),
    }))
}

fn currency(tag: &BytesStart<'_>) -> Result<Option<String>, Problem> {
    let found = tag.try_get_attribute("Ccy");
    let found = found.map_err(|error| Problem::Markup { message: error.to_string() })?;
    Ok(found.map(|attribute| attribute.value.into_owned()))
}

fn fault_of(error: XmlError, line: u64) -> Error {
    match error {
        XmlError::Io(source) => match source.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(problem) => Error::at(line, Problem::clone(problem)),
            None => Error::Read(io::Error::new(source.kind(), source.to_string())),
        },
        XmlError::Encoding(_) => Error::Encoding { line, ahead: 0 },
        other => Error::at(line, Problem::Markup { message: other.to_string() }),
    }
}
