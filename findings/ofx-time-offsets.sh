#!/usr/bin/env bash
# The time of an OFX transaction with an offset, read by two libraries.
# Seen 2026-11-30: ofxparse 0.21 drops an offset that has no zone's name (`20190502235959[-8]` stays on 2 May, ofxtools 1.1.1
# says 3 May 07:59:59 UTC), and reads `[5.30:IST]` as 5.3 hours where ofxtools reads 5 hours 30 minutes: 12 minutes apart.
# ofxtools in turn refuses `[+5.5:IST]`, which ofxparse reads as 5 hours 30 minutes. So the day of a late transaction depends
# on the reader.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet ofxparse==0.21 ofxtools==1.1.1
cd "$work"
venv/bin/python - <<'PYTHON'
import io

import ofxparse
from ofxtools.Parser import OFXTree

HEADER = (
    "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\nCOMPRESSION:NONE\n"
    "OLDFILEUID:NONE\nNEWFILEUID:NONE\n\n"
)
BODY = (
    "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>20190601<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>"
    "<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS><CURDEF>EUR"
    "<BANKACCTFROM><BANKID>1<ACCTID>2<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><DTSTART>20190501<DTEND>20190531"
    "<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>{}<TRNAMT>-1.00<FITID>1<NAME>X</STMTTRN></BANKTRANLIST>"
    "<LEDGERBAL><BALAMT>1.00<DTASOF>20190531</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
)


def read(time):
    statement = (HEADER + BODY.format(time)).encode()
    first = str(ofxparse.OfxParser.parse(io.BytesIO(statement)).account.statement.transactions[0].date)
    tree = OFXTree()
    tree.parse(io.BytesIO(statement))
    try:
        second = str(tree.convert().statements[0].transactions[0].dtposted)
    except ValueError as error:
        second = type(error).__name__
    print(time, "ofxparse:", first, "ofxtools:", second)
    return first, second


assert read("20190502120000.000[-5:EST]") == ("2019-05-02 17:00:00", "2019-05-02 17:00:00+00:00")
assert read("20190502235959[-8]") == ("2019-05-02 23:59:59", "2019-05-03 07:59:59+00:00")
assert read("20190502120000[5.30:IST]") == ("2019-05-02 06:42:00", "2019-05-02 06:30:00+00:00")
assert read("20190502000000[+5.5:IST]") == ("2019-05-01 18:30:00", "OFXSpecError")
PYTHON
