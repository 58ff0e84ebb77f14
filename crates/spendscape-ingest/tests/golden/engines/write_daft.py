"""Daft 0.6.14."""
# pip install daft==0.6.14

import glob
import shutil
import tempfile

import daft
import ledger as l
from daft import DataType as T

types = {
    "customer": (T.string(), l.CUSTOMER),
    "customer_bytes": (T.binary(), l.BYTES),
    "customer_number": (T.int64(), l.NUMBER),
    "time_s": (T.timestamp("s"), l.TIME_S),
    "time_ms": (T.timestamp("ms"), l.TIME_MS),
    "time_us": (T.timestamp("us"), l.TIME),
    "time_utc": (T.timestamp("us", "UTC"), l.TIME_UTC),
    "day": (T.date(), l.DAY),
    "amount_9": (T.decimal128(9, 2), l.AMOUNT),
    "amount_18": (T.decimal128(18, 2), l.AMOUNT),
    "amount_38": (T.decimal128(38, 10), l.AMOUNT),
    "amount_double": (T.float64(), l.DOUBLE),
    "amount_cents": (T.int64(), l.CENTS),
    "amount_cents_32": (T.int32(), l.CENTS),
    "amount_text": (T.string(), l.AMOUNT_TEXT),
    "class": (T.string(), l.CLASS),
    "nested": (T.struct({"amount": T.decimal128(18, 2), "currency": T.string()}), l.NESTED),
    "tags": (T.list(T.string()), l.TAGS),
}
frame = daft.from_pydict({name: values for name, (_, values) in types.items()})
frame = frame.select(*[daft.col(name).cast(kind) for name, (kind, _) in types.items()])
folder = tempfile.mkdtemp()
frame.write_parquet(folder)
(part,) = glob.glob(folder + "/*.parquet")
shutil.copyfile(part, l.parquet("daft"))
