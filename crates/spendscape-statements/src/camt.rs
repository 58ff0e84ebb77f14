//! Statements of ISO 20022: camt.053 and camt.052, of all versions.
//!
//! `CdtDbtInd` is what the entry does to the account, also where `RvslInd` says that it takes back another one: the original of a
//! credit with `RvslInd` was a debit. The indicator therefore never changes a sign.

use std::{collections::VecDeque, mem};

use crate::{
    Entry, Error, Problem, Totals,
    markup::{Markup, Token},
    source::Source,
    value::{Moment, amount, refuse_unclear},
};

/// The most transactions of one entry: those of a batch are compared with its amount before any is given.
const MOST_DETAILS: usize = 200_000;

/// The longest text of an entry without its transactions, or of one of them.
const LONGEST: usize = 4 << 20;

/// Whether an element holds statements; its name has the version behind it in the first one.
fn holds_statements(name: &str) -> bool {
    ["BkToCstmrStmt", "BkToCstmrAcctRpt"].iter().any(|known| name.starts_with(known))
}

/// An element with what it holds.
#[derive(Debug, Default)]
struct Node {
    name: String,
    currency: Option<String>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.child(name))
    }

    /// The text of an element, if it has any.
    fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path).map(|node| node.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text of the first of some elements that has any.
    fn first(&self, paths: &[&[&str]]) -> Option<&str> {
        paths.iter().find_map(|path| self.text(path))
    }

    /// The texts of all elements of a name, each in a line of words.
    fn joined(&self, name: &str) -> Option<String> {
        let texts = self.children.iter().filter(|child| child.name == name).map(|child| child.text.trim());
        let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
        (!texts.is_empty()).then(|| texts.join(" "))
    }

    /// A day or a time.
    fn moment(&self, name: &str) -> Result<Option<Moment>, Problem> {
        let text = self.first(&[&[name, "Dt"], &[name, "DtTm"]]);
        text.map(Moment::of_iso).transpose()
    }

    /// An amount and its currency.
    fn amount(&self, path: &[&str]) -> Result<Option<(i128, String)>, Problem> {
        let Some(node) = self.at(path) else { return Ok(None) };
        refuse_unclear(node.text.trim(), ',', '.')?;
        let size = amount(node.text.trim())?;
        let currency = node.currency.clone().ok_or(Problem::Missing { what: "currency (Ccy)" })?;
        Ok(Some((size, currency)))
    }

    /// Refuses a second one of elements of which there may be one.
    fn once(&self, names: &[&str]) -> Result<(), Problem> {
        let twice =
            |name: &&&str| self.children.iter().filter(|child| child.name == ***name).nth(1).is_some();
        match names.iter().find(twice) {
            Some(name) => Err(Problem::Twice { what: (*name).to_owned() }),
            None => Ok(()),
        }
    }

    /// 1 for a credit, -1 for a debit.
    fn direction(&self) -> Result<Option<i128>, Problem> {
        match self.text(&["CdtDbtInd"]) {
            None => Ok(None),
            Some("CRDT") => Ok(Some(1)),
            Some("DBIT") => Ok(Some(-1)),
            Some(other) => Err(Problem::Direction { value: other.to_owned() }),
        }
    }
}

/// A transaction of an entry.
#[derive(Debug, Default)]
struct Detail {
    /// Amounts with their currencies: what was booked, or what was instructed.
    amounts: Vec<(i128, String)>,
    direction: Option<i128>,
    id: Option<String>,
    reference: Option<String>,
    /// Names and accounts of debtor and creditor.
    parties: [(Option<String>, Option<String>); 2],
    text: Option<String>,
    code: Option<String>,
    bank_code: Option<String>,
    merchant_code: Option<String>,
}

impl Detail {
    fn of(node: &Node) -> Result<Self, Problem> {
        let paths: [&[&str]; 4] = [
            &["Amt"],
            &["AmtDtls", "TxAmt", "Amt"],
            &["AmtDtls", "CntrValAmt", "Amt"],
            &["AmtDtls", "InstdAmt", "Amt"],
        ];
        node.once(&["Amt", "CdtDbtInd", "AmtDtls"])?;
        let mut amounts = Vec::new();
        for path in paths {
            amounts.extend(node.amount(path)?);
        }
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let parties = node.child("RltdPties");
        let party = |role: &str, ultimate: &str, account: &str| {
            let name = parties.and_then(|parties| {
                parties.first(&[
                    &[role, "Nm"],
                    &[role, "Pty", "Nm"],
                    &[role, "Agt", "FinInstnId", "Nm"],
                    &[ultimate, "Nm"],
                    &[ultimate, "Pty", "Nm"],
                ])
            });
            let account = parties.and_then(|parties| {
                parties.first(&[&[account, "Id", "IBAN"], &[account, "Id", "Othr", "Id"]])
            });
            (owned(name), owned(account))
        };
        let remittance = node.child("RmtInf");
        let structured = || {
            let structured = remittance?.child("Strd")?;
            structured.joined("AddtlRmtInf").or_else(|| owned(structured.text(&["CdtrRefInf", "Ref"])))
        };
        let text = remittance.and_then(|remittance| remittance.joined("Ustrd"));
        let (code, bank_code) = codes(node);
        let merchant = node.first(&[
            &["CardTx", "Tx", "Indv", "TxCtgy"],
            &["CardTx", "Tx", "Aggtd", "TxCtgy"],
            &["CardTx", "POI", "MrchntCtgyCd"],
        ]);
        let reference = node.text(&["Refs", "EndToEndId"]).filter(|text| *text != "NOTPROVIDED");
        Ok(Self {
            amounts,
            direction: node.direction()?,
            id: owned(node.first(&[&["Refs", "AcctSvcrRef"], &["Refs", "TxId"]])),
            reference: owned(reference),
            parties: [party("Dbtr", "UltmtDbtr", "DbtrAcct"), party("Cdtr", "UltmtCdtr", "CdtrAcct")],
            text: text.or_else(structured).or_else(|| owned(node.text(&["AddtlTxInf"]))),
            code,
            bank_code,
            merchant_code: owned(merchant),
        })
    }

    /// The amount in the currency of the entry.
    fn amount_in(&self, currency: &str) -> Option<i128> {
        self.amounts.iter().find(|(_, other)| other == currency).map(|(size, _)| *size)
    }
}

/// The code of a transaction, of domain, family and sub-family, and that of the bank.
fn codes(node: &Node) -> (Option<String>, Option<String>) {
    let Some(code) = node.child("BkTxCd") else { return (None, None) };
    let parts: [&[&str]; 3] = [&["Domn", "Cd"], &["Domn", "Fmly", "Cd"], &["Domn", "Fmly", "SubFmlyCd"]];
    let parts: Vec<&str> = parts.iter().map_while(|path| code.text(path)).collect();
    let own = code.text(&["Prtry", "Cd"]).map(str::to_owned);
    ((!parts.is_empty()).then(|| parts.join("-")), own)
}

/// Reads entries from the elements of a statement.
pub(crate) struct CamtReader {
    markup: Markup,
    /// The elements that the reader stands in.
    path: Vec<String>,
    /// Whether any statement was found.
    found: bool,
    account: Option<String>,
    statement: Option<String>,
    totals: Totals,
    ready: VecDeque<Entry>,
}

impl CamtReader {
    pub(crate) fn new(text: Source) -> Self {
        Self {
            markup: Markup::xml(text),
            path: Vec::new(),
            found: false,
            account: None,
            statement: None,
            totals: Totals::default(),
            ready: VecDeque::new(),
        }
    }

    /// The next entry, or the next transaction of one, with what it says of the balances of a statement that ended.
    pub(crate) fn next(&mut self, ended: &mut Vec<Totals>) -> Result<Option<Entry>, Error> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Ok(Some(entry));
            }
            match self.markup.next()? {
                Token::Open(name, currency) => self.open(name, currency)?,
                Token::Close(name) => {
                    self.path.pop();
                    if matches!(name.as_str(), "Stmt" | "Rpt")
                        && self.path.last().is_some_and(|last| holds_statements(last))
                    {
                        ended.push(mem::take(&mut self.totals));
                    }
                }
                Token::Text(_) => {}
                Token::End if self.found => return Ok(None),
                Token::End => return Err(Error::NoStatement { what: "a camt.053 or camt.052 document" }),
            }
        }
    }

    fn is_inside(&self, names: &[&str]) -> bool {
        self.path.last().is_some_and(|last| names.contains(&last.as_str()))
    }

    fn open(&mut self, name: String, currency: Option<String>) -> Result<(), Error> {
        if name == "BkToCstmrDbtCdtNtfctn" {
            return Err(Error::NoStatement {
                what: "a camt.053 or camt.052 document: a camt.054 repeats entries of those",
            });
        }
        self.found |= holds_statements(&name);
        let is_part = self.is_inside(&["Stmt", "Rpt"]) && self.path.len() > 1;
        if is_part && matches!(name.as_str(), "Id" | "Acct" | "Bal" | "Ntry") {
            let line = self.markup.line();
            let (node, details) = self.subtree(name, currency)?;
            let entry = self.part(&node, details, line);
            return entry.map_err(|problem| Error::at(line, problem));
        }
        if matches!(name.as_str(), "Stmt" | "Rpt") {
            self.totals = Totals { line: self.markup.line(), ..Totals::default() };
            (self.account, self.statement) = (None, None);
        }
        self.path.push(name);
        Ok(())
    }

    /// Reads an element whose tag was read, and takes the transactions out of it.
    fn subtree(&mut self, name: String, currency: Option<String>) -> Result<(Node, Vec<Detail>), Error> {
        let mut open = vec![Node { name, currency, ..Node::default() }];
        let (mut details, mut bytes) = (Vec::new(), 0);
        loop {
            match self.markup.next()? {
                Token::Open(name, currency) => {
                    bytes += name.len();
                    open.push(Node { name, currency, ..Node::default() });
                }
                Token::Text(text) => {
                    bytes += text.len();
                    if let Some(node) = open.last_mut() {
                        node.text.push_str(&text);
                    }
                }
                Token::Close(_) => {
                    let Some(node) = open.pop() else { continue };
                    let Some(parent) = open.last_mut() else { return Ok((node, details)) };
                    if node.name == "TxDtls" {
                        if details.len() == MOST_DETAILS {
                            let problem = Problem::TooManyDetails { limit: MOST_DETAILS };
                            return Err(self.markup.fault(problem));
                        }
                        details.push(Detail::of(&node).map_err(|problem| self.markup.fault(problem))?);
                        bytes = 0;
                    } else {
                        parent.children.push(node);
                    }
                }
                Token::End => {
                    return Err(self.markup.fault(Problem::Cut { what: "its last end tag" }));
                }
            }
            if bytes > LONGEST {
                return Err(self.markup.fault(Problem::TooLong { limit: LONGEST }));
            }
        }
    }

    /// Takes a part of a statement.
    fn part(&mut self, node: &Node, details: Vec<Detail>, line: u64) -> Result<(), Problem> {
        match node.name.as_str() {
            "Id" => self.statement = Some(node.text.trim().to_owned()),
            "Acct" if self.account.is_some() => {
                return Err(Problem::Twice { what: "the account (Acct) of its statement".to_owned() });
            }
            "Acct" => {
                let account =
                    node.first(&[&["Id", "IBAN"], &["Id", "Othr", "Id"], &["Id", "PrtryAcct", "Id"]]);
                self.account = account.map(str::to_owned);
            }
            "Bal" => {
                let size = node.amount(&["Amt"])?.map_or(0, |(size, _)| size);
                let balance = size * node.direction()?.unwrap_or(1);
                match node.text(&["Tp", "CdOrPrtry", "Cd"]) {
                    Some("OPBD" | "PRCD") => self.totals.opening = Some(balance),
                    Some("CLBD") => self.totals.closing = Some(balance),
                    _ => {}
                }
            }
            _ => self.entry(node, details, line)?,
        }
        Ok(())
    }

    /// Takes an entry: its transactions one by one where their amounts are known and add up to it.
    fn entry(&mut self, node: &Node, mut details: Vec<Detail>, line: u64) -> Result<(), Problem> {
        let missing = |what| Problem::Missing { what };
        node.once(&["Amt", "CdtDbtInd", "RvslInd", "Sts", "BookgDt", "ValDt"])?;
        let (size, currency) = node.amount(&["Amt"])?.ok_or(missing("amount (Amt)"))?;
        let direction = node.direction()?.ok_or(missing("CdtDbtInd"))?;
        let reversal = matches!(node.text(&["RvslInd"]), Some("true" | "1"));
        let pending = match node.first(&[&["Sts"], &["Sts", "Cd"]]) {
            // A state of the bank's own is none of the standard's, as `BOOK` is.
            None => node.text(&["Sts", "Prtry"]).is_some(),
            Some("BOOK") => false,
            Some("PDNG" | "INFO" | "FUTR") => true,
            Some(other) => return Err(Problem::Status { value: other.to_owned() }),
        };
        let value = node.moment("ValDt")?;
        let booked = node.moment("BookgDt")?.or_else(|| value.clone());
        if booked.is_none() && !pending {
            return Err(missing("day (BookgDt or ValDt)"));
        }
        let account = self.account.clone().ok_or(missing("account (Acct) in its statement"))?;
        if !pending {
            self.totals.sum += size * direction;
        }
        let own_id = node.first(&[&["AcctSvcrRef"], &["NtryRef"]]).map(str::to_owned);
        let (code, bank_code) = codes(node);
        let sizes: Option<Vec<i128>> = details
            .iter()
            .map(|detail| Some(detail.amount_in(&currency)? * detail.direction.unwrap_or(direction)))
            .collect();
        let sizes = sizes.filter(|sizes| sizes.len() > 1 && sizes.iter().sum::<i128>() == size * direction);
        if sizes.is_none() && details.len() != 1 {
            // One row for all, which has the names of none.
            let texts: Vec<String> = details.iter_mut().filter_map(|detail| detail.text.take()).collect();
            details =
                vec![Detail { text: (!texts.is_empty()).then(|| texts.join(" ")), ..Detail::default() }];
        }
        let amounts = sizes.unwrap_or_else(|| vec![size * direction]);
        let (count, mut number) = (amounts.len(), 0);
        for (amount, detail) in amounts.into_iter().zip(details) {
            number += 1;
            // Whom the money goes to, or comes from; what takes back another entry names the parties of that one.
            let [debtor, creditor] = detail.parties;
            let (counterparty, counterparty_account) =
                if (amount < 0) == reversal { debtor } else { creditor };
            let part_of = |id: &String| if count > 1 { format!("{id}/{number}") } else { id.clone() };
            self.ready.push_back(Entry {
                line,
                account: account.clone(),
                currency: currency.clone(),
                booked: booked.clone(),
                value_date: value.as_ref().map(|value| value.text[..10].to_owned()),
                amount,
                reversal,
                pending,
                id: detail.id.or_else(|| own_id.as_ref().map(part_of)),
                reference: detail.reference,
                counterparty,
                counterparty_account,
                text: detail.text.or_else(|| node.text(&["AddtlNtryInf"]).map(str::to_owned)),
                code: detail.code.or_else(|| code.clone()),
                bank_code: detail.bank_code.or_else(|| bank_code.clone()),
                merchant_code: detail.merchant_code,
                statement: self.statement.clone(),
            });
        }
        Ok(())
    }
}
