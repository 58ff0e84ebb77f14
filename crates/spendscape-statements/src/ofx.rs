//! Statements of OFX and QFX: 1.x, which is SGML, and 2.x, which is XML.

use std::mem;

use crate::{
    Entry, Error, Problem,
    markup::{DEEPEST, Markup, Token},
    source::Source,
    value::{Moment, refuse_unclear, signed_amount},
};

/// Elements that hold others and say what these mean. All others that hold elements are passed through: without its end tag one
/// cannot be told from an element without text.
const KNOWN: [&str; 17] = [
    "OFX",
    "STMTRS",
    "CCSTMTRS",
    "INVSTMTRS",
    "BANKACCTFROM",
    "CCACCTFROM",
    "INVACCTFROM",
    "BANKTRANLIST",
    "BANKTRANLISTP",
    "STMTTRN",
    "STMTTRNP",
    "PAYEE",
    "BANKACCTTO",
    "CCACCTTO",
    "CURRENCY",
    "ORIGCURRENCY",
    "LEDGERBAL",
];

/// A transaction as far as it was read.
#[derive(Debug, Default)]
struct Transaction {
    line: u64,
    pending: bool,
    posted: Option<String>,
    available: Option<String>,
    amount: Option<String>,
    currency: Option<String>,
    kind: Option<String>,
    id: Option<String>,
    check: Option<String>,
    reference: Option<String>,
    industry: Option<String>,
    name: Option<String>,
    memo: Option<String>,
    account_to: Option<String>,
    corrects: Option<String>,
}

/// Reads entries from the transactions of an OFX file.
pub(crate) struct OfxReader {
    markup: Markup,
    /// Known elements that the reader stands in.
    path: Vec<String>,
    /// The tag read last, and the text behind it.
    tag: Option<(String, String, u64)>,
    found: bool,
    is_whole: bool,
    account: Option<String>,
    currency: Option<String>,
    transaction: Option<Transaction>,
    ready: Option<Entry>,
}

impl OfxReader {
    pub(crate) fn new(text: Source) -> Self {
        Self {
            markup: Markup::sgml(text),
            path: Vec::new(),
            tag: None,
            found: false,
            is_whole: false,
            account: None,
            currency: None,
            transaction: None,
            ready: None,
        }
    }

    /// The next transaction. OFX has no opening balance to compare the sum of them with.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            if let Some(entry) = self.ready.take() {
                return Ok(Some(entry));
            }
            match self.markup.next()? {
                Token::Open(name, _) => {
                    self.settle()?;
                    let line = self.markup.line();
                    let name = name.to_ascii_uppercase();
                    if name == "OFX" {
                        (self.found, self.is_whole) = (true, false);
                    }
                    self.tag = Some((name, String::new(), line));
                }
                Token::Text(text) => {
                    if let Some((_, value, _)) = &mut self.tag {
                        value.push_str(&text);
                    }
                }
                Token::Close(name) => self.close(&name.to_ascii_uppercase())?,
                Token::End if !self.found => {
                    return Err(Error::NoStatement { what: "an OFX or QFX document" });
                }
                Token::End if !self.is_whole => {
                    return Err(self.markup.fault(Problem::Cut { what: "</OFX>" }));
                }
                Token::End => return Ok(None),
            }
        }
    }

    /// Takes the tag read last: an element with text, or one that holds others.
    fn settle(&mut self) -> Result<(), Error> {
        let Some((name, value, line)) = self.tag.take() else { return Ok(()) };
        let value = value.trim();
        if !value.is_empty() {
            self.leaf(&name, value).map_err(|problem| Error::at(line, problem))?;
        } else if KNOWN.contains(&name.as_str()) {
            match name.as_str() {
                "STMTRS" | "CCSTMTRS" | "INVSTMTRS" => (self.account, self.currency) = (None, None),
                "STMTTRN" | "STMTTRNP" => {
                    self.refuse_open()?;
                    let pending = name == "STMTTRNP";
                    self.transaction = Some(Transaction { line, pending, ..Transaction::default() });
                }
                _ => {}
            }
            if self.path.len() == DEEPEST {
                return Err(Error::at(line, Problem::TooDeep { limit: DEEPEST }));
            }
            self.path.push(name);
        }
        Ok(())
    }

    /// Takes an end tag.
    fn close(&mut self, name: &str) -> Result<(), Error> {
        self.is_whole |= name == "OFX";
        if self.tag.as_ref().is_some_and(|(open, value, _)| open == name && value.trim().is_empty()) {
            self.tag = None;
            return Ok(());
        }
        self.settle()?;
        if let Some(at) = self.path.iter().rposition(|open| open == name) {
            self.path.truncate(at);
        }
        if matches!(name, "STMTTRN" | "STMTTRNP")
            && let Some(transaction) = self.transaction.take()
        {
            let line = transaction.line;
            let entry = self.entry(transaction).map_err(|problem| Error::at(line, problem))?;
            self.ready = Some(entry);
        } else if !self.is_in(&["STMTTRN", "STMTTRNP"]) {
            self.refuse_open()?;
        }
        Ok(())
    }

    /// Whether the reader stands in one of some elements.
    fn is_in(&self, names: &[&str]) -> bool {
        self.path.iter().any(|open| names.contains(&open.as_str()))
    }

    /// Refuses a transaction that was not ended before what follows it.
    fn refuse_open(&self) -> Result<(), Error> {
        match &self.transaction {
            Some(open) => Err(Error::at(open.line, Problem::NoEnd { what: "</STMTTRN>" })),
            None => Ok(()),
        }
    }

    fn leaf(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let is_statement = self.is_in(&["STMTRS", "CCSTMTRS", "INVSTMTRS"]);
        let value = Some(value.to_owned());
        let inner = self.path.last().map(String::as_str);
        let (place, is_single) = match (inner, name) {
            (Some("BANKACCTFROM" | "CCACCTFROM" | "INVACCTFROM"), "ACCTID") => {
                (&mut self.account, is_statement)
            }
            (_, "CURDEF") => (&mut self.currency, is_statement),
            _ => {
                let Some(transaction) = &mut self.transaction else { return Ok(()) };
                let place = match (inner, name) {
                    (Some("BANKACCTTO" | "CCACCTTO"), "ACCTID") => &mut transaction.account_to,
                    (Some("CURRENCY"), "CURSYM") => &mut transaction.currency,
                    (Some("PAYEE"), "NAME") => &mut transaction.name,
                    (Some("STMTTRN" | "STMTTRNP"), name) => match name {
                        "TRNTYPE" => &mut transaction.kind,
                        "DTPOSTED" | "DTTRAN" => &mut transaction.posted,
                        "DTAVAIL" => &mut transaction.available,
                        "TRNAMT" => &mut transaction.amount,
                        "FITID" => &mut transaction.id,
                        "CHECKNUM" => &mut transaction.check,
                        "REFNUM" => &mut transaction.reference,
                        "SIC" => &mut transaction.industry,
                        "NAME" => &mut transaction.name,
                        "MEMO" => &mut transaction.memo,
                        "CORRECTFITID" => &mut transaction.corrects,
                        _ => return Ok(()),
                    },
                    _ => return Ok(()),
                };
                // Of what merely describes a transaction the last one may count.
                (place, matches!(name, "DTPOSTED" | "DTTRAN" | "TRNAMT" | "FITID" | "TRNTYPE" | "CURSYM"))
            }
        };
        if is_single && place.is_some() {
            return Err(Problem::Twice { what: name.to_owned() });
        }
        *place = value;
        Ok(())
    }

    fn entry(&mut self, mut read: Transaction) -> Result<Entry, Problem> {
        let missing = |what| Problem::Missing { what };
        if let Some(id) = read.corrects.take() {
            return Err(Problem::Corrects { id });
        }
        let amount = read.amount.ok_or(missing("amount (TRNAMT)"))?;
        refuse_unclear(&amount, ',', '.')?;
        if read.posted.is_none() && !read.pending {
            return Err(missing("day (DTPOSTED)"));
        }
        let available = read.available.as_deref().map(Moment::of_ofx).transpose()?;
        let memo = mem::take(&mut read.memo);
        Ok(Entry {
            line: read.line,
            account: self.account.clone().ok_or(missing("account (ACCTID) in its statement"))?,
            currency: read.currency.or_else(|| self.currency.clone()).ok_or(missing("currency (CURDEF)"))?,
            booked: read.posted.as_deref().map(Moment::of_ofx).transpose()?,
            value_date: available.map(|day| day.text[..10].to_owned()),
            amount: signed_amount(&amount)?,
            reversal: false,
            pending: read.pending,
            id: read.id,
            reference: read.reference.or(read.check),
            counterparty: read.name,
            counterparty_account: read.account_to,
            text: memo,
            code: read.kind,
            bank_code: None,
            merchant_code: read.industry,
            statement: None,
        })
    }
}
