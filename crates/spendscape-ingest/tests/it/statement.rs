//! Statements of accounts: camt.053 and camt.052, OFX and QFX, MT940.

use std::{fs, io::Write, path::Path};

use arrow::array::{Array, AsArray};
use arrow::datatypes::TimestampMillisecondType;
use proptest::prelude::*;
use spendscape_ingest::{ColumnMap, Error, IngestReport, ingest, map::Format, propose};
use spendscape_schema::{Table, Taxonomy, arrays::Rows};
use spendscape_store::read_table;

use super::bad_input::{Bench, assert_says};
use crate::NAMES;

/// A map of a format with the place of each row, as a text of all columns that are texts.
fn map(format: &str, rest: &str) -> String {
    let columns = [
        "account",
        "currency",
        "booked",
        "booked_offset",
        "value_date",
        "id",
        "reference",
        "counterparty",
        "counterparty_account",
        "text",
        "code",
        "bank_code",
        "merchant_code",
        "statement",
        "CASE WHEN reversal THEN 'reversal' END",
        "CASE WHEN pending THEN 'pending' END",
    ];
    let shown: Vec<String> = columns.map(|column| format!("coalesce({column}, '')")).to_vec();
    format!(
        "currency = 'EUR'\n[source]\nformat = '{format}'\n{rest}\n[columns]\nclass = \"'f'\"\nplace = \"{}\"\n",
        shown.join(" || '|' || ")
    )
}

fn take(bench: &Bench, map: &str, path: &Path) -> Result<IngestReport, Error> {
    let taxonomy =
        Taxonomy::from_toml("name = 't'\nunmapped = { class = 'x' }\n[classes]\nf = {}\nx = {}").unwrap();
    ingest(&ColumnMap::from_toml(map)?, &taxonomy, &[path], &bench.ledger(), &bench.options())
}

fn ledger(bench: &Bench) -> Rows {
    let rows = read_table(&bench.ledger(), Table::Ledger).unwrap().rows;
    fs::remove_file(bench.ledger()).unwrap();
    rows
}

/// The amounts and what each row says.
#[track_caller]
fn read(map: &str, name: &str, content: impl AsRef<[u8]>) -> (IngestReport, Vec<i64>, Vec<String>) {
    let bench = Bench::new();
    let report = take(&bench, map, &bench.file(name, content)).unwrap();
    let rows = ledger(&bench);
    (report, rows.integer(NAMES.amount_minor).unwrap(), rows.text(NAMES.place).unwrap())
}

#[track_caller]
fn refusal(map: &str, content: impl AsRef<[u8]>) -> String {
    let bench = Bench::new();
    let error = take(&bench, map, &bench.file("raw", content)).unwrap_err();
    assert!(error.is_bad_input() && !bench.ledger().exists(), "{error}");
    error.to_string()
}

/// A camt document of one statement with these entries.
fn camt(version: &str, entries: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}\">\n\
         <BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId><CreDtTm>2019-05-03T07:00:00</CreDtTm></GrpHdr>\n<Stmt><Id>S1</Id>\n\
         <Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>\n\
         <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>\n\
         <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{{CLOSING}}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>\n\
         {entries}</Stmt></BkToCstmrStmt></Document>\n"
    )
}

/// An entry of camt with more elements.
fn entry(amount: &str, direction: &str, status: &str, more: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>{status}<BookgDt><Dt>2019-05-02</Dt></BookgDt>\
         <ValDt><Dt>2019-05-01</Dt></ValDt>{more}</Ntry>\n"
    )
}

const OLD: &str = "<Sts>BOOK</Sts>";
const NEW: &str = "<Sts><Cd>BOOK</Cd></Sts>";

#[test]
fn entries_of_camt_become_rows() {
    let details = "<AcctSvcrRef>B1</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>CCRD</Cd><SubFmlyCd>POSD</SubFmlyCd></Fmly>\
        </Domn><Prtry><Cd>NMSC+106</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>E1</EndToEndId></Refs>\
        <RltdPties><Dbtr>{DBTR}</Dbtr><Cdtr>{CDTR}</Cdtr><CdtrAcct><Id><IBAN>DE02</IBAN></Id></CdtrAcct></RltdPties>\
        <RmtInf><Ustrd>Invoice 7</Ustrd><Ustrd>&amp; <![CDATA[<more>]]> &#xe9;</Ustrd></RmtInf>\
        <CardTx><Tx><Indv><TxCtgy>5411</TxCtgy></Indv></Tx></CardTx></TxDtls></NtryDtls><AddtlNtryInf>card</AddtlNtryInf>";
    let expected = "DE89370400440532013000|EUR|2019-05-02||2019-05-01|B1|E1|SHOP|DE02|Invoice 7 & <more> é|PMNT-CCRD-POSD|NMSC+106|5411\
                    |S1||";
    // Names stand a level deeper from version 8 on, and the status from version 4 on.
    for (version, status, name) in [
        ("02", OLD, "<Nm>{}</Nm>"),
        ("08", NEW, "<Pty><Nm>{}</Nm></Pty>"),
        ("13", NEW, "<Pty><Nm>{}</Nm></Pty>"),
    ] {
        let details = details
            .replace("{DBTR}", &name.replace("{}", "ME"))
            .replace("{CDTR}", &name.replace("{}", "SHOP"));
        let text = camt(version, &entry("12.50", "DBIT", status, &details)).replace("{CLOSING}", "87.50");
        let (report, amounts, rows) = read(&map("camt", ""), "a.xml", &text);
        assert_eq!((amounts, rows), (vec![-1_250], vec![expected.to_owned()]), "{version}");
        assert_eq!((report.unbalanced.count, report.pending.count), (0, 0));
        // With prefixes of namespaces, and within an envelope.
        let prefixed =
            text.replace("</", "</n:").replace("<n:", "<").replace('<', "<n:").replace("<n:/", "</n:");
        let prefixed = prefixed.replace("<n:?", "<?").replace("<n:!", "<!").replace("<n:more>", "<more>");
        let prefixed = prefixed.replace("</n:n:", "</n:").replace("<n:Document xmlns", "<n:Document xmlns:n");
        let prefixed = prefixed.replace("?>\n", "?>\n<Envelope>") + "</Envelope>";
        assert_eq!(read(&map("camt", ""), "a.xml", &prefixed).2, rows_of(expected), "{prefixed}");
    }
}

fn rows_of(row: &str) -> Vec<String> {
    vec![row.to_owned()]
}

#[test]
fn a_reversal_keeps_the_sign_of_the_books() {
    let reversal = "<RvslInd>true</RvslInd>";
    let party = "<NtryDtls><TxDtls><RltdPties><Dbtr><Nm>PAYER</Nm></Dbtr><Cdtr><Nm>PAYEE</Nm></Cdtr></RltdPties></TxDtls></NtryDtls>";
    let entries = [
        entry("10.00", "DBIT", OLD, party),
        // It takes the debit back: money comes in, from the one who had got it.
        entry("10.00", "CRDT", &format!("{reversal}{OLD}"), party),
        entry("5", "CRDT", OLD, party),
        entry("5", "DBIT", &format!("<RvslInd>1</RvslInd>{OLD}"), party),
        entry("1.00", "DBIT", &format!("<RvslInd>false</RvslInd>{OLD}"), party),
    ];
    let text = camt("02", &entries.concat()).replace("{CLOSING}", "99.00");
    let (report, amounts, rows) = read(&map("camt", ""), "a.xml", &text);
    assert_eq!((amounts, report.unbalanced.count), (vec![-1_000, 1_000, 500, -500, -100], 0));
    let parties: Vec<&str> = rows.iter().map(|row| row.split('|').nth(7).unwrap()).collect();
    assert_eq!(parties, ["PAYEE", "PAYEE", "PAYER", "PAYER", "PAYEE"]);
    let reversed: Vec<bool> = rows.iter().map(|row| row.contains("reversal")).collect();
    assert_eq!(reversed, [false, true, false, true, false]);
    // Where balances say otherwise, the statement is named.
    let other = text.replace("99.00", "79.00");
    let (report, ..) = read(&map("camt", ""), "a.xml", &other);
    assert_eq!(report.unbalanced.count, 1);
    assert_says(
        &report.unbalanced.examples[0].to_string(),
        &["a.xml", "(line 4)", "sum to -1.00", "from 100.00 to 79.00"],
    );
}

#[test]
fn a_batch_is_divided_where_its_parts_sum_to_it() {
    let part = |amount: &str, name: &str| {
        format!(
            "<TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs>{amount}<RltdPties><Cdtr><Nm>{name}</Nm></Cdtr></RltdPties></TxDtls>"
        )
    };
    let own = |amount: &str| format!("<Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd>");
    let early = |amount: &str| format!("<AmtDtls><TxAmt><Amt Ccy=\"EUR\">{amount}</Amt></TxAmt></AmtDtls>");
    let batch = |parts: &[String]| {
        let details = format!("<AcctSvcrRef>B</AcctSvcrRef><NtryDtls>{}</NtryDtls>", parts.concat());
        camt("04", &entry("30.00", "DBIT", NEW, &details)).replace("{CLOSING}", "70.00")
    };
    for amount in [own as fn(&str) -> String, early] {
        let parts = [part(&amount("10.00"), "a"), part(&amount("20.00"), "b")];
        let (report, amounts, rows) = read(&map("camt", ""), "a.xml", batch(&parts));
        assert_eq!((amounts, report.unbalanced.count), (vec![-1_000, -2_000], 0));
        assert_says(&rows[0], &["|B/1|a|a|"]);
        assert_says(&rows[1], &["|B/2|b|b|"]);
    }
    // One that goes the other way.
    let back = "<Amt Ccy=\"EUR\">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>";
    let parts = [part(&own("35.00"), "a"), part(back, "b")];
    assert_eq!(read(&map("camt", ""), "a.xml", batch(&parts)).1, [-3_500, 500]);
    // Parts that are unknown, of another currency, or do not sum to it: what was booked is one row.
    let dollars = "<Amt Ccy=\"USD\">10.00</Amt>";
    for parts in [
        [part("", "a"), part(&own("20.00"), "b")],
        [part(dollars, "a"), part(&own("20.00"), "b")],
        [part(&own("10.00"), "a"), part(&own("20.01"), "b")],
    ] {
        let (_, amounts, rows) = read(&map("camt", ""), "a.xml", batch(&parts));
        assert_eq!(amounts, [-3_000]);
        assert_says(&rows[0], &["|B||||"]);
    }
}

#[test]
fn pending_entries_are_left_out_and_counted() {
    let entries = [
        entry("1.00", "DBIT", NEW, ""),
        entry("2.00", "DBIT", "<Sts><Cd>PDNG</Cd></Sts>", ""),
        entry("3.00", "DBIT", "<Sts>PDNG</Sts>", "").replace("<BookgDt><Dt>2019-05-02</Dt></BookgDt>", ""),
        entry("4.00", "DBIT", "<Sts>INFO</Sts>", ""),
    ];
    let text = camt("08", &entries.concat()).replace("{CLOSING}", "99.00");
    let (report, amounts, _) = read(&map("camt", ""), "a.xml", &text);
    assert_eq!((amounts, report.pending.count, report.unbalanced.count), (vec![-100], 3, 0));
    let (report, amounts, rows) = read(&map("camt", "pending = true"), "a.xml", &text);
    assert_eq!((amounts, report.pending.count), (vec![-100, -200, -300, -400], 0));
    let none = camt("08", &entry("2.00", "DBIT", "<Sts><Cd>PDNG</Cd></Sts>", ""));
    assert_says(
        &refusal(&map("camt", ""), none.replace("{CLOSING}", "100.00")),
        &["none", "`source.pending`", "1 entries"],
    );
    // Without a day of booking, that of the value.
    assert_says(&rows[2], &["|2019-05-01||2019-05-01|", "|pending"]);
}

#[test]
fn the_first_version_of_camt_is_read() {
    let text = camt("01", &entry("1.00", "DBIT", OLD, "")).replace("{CLOSING}", "99.00");
    let text = text.replace("BkToCstmrStmt>", "BkToCstmrStmtV01>").replace("<IBAN>", "<PrtryAcct><Id>");
    let (_, amounts, rows) = read(&map("camt", ""), "a.xml", text.replace("</IBAN>", "</Id></PrtryAcct>"));
    assert_eq!(amounts, [-100]);
    assert_says(&rows[0], &["DE89370400440532013000|EUR|2019-05-02"]);
}

#[test]
fn days_may_be_times_with_offsets() {
    let timed = |time: &str| {
        let text = camt("08", &entry("1.00", "DBIT", NEW, "")).replace("{CLOSING}", "99.00");
        text.replace("<BookgDt><Dt>2019-05-02</Dt>", &format!("<BookgDt><DtTm>{time}</DtTm>"))
    };
    let bench = Bench::new();
    let local = |map: &str, time: &str| {
        take(&bench, map, &bench.file("a.xml", timed(time))).unwrap();
        let rows = ledger(&bench);
        let times = rows.batch().column_by_name(NAMES.time).unwrap();
        let millis = times.as_primitive::<TimestampMillisecondType>().value(0);
        millis / 1_000 - 1_556_755_200
    };
    // As the bank wrote it, in its own zone.
    assert_eq!(local(&map("camt", ""), "2019-05-02T13:45:00.123+02:00"), 13 * 3_600 + 45 * 60);
    assert_eq!(local(&map("camt", ""), "2019-05-02T23:45:00Z"), 23 * 3_600 + 45 * 60);
    // As an instant, where the map asks for it.
    let instant = map("camt", "").replace("class =", "time = 'booked || booked_offset'\nclass =")
        + "[time]\nformats = ['%Y-%m-%dT%H:%M:%S%:z']\nzone = 'Europe/Berlin'\n";
    assert_eq!(local(&instant, "2019-05-02T23:45:00Z"), 25 * 3_600 + 45 * 60);
    assert_says(
        &refusal(&map("camt", ""), timed("2019-05-02 13:45")),
        &["row 1 (line 8)", "\"2019-05-02 13:45\"", "day"],
    );
}

#[test]
fn a_default_map_reads_statements() {
    let card =
        "<NtryDtls><TxDtls><CardTx><Tx><Indv><TxCtgy>5411</TxCtgy></Indv></Tx></CardTx></TxDtls></NtryDtls>";
    let code = "<BkTxCd><Domn><Cd>PMNT</Cd></Domn></BkTxCd>";
    let text = camt("08", &[entry("1.00", "DBIT", NEW, card), entry("2.00", "DBIT", NEW, code)].concat());
    let bench = Bench::new();
    let taxonomy =
        Taxonomy::from_toml("name = 't'\n[classes]\nf = { codes = ['5411'] }\nx = { codes = ['PMNT'] }")
            .unwrap();
    let map = ColumnMap::from_toml("currency = 'EUR'\nsource = { format = 'camt' }\n").unwrap();
    let path = bench.file("a.xml", text.replace("{CLOSING}", "97.00"));
    ingest(&map, &taxonomy, &[path], &bench.ledger(), &bench.options()).unwrap();
    let rows = ledger(&bench);
    assert_eq!(rows.integer(NAMES.amount_minor).unwrap(), [-100, -200]);
    assert_eq!(rows.text(NAMES.class).unwrap(), ["f", "x"]);
    assert_eq!(rows.text(NAMES.customer).unwrap(), ["DE89370400440532013000"; 2]);
}

#[test]
fn other_currencies_are_not_added() {
    let text = camt("08", &[entry("1.00", "DBIT", NEW, ""), entry("2.00", "DBIT", NEW, "")].concat());
    let text = text.replace("{CLOSING}", "97.00").replace("Ccy=\"EUR\">2.00", "Ccy=\"USD\">2.00");
    assert_says(
        &refusal(&map("camt", ""), &text),
        &["row 2 (line 9)", "in USD", "rows.where = \"currency = 'EUR'\""],
    );
    let filtered = map("camt", "") + "[rows]\nwhere = \"currency = 'EUR'\"\n";
    assert_eq!(read(&filtered, "a.xml", &text).1, [-100]);
}

#[test]
fn damaged_and_hostile_markup_is_refused() {
    let plain = map("camt", "");
    let text = camt("08", &entry("1.00", "DBIT", NEW, "")).replace("{CLOSING}", "99.00");
    let with = |from: &str, to: &str| refusal(&plain, text.replace(from, to));
    assert_says(&with("</Stmt></BkToCstmrStmt></Document>", ""), &["raw, row 2 (line 10)", "cut"]);
    assert_says(&with("</Stmt>", "</Stmd>"), &["raw", "markup is damaged"]);
    assert_says(&with("1.00<", "1,00.<"), &["row 1 (line 8)", "\"1,00.\" as an amount"]);
    assert_says(&with("1.00<", "-1.00<"), &["\"-1.00\" as an amount"]);
    assert_says(&with("Ccy=\"EUR\">1.00", ">1.00"), &["row 1 (line 8)", "no currency (Ccy)"]);
    assert_says(&with("<CdtDbtInd>DBIT</CdtDbtInd>", ""), &["no CdtDbtInd"]);
    assert_says(&with("DBIT", "DEBIT"), &["\"DEBIT\" says neither debit nor credit"]);
    assert_says(
        &with("<BookgDt><Dt>2019-05-02</Dt></BookgDt><ValDt><Dt>2019-05-01</Dt></ValDt>", ""),
        &["no day"],
    );
    assert_says(&with("<IBAN>DE89370400440532013000</IBAN>", ""), &["no account"]);
    // Entities that grow when they are expanded.
    let laughs =
        text.replace("<Document", "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]>\n<Document");
    assert_eq!(read(&plain, "a.xml", &laughs).1, [-100]);
    assert_says(&refusal(&plain, laughs.replace(">S1<", ">&b;<")), &["the entity &b;"]);
    let deep = "<a>".repeat(200);
    assert_says(&with("<GrpHdr>", &deep), &["nested more than 100 deep"]);
    let long = "x".repeat(3 << 20);
    assert_says(&with("<MsgId>", &format!("<MsgId>{long}")), &["longer than 1048576 bytes"]);
    let many = "<y>x</y>".repeat(1 << 20) + &"<x>xxxxxxxxxxxxxxxx</x>".repeat(1 << 18);
    assert_says(&with("<ValDt>", &format!("{many}<ValDt>")), &["longer than 4194304 bytes"]);
    // Other files.
    for (format, content, what) in [
        ("camt", "<a/>".to_owned(), "not a camt.053 or camt.052 document"),
        ("camt", text.replace("BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn"), "a camt.054 repeats entries"),
        ("ofx", text.clone(), "not an OFX"),
        ("mt940", text.clone(), "not an MT940"),
        ("camt", String::new(), "not a camt.053"),
    ] {
        assert_says(&refusal(&map(format, ""), content), &["raw is ", what]);
    }
    let wrong = |text: &str| ColumnMap::from_toml(text).unwrap_err().to_string();
    assert_says(
        &wrong(&map("camt", "delimiter = ';'")),
        &["source.format", "statements have a form of their own"],
    );
    assert_says(
        &wrong(&(map("camt", "") + "[types]\namount = 'integer'\n")),
        &["types", "remove \"amount\""],
    );
    let csv =
        map("csv", "pending = true").replace("class =", "amount = 'a'\ncustomer = 'a'\ntime = 'a'\nclass =");
    assert_says(&wrong(&csv), &["source.pending"]);
}

#[test]
fn encodings_and_packed_statements_are_read() {
    let text = camt("08", &entry("1.00", "DBIT", NEW, "<AddtlNtryInf>Žabka</AddtlNtryInf>"))
        .replace("{CLOSING}", "99.00");
    let central = text.replace("UTF-8", "windows-1250");
    let central: Vec<u8> =
        central.chars().map(|letter| if letter == 'Ž' { 0x8e } else { letter as u8 }).collect();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&central).unwrap();
    let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for content in [text.clone().into_bytes(), central.clone(), gz.finish().unwrap(), utf16] {
        let (_, _, rows) = read(&map("camt", ""), "a.xml", content);
        assert_says(&rows[0], &["|Žabka|"]);
    }
    let unnamed = String::from_utf8_lossy(&central).replace("windows-1250", "utf-8");
    assert!(unnamed.contains('\u{fffd}'));
    let mut wrong = central;
    let at = wrong.windows(12).position(|bytes| bytes == b"windows-1250").unwrap();
    wrong[at..at + 12].copy_from_slice(b"utf-8\"      ");
    assert_says(&refusal(&map("camt", ""), wrong), &["raw, row 1 (line 8)", "not UTF-8"]);
}

const OFX: &str = "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nSECURITY:NONE\r\nENCODING:USASCII\r\nCHARSET:1252\r\n\r\n\
<OFX>\r\n<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>20190503120000[-5:EST]<LANGUAGE>ENG\r\n\
</SONRS></SIGNONMSGSRSV1>\r\n<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STMTRS>\r\n<CURDEF>EUR\r\n<BANKACCTFROM>\r\n<BANKID>121\r\n\
<ACCTID>999\r\n<ACCTTYPE>CHECKING\r\n</BANKACCTFROM>\r\n<BANKTRANLIST>\r\n<DTSTART>20190501\r\n<DTEND>20190531\r\n\
<STMTTRN>\r\n<TRNTYPE>POS\r\n<DTPOSTED>20190502120000.000[-5:EST]\r\n<DTAVAIL>20190503\r\n<TRNAMT>-12.50\r\n<FITID>F1\r\n<SIC>5411\r\n\
<NAME>CAF\u{c9} A & B\r\n<MEMO>\r\n</STMTTRN>\r\n\
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20190504<TRNAMT>1500,00<FITID>F2<CHECKNUM>77<PAYEE><NAME>ACME &amp; CO<CITY>X</PAYEE>\
<BANKACCTTO><BANKID>5<ACCTID>555<ACCTTYPE>CHECKING</BANKACCTTO><MEMO>pay</STMTTRN>\r\n</BANKTRANLIST>\r\n\
<LEDGERBAL><BALAMT>10<DTASOF>20190531</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1>\r\n\
<CREDITCARDMSGSRSV1><CCSTMTTRNRS><CCSTMTRS><CURDEF>EUR<CCACCTFROM><ACCTID>4111</CCACCTFROM><BANKTRANLIST>\r\n\
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20190505<TRNAMT>-7<FITID>F3<NAME>SHOP</STMTTRN></BANKTRANLIST></CCSTMTRS></CCSTMTTRNRS>\
</CREDITCARDMSGSRSV1></OFX>\r\n";

const OFX_ROWS: [&str; 3] = [
    "999|EUR|2019-05-02T12:00:00|-05:00|2019-05-03|F1||CAFÉ A & B|||POS||5411|||",
    "999|EUR|2019-05-04|||F2|77|ACME & CO|555|pay|CREDIT|||||",
    "4111|EUR|2019-05-05|||F3||SHOP|||DEBIT|||||",
];

#[test]
fn ofx_of_both_kinds_is_read() {
    let latin: Vec<u8> = OFX.chars().map(|letter| letter as u8).collect();
    let (report, amounts, rows) = read(&map("ofx", ""), "a.qfx", &latin);
    assert_eq!((amounts, rows), (vec![-1_250, 150_000, -700], OFX_ROWS.map(str::to_owned).to_vec()));
    assert_eq!(report.rows_read, 3);
    // All tags closed, as XML has them.
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?OFX OFXHEADER=\"200\" VERSION=\"220\"?>\n",
    );
    let body = OFX.split_once("\r\n\r\n").unwrap().1.replace("A & B", "A &amp; B").replace("\r\n", "");
    for piece in body.split('<').skip(1) {
        let (tag, value) = piece.split_once('>').unwrap();
        xml += &format!("<{tag}>{value}");
        if !value.is_empty() || tag == "MEMO" {
            xml += &format!("</{tag}>\n");
        }
    }
    assert_eq!(read(&map("ofx", ""), "a.ofx", &xml).2, OFX_ROWS);
    let small = xml.to_ascii_lowercase().replace("eur", "EUR");
    assert_eq!(read(&map("ofx", ""), "a.ofx", &small).1, [-1_250, 150_000, -700]);
}

#[test]
fn what_ofx_may_say_otherwise_is_refused_or_kept() {
    let plain = map("ofx", "");
    let latin = |text: &str| -> Vec<u8> { text.chars().map(|letter| letter as u8).collect() };
    let with = |from: &str, to: &str| {
        assert!(OFX.contains(from));
        refusal(&plain, latin(&OFX.replacen(from, to, 1)))
    };
    let end = OFX.find("<STMTTRN><TRNTYPE>DEBIT").unwrap();
    assert_says(&refusal(&plain, latin(&OFX[..end])), &["raw, row 3 (line 3", "</OFX>", "cut"]);
    assert_says(&with("-12.50", "-1,250"), &["row 1 (line 21)", "\"-1,250\"", "','"]);
    assert_says(&with("-12.50", "12.50.0"), &["\"12.50.0\" as an amount"]);
    assert_says(&with("<TRNAMT>-12.50\r\n", ""), &["row 1", "no amount (TRNAMT)"]);
    assert_says(&with("20190502120000.000[-5:EST]", "2019-05-02"), &["\"2019-05-02\" as a day"]);
    assert_says(
        &with("<FITID>F2", "<FITID>F2<CORRECTFITID>F1<CORRECTACTION>DELETE"),
        &["row 2", "\"F1\"", "CORRECTFITID"],
    );
    // An amount in a currency of its own; one that was converted before.
    assert_says(
        &with("<FITID>F2", "<FITID>F2<CURRENCY><CURRATE>1.1<CURSYM>USD</CURRENCY>"),
        &["row 2", "in USD"],
    );
    let converted = OFX.replace("<FITID>F2", "<FITID>F2<ORIGCURRENCY><CURRATE>1.1<CURSYM>USD</ORIGCURRENCY>");
    assert_eq!(read(&plain, "a.ofx", latin(&converted)).2, OFX_ROWS);
    // A whole document without a transaction.
    assert_says(&refusal(&plain, "OFXHEADER:100\n\n<OFX></OFX>"), &["none of the 0 rows"]);
    let pending = OFX.replace(
        "</BANKTRANLIST></CCSTMTRS>",
        "</BANKTRANLIST><BANKTRANLISTP><STMTTRNP><TRNTYPE>DEBIT<DTTRAN>20190506\
        <TRNAMT>-9<NAME>LATER</STMTTRNP></BANKTRANLISTP></CCSTMTRS>",
    );
    let (report, amounts, _) = read(&plain, "a.ofx", latin(&pending));
    assert_eq!((amounts.len(), report.pending.count), (3, 1));
    assert_eq!(
        read(&map("ofx", "pending = true"), "a.ofx", latin(&pending)).1,
        [-1_250, 150_000, -700, -900]
    );
}

const MT940: &str = "{1:F01BANKDEFFXXXX0000000000}{2:I940BANKDEFFXXXXN}{4:\r\n:20:STARTUMS\r\n:25:10020030/1234567EUR\r\n:28C:1/1\r\n\
:60F:C181228EUR1000,00\r\n:61:1812310102DR12,50NMSCREF1//B1\r\nCARD 1\r\n:86:106?00KARTE?20SVWZ+Einkauf?30BANKDEFF?31DE02?32SHOP\r\n \
GMBH\r\n:61:1901020102CR1500,NTRFNONREF\r\n:86:166?00GUTSCHRIFT?20Lohn?32ACME\r\n:61:190103RDR20,00NRTINONREF//B3\r\n\
:61:190103RC5,25NRTINONREF//B4\r\n:86:/TRTP/RETURN/IBAN/NL47/NAME/X/REMI/back/\r\n:61:190104D1,NCHGNONREF\r\n:86:Fee\r\n:NS:x\r\n\
:62F:C190104EUR2501,25\r\n:64:C190104EUR2501,25\r\n:86:end of statement\r\n-}\r\n";

const MT940_ROWS: [&str; 5] = [
    "10020030/1234567|EUR|2019-01-02||2018-12-31|B1|REF1|SHOP GMBH|DE02|SVWZ+Einkauf|NMSC|106||STARTUMS||",
    "10020030/1234567|EUR|2019-01-02||2019-01-02|||ACME||Lohn|NTRF|166||STARTUMS||",
    "10020030/1234567|EUR|2019-01-03||2019-01-03|B3|||||NRTI|||STARTUMS|reversal|",
    "10020030/1234567|EUR|2019-01-03||2019-01-03|B4||X|NL47|back|NRTI|||STARTUMS|reversal|",
    "10020030/1234567|EUR|2019-01-04||2019-01-04|||||Fee|NCHG|||STARTUMS||",
];

/// What of two counts is not for a reader to guess, and what has no end is cut.
#[test]
fn what_is_there_twice_or_has_no_end_is_refused() {
    // Two elements where a statement has one, and a state that is none.
    let text = camt("08", &entry("1.00", "DBIT", NEW, "{MORE}")).replace("{CLOSING}", "99.00");
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        refusal(&map("camt", ""), text.replace(from, to).replace("{MORE}", ""))
    };
    for (more, name) in [
        ("<Amt Ccy=\"EUR\">9.00</Amt>", "Amt"),
        ("<CdtDbtInd>CRDT</CdtDbtInd>", "CdtDbtInd"),
        ("<BookgDt><Dt>2020-05-02</Dt></BookgDt>", "BookgDt"),
        ("<Sts><Cd>PDNG</Cd></Sts>", "Sts"),
        (
            "<NtryDtls><TxDtls><Amt Ccy=\"EUR\">1.00</Amt><Amt Ccy=\"EUR\">2.00</Amt></TxDtls></NtryDtls>",
            "Amt",
        ),
    ] {
        assert_says(
            &with("{MORE}", more),
            &["raw, row 1 (line 8)", &format!("{name} is there more than once")],
        );
    }
    assert_says(
        &with("</Acct>", "</Acct><Acct><Id><IBAN>DE02</IBAN></Id></Acct>"),
        &["(line 5)", "the account (Acct)"],
    );
    for state in ["BOKED", "book"] {
        assert_says(
            &with("BOOK", state),
            &["row 1", &format!("\"{state}\" does not say whether it is booked")],
        );
    }
    // The sign that the standard does not have before decimals.
    assert_says(&with("1.00<", "1,000<"), &["row 1 (line 8)", "',' of \"1,000\"", "'.'"]);
    assert_eq!(
        read(&map("camt", ""), "a.xml", text.replace("1.00<", "1,00<").replace("{MORE}", "")).1,
        [-100]
    );

    let latin = |text: &str| -> Vec<u8> { text.chars().map(|letter| letter as u8).collect() };
    let with = |from: &str, to: &str| {
        assert!(OFX.contains(from), "{from}");
        refusal(&map("ofx", ""), latin(&OFX.replacen(from, to, 1)))
    };
    for (from, name) in [
        ("<TRNAMT>-12.50", "TRNAMT"),
        ("<DTPOSTED>20190504", "DTPOSTED"),
        ("<FITID>F2", "FITID"),
        ("<ACCTID>4111", "ACCTID"),
        ("<CURDEF>EUR<CCACCTFROM>", "CURDEF"),
    ] {
        let twice = format!("<{name}>{}{from}", if name == "CURDEF" { "USD" } else { "20190607" });
        assert_says(&with(from, &twice), &["raw, row ", &format!("{name} is there more than once")]);
    }
    // A transaction that is not ended would be lost, before another one, at the end of the list, and in a second document.
    for (text, line) in [
        (OFX.replacen("<MEMO>\r\n</STMTTRN>", "<MEMO>\r\n", 1), "line 21"),
        (OFX.replacen("<MEMO>pay</STMTTRN>", "<MEMO>pay", 1), "line 31"),
    ] {
        assert_says(
            &refusal(&map("ofx", ""), latin(&text)),
            &["raw, row ", line, "it has no end (</STMTTRN>)"],
        );
    }
    let second = &OFX[..OFX.find("<LEDGERBAL>").unwrap()];
    assert_says(&refusal(&map("ofx", ""), latin(&format!("{OFX}{second}"))), &["before </OFX>", "cut"]);
    assert_eq!(read(&map("ofx", ""), "a.ofx", latin(&format!("{OFX}{OFX}"))).1.len(), 6);

    let with = |from: &str, to: &str| {
        assert!(MT940.contains(from), "{from}");
        refusal(&map("mt940", ""), MT940.replacen(from, to, 1))
    };
    assert_says(&with(":28C:", ":25:99\r\n:28C:"), &["line 4", ":25: is there more than once"]);
    assert_says(
        &with(":61:181231", ":60F:C181228EUR1,00\r\n:61:181231"),
        &["line 6", ":60F: is there more than once"],
    );
    // A file that is cut where a number of its last amount is, and one that is cut between entries.
    for end in ["1500", "CARD 1\r\n", ":86:Fee\r\n"] {
        let cut = &MT940[..MT940.find(end).unwrap() + end.len()];
        assert_says(&refusal(&map("mt940", ""), cut), &["raw, row ", ":62F:", "is the file cut?"]);
        assert_says(&refusal(&map("mt940", ""), format!("{cut}\r\n{MT940}")), &["raw, row ", ":62F:"]);
    }
    let ended = MT940.replace(":62F:C190104EUR2501,25\r\n:64:C190104EUR2501,25\r\n", "");
    assert_eq!(read(&map("mt940", ""), "a.sta", ended).1.len(), 5);
}

/// What stands behind the amount of MT940 begins with a letter of its own: else it is part of the amount.
#[test]
fn an_amount_of_mt940_ends_where_its_code_begins() {
    let with = |amount: &str| MT940.replacen("DR12,50NMSC", &format!("DR{amount}NMSC"), 1);
    for amount in ["1O,00", "1 000,00", "1'000,00", "1\u{a0}000,00", "12,5O", "12,50-", "12,50 EUR", "1,2 5"]
    {
        assert_says(&refusal(&map("mt940", ""), with(amount)), &["raw, row 1 (line 6)", "as an entry"]);
    }
    assert_says(&refusal(&map("mt940", ""), with("1.200")), &["row 1 (line 6)", "'.' of \"1.200\"", "','"]);
    assert_eq!(read(&map("mt940", ""), "a.sta", with("12.50 ")).1[0], -1_250);
    // A tag behind spaces would make its entry part of the field before it.
    for before in [" ", "\t", "\u{a0}", "\u{feff}"] {
        let text = MT940.replacen(":61:190102", &format!("{before}:61:190102"), 1);
        assert_says(
            &refusal(&map("mt940", ""), text),
            &["raw, row 2 (line 10)", "a tag must begin its line"],
        );
    }
}

#[test]
fn mt940_is_read_with_its_reversals() {
    let (report, amounts, rows) = read(&map("mt940", ""), "a.sta", MT940);
    assert_eq!(amounts, [-1_250, 150_000, 2_000, -525, -100]);
    assert_eq!((rows, report.unbalanced.count), (MT940_ROWS.map(str::to_owned).to_vec(), 0));
    // Line feeds only, without an envelope, with lines of a bank's own above, and twice.
    let bare = MT940.replace("\r\n", "\n").split_once('\n').unwrap().1.replace("-}", "-");
    let twice = format!("ABNANL2A\n940\nABNANL2A\n{bare}{bare}");
    let (report, amounts, _) = read(&map("mt940", ""), "a.sta", &twice);
    assert_eq!((amounts.len(), report.unbalanced.count), (10, 0));
    // A dialect whose marks mean the other way shows itself by its balances.
    let (report, ..) = read(&map("mt940", ""), "a.sta", MT940.replace("2501,25", "2471,75"));
    assert_eq!(report.unbalanced.count, 1);
    assert_says(
        &report.unbalanced.examples[0].to_string(),
        &["(line 2)", "sum to 1501.25", "1000.00 to 2471.75"],
    );
}

#[test]
fn what_is_no_line_of_mt940_is_refused() {
    let plain = map("mt940", "");
    let with = |from: &str, to: &str| {
        assert!(MT940.contains(from));
        refusal(&plain, MT940.replacen(from, to, 1))
    };
    assert_says(
        &with("DR12,50", "X12,50"),
        &["raw, row 1 (line 6)", "1812310102X12,50NMSCREF1//B1", "value date"],
    );
    assert_says(&with("12,50", "12.50,1"), &["row 1 (line 6)", "\"12.50,1\" as an amount"]);
    assert_says(&with("1812310102", "1813310102"), &["\"181331\" as a day"]);
    assert_says(&with("1812310102", "1812311302"), &["\"1302\" as a day"]);
    assert_says(&with(":60F:C181228EUR", ":60F:181228EUR"), &["(line 5)", "a balance"]);
    assert_says(&with(":60F:C181228EUR1000,00\r\n", ""), &["row 1", "no currency (:60F:)"]);
    assert_says(&with(":25:10020030/1234567EUR\r\n", ""), &["row 1", "no account (:25:)"]);
    // Also where the entry before is not given away yet.
    assert_says(&with(":61:190103RC5", ":61:190103X5"), &["row 4 (line 13)", "190103X5"]);
    let long = "x".repeat(1 << 17);
    assert_says(&with("CARD 1", &long), &["(line 7)", "longer than 65536 bytes"]);
    let lines = "y\r\n".repeat(2_000);
    assert_says(&with("CARD 1\r\n", &lines), &["row 1 (line 6)", "more than 1000 lines"]);
    let western: Vec<u8> = MT940.replace("Fee", "Geb\u{fc}hr").chars().map(|letter| letter as u8).collect();
    assert_says(&refusal(&plain, &western), &["row 5 (line 16)", "not UTF-8"]);
    let (_, _, rows) = read(&map("mt940", "encoding = 'iso-8859-1'"), "a.sta", western);
    assert_says(&rows[4], &["|Gebühr|"]);
    // Interim reports have entries that are expected.
    let interim = ":20:R1\n:25:777\n:34F:EUR0,\n:61:190502EC5,NTRFNONREF\n:61:190502C6,NTRFNONREF\n-\n";
    let (report, amounts, _) = read(&plain, "a.sta", interim);
    assert_eq!((amounts, report.pending.count), (vec![600], 1));
}

#[test]
fn files_of_statements_are_read_together() {
    let bench = Bench::new();
    fs::create_dir(bench.folder.path().join("in")).unwrap();
    bench.file("in/1.sta", MT940);
    bench.file("in/2.sta", MT940.replace("1234567", "7654321"));
    let report = take(&bench, &map("mt940", ""), &bench.folder.path().join("in")).unwrap();
    let rows = ledger(&bench);
    assert_eq!((report.rows_written, report.files.len()), (10, 2));
    assert_eq!(rows.text(NAMES.customer).unwrap()[4..6], ["10020030/1234567", "10020030/7654321"]);
    assert!(!rows.batch().column_by_name(NAMES.place).unwrap().is_empty());
}

#[test]
fn statements_are_proposed_by_what_they_hold() {
    let bench = Bench::new();
    let camt = camt("08", &entry("1.00", "DBIT", NEW, "")).replace("{CLOSING}", "99.00");
    let latin: Vec<u8> = OFX.chars().map(|letter| letter as u8).collect();
    for (content, format, encoding, class, amounts) in [
        (camt.into_bytes(), Format::Camt, "utf-8", "coalesce(counterparty, text)", vec![-100]),
        (latin, Format::Ofx, "windows-1252", "coalesce(merchant_code, code)", vec![-1_250, 150_000, -700]),
        (
            MT940.into(),
            Format::Mt940,
            "utf-8",
            "coalesce(code, bank_code)",
            vec![-1_250, 150_000, 2_000, -525, -100],
        ),
    ] {
        let path = bench.file("raw", content);
        let proposal = propose(&[&path]).unwrap();
        let text = proposal.to_toml();
        assert_eq!(ColumnMap::from_toml(&text).unwrap(), proposal.map, "{text}");
        let (source, columns) = (&proposal.map.source, &proposal.map.columns);
        assert_eq!((source.format, source.encoding.name().as_str()), (format, encoding));
        assert_eq!(
            (columns.customer.as_str(), columns.time.as_str(), columns.class.as_str()),
            ("account", "booked", class)
        );
        take(&bench, &text, &path).unwrap();
        assert_eq!(ledger(&bench).integer(NAMES.amount_minor).unwrap(), amounts, "{format:?}");
    }
    // Of several currencies one is taken.
    let dollars = MT940.replace("EUR", "USD");
    let proposal = propose(&[&bench.file("raw", format!("{MT940}{dollars}{dollars}"))]).unwrap();
    assert_eq!(proposal.map.currency, "USD");
    assert_eq!(proposal.map.rows.condition.as_deref(), Some("currency = 'USD'"));
    let empty = propose(&[&bench.file("raw", ":20:A\n:25:1\n-\n")]).unwrap_err();
    assert_says(&empty.to_string(), &["none of the 0 rows"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever becomes of a file on its way, it is read or refused.
    #[test]
    fn damaged_statements_never_panic(
        format in 0_usize..3,
        at in any::<prop::sample::Index>(),
        cut in any::<bool>(),
        bytes in prop::collection::vec(any::<u8>(), 0..6),
    ) {
        let camt = camt("08", &entry("1.00", "DBIT", NEW, "<NtryDtls><TxDtls/></NtryDtls>")).replace("{CLOSING}", "99.00");
        let (name, text) = [("camt", camt.as_str()), ("ofx", OFX), ("mt940", MT940)][format];
        let mut content = text.as_bytes().to_vec();
        let at = at.index(content.len());
        if cut {
            content.truncate(at);
        } else {
            let end = (at + bytes.len()).min(content.len());
            content.splice(at..end, bytes);
        }
        let bench = Bench::new();
        let map = map(name, "encoding = 'windows-1252'");
        match take(&bench, &map, &bench.file("raw", content)) {
            Ok(report) => prop_assert!(report.rows_written <= 6),
            Err(error) => prop_assert!(error.is_bad_input(), "{}", error),
        }
    }
}
