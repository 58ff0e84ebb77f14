//! The start of a file of statements: the encoding that it names, and what shows its format.

use std::{io::Read, path::Path};

use crate::{
    Error,
    ingest::{encoding::Encoding, unpack::Text},
};

/// Bytes of a file's start in which it may name its encoding.
const DECLARATION: usize = 512;

/// Bytes of a file's start that show what it is.
const START: u64 = 4 * 1024;

/// Opens a file, which may name its encoding.
pub(crate) fn open(path: &Path, encoding: Encoding) -> Result<Text, Error> {
    Text::open_declared(path, encoding, DECLARATION, declared)
}

/// The first characters of a file.
pub(crate) fn start(path: &Path) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let read = open(path, Encoding::default())?.take(START).read_to_end(&mut bytes);
    read.map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The encoding that a file's start names: in the declaration of XML, or in the header of an early OFX.
fn declared(start: &[u8]) -> Option<Encoding> {
    let start = String::from_utf8_lossy(start).to_ascii_lowercase();
    let behind = |text: &'static str| start.split_once(text).map(|(_, rest)| rest);
    if start.trim_start().starts_with("<?xml") {
        let declaration = start.split("?>").next()?;
        let (_, rest) = declaration.split_once("encoding")?;
        let label = rest.trim_start().strip_prefix('=')?.trim_start();
        let quote = label.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        return Encoding::try_from(label[1..].split(quote).next()?.to_owned()).ok();
    }
    let charset: String =
        behind("charset:")?.chars().take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '-').collect();
    let label = match charset.as_str() {
        code if code.bytes().all(|digit| digit.is_ascii_digit()) => format!("windows-{code}"),
        "none" => return None,
        other => other.to_owned(),
    };
    Encoding::try_from(label).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_its_encoding() {
        let name = |start: &str| declared(start.as_bytes()).map(Encoding::name);
        assert_eq!(
            name("<?xml version=\"1.0\" encoding=\"ISO-8859-15\"?><a/>").as_deref(),
            Some("iso-8859-15")
        );
        assert_eq!(name("\n<?xml version='1.0' encoding = 'UTF-8' ?>").as_deref(), Some("utf-8"));
        assert_eq!(name("<?xml version=\"1.0\"?><a encoding=\"gbk\"/>"), None);
        assert_eq!(name("OFXHEADER:100\nENCODING:USASCII\nCHARSET:1252\n").as_deref(), Some("windows-1252"));
        assert_eq!(name("OFXHEADER:100\nCHARSET:ISO-8859-1\n").as_deref(), Some("windows-1252"));
        assert_eq!(name("OFXHEADER:100\nENCODING:UTF-8\nCHARSET:NONE\n"), None);
        assert_eq!(
            (name(":20:A"), name(""), name("<?xml encoding="), name("<?xml encoding=\"é")),
            (None, None, None, None)
        );
    }
}
