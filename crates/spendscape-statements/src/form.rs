//! The forms of statements, known by how files begin, and the encodings that these name.

/// The namespaces of camt documents, without their versions.
const CAMT: [&str; 2] = ["iso:20022:tech:xsd:camt.053.", "iso:20022:tech:xsd:camt.052."];

/// Bytes of a file's start in which it may name its encoding.
pub const DECLARATION: usize = 512;

/// A form in which banks write statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// ISO 20022: camt.053 and camt.052, of all versions.
    Camt,
    /// OFX and QFX, 1.x and 2.x.
    Ofx,
    /// SWIFT: MT940, and MT942.
    Mt940,
}

impl Form {
    /// The form of a file that begins like this, if it is one of statements; some 4,000 characters are enough.
    #[must_use]
    pub fn of_start(start: &str) -> Option<Self> {
        let upper = start.to_ascii_uppercase();
        let is_field = |line: &str| line.starts_with(":20:");
        if CAMT.iter().any(|namespace| start.contains(namespace)) {
            Some(Self::Camt)
        } else if upper.trim_start().starts_with("OFXHEADER") || upper.contains("<OFX>") {
            Some(Self::Ofx)
        } else if start.trim_start().starts_with("{1:") || start.lines().any(is_field) {
            Some(Self::Mt940)
        } else {
            None
        }
    }
}

/// The label of the encoding that a file's first [`DECLARATION`] bytes name: in the declaration of XML, or in the header of an
/// early OFX. In lower case, and not always one that exists.
///
/// ```
/// use spendscape_statements::declared_encoding;
///
/// let name = declared_encoding(b"<?xml version='1.0' encoding='ISO-8859-15'?><Document/>");
/// assert_eq!(name.as_deref(), Some("iso-8859-15"));
/// assert_eq!(declared_encoding(b"OFXHEADER:100\r\nCHARSET:1252\r\n").as_deref(), Some("windows-1252"));
/// assert_eq!(declared_encoding(b":20:START"), None);
/// ```
#[must_use]
pub fn declared_encoding(start: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(start).to_ascii_lowercase();
    if start.trim_start().starts_with("<?xml") {
        let declaration = start.split("?>").next()?;
        let (_, rest) = declaration.split_once("encoding")?;
        let label = rest.trim_start().strip_prefix('=')?.trim_start();
        let quote = label.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        return label[1..].split(quote).next().map(str::to_owned);
    }
    let (_, charset) = start.split_once("charset:")?;
    let charset: String =
        charset.chars().take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '-').collect();
    match charset.as_str() {
        "none" => None,
        code if code.bytes().all(|digit| digit.is_ascii_digit()) => Some(format!("windows-{code}")),
        other => Some(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_its_encoding() {
        let name = |start: &str| declared_encoding(start.as_bytes());
        assert_eq!(
            name("<?xml version=\"1.0\" encoding=\"ISO-8859-15\"?><a/>").as_deref(),
            Some("iso-8859-15")
        );
        assert_eq!(name("\n<?xml version='1.0' encoding = 'UTF-8' ?>").as_deref(), Some("utf-8"));
        assert_eq!(name("<?xml version=\"1.0\"?><a encoding=\"gbk\"/>"), None);
        assert_eq!(name("OFXHEADER:100\nENCODING:USASCII\nCHARSET:1252\n").as_deref(), Some("windows-1252"));
        assert_eq!(name("OFXHEADER:100\nCHARSET:ISO-8859-1\n").as_deref(), Some("iso-8859-1"));
        assert_eq!(name("OFXHEADER:100\nENCODING:UTF-8\nCHARSET:NONE\n"), None);
        assert_eq!((name(":20:A"), name(""), name("<?xml encoding=")), (None, None, None));
        assert_eq!(name("<?xml encoding=\"é").as_deref(), Some("é"));
    }

    #[test]
    fn statements_are_known_by_their_start() {
        let form = Form::of_start;
        let camt =
            "<?xml version=\"1.0\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">";
        assert_eq!(form(camt), Some(Form::Camt));
        assert_eq!(form(&camt.replace("053", "052").replace("xmlns=", "xmlns:n=")), Some(Form::Camt));
        assert_eq!(form(&camt.replace("053", "054")), None);
        assert_eq!(form("OFXHEADER:100\r\nDATA:OFXSGML\r\n"), Some(Form::Ofx));
        assert_eq!(form("<?xml version=\"1.0\"?><?OFX OFXHEADER=\"200\"?>\n<ofx>"), Some(Form::Ofx));
        assert_eq!(form("{1:F01BANKDEFF}{2:I940}{4:\r\n:20:A"), Some(Form::Mt940));
        assert_eq!(form("ABNANL2A\r\n940\r\nABNANL2A\r\n:20:A\r\n"), Some(Form::Mt940));
        for other in
            ["", "id,time,note\na,b,see :20:\n", "<?xml version=\"1.0\"?><rows/>", "time;note\n10:20:30;x\n"]
        {
            assert_eq!(form(other), None, "{other}");
        }
    }
}
