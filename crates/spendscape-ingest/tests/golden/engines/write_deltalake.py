"""The Parquet file inside a Delta table that deltalake 1.6.6 (delta-rs) writes."""
# pip install deltalake==1.6.6 pyarrow==26.0.1

import glob
import shutil
import tempfile

import ledger as l
import pyarrow as pa
from deltalake import write_deltalake

nested = pa.struct([("amount", pa.decimal128(18, 2)), ("currency", pa.string())])
table = pa.table(
    {
        "customer": pa.array(l.CUSTOMER),
        "customer_category": pa.array(l.CUSTOMER).dictionary_encode(),
        "customer_view": pa.array(l.CUSTOMER, pa.string_view()),
        "customer_bytes": pa.array(l.BYTES),
        "customer_number": pa.array(l.NUMBER, pa.int64()),
        "time_us": pa.array(l.TIME, pa.timestamp("us")),
        "time_utc": pa.array(l.TIME_UTC, pa.timestamp("us", "UTC")),
        "day": pa.array(l.DAY),
        "amount_9": pa.array(l.AMOUNT, pa.decimal128(9, 2)),
        "amount_18": pa.array(l.AMOUNT, pa.decimal128(18, 2)),
        "amount_38": pa.array(l.AMOUNT, pa.decimal128(38, 10)),
        "amount_double": pa.array(l.DOUBLE),
        "amount_cents": pa.array(l.CENTS, pa.int64()),
        "amount_cents_32": pa.array(l.CENTS, pa.int32()),
        "amount_text": pa.array(l.AMOUNT_TEXT),
        "class": pa.array(l.CLASS).dictionary_encode(),
        "nested": pa.array(l.NESTED, nested),
        "tags": pa.array(l.TAGS, pa.list_(pa.string())),
    }
)
folder = tempfile.mkdtemp()
write_deltalake(folder, table)
(part,) = glob.glob(folder + "/*.parquet")
shutil.copyfile(part, l.parquet("deltalake"))
