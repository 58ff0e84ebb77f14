"""The Parquet file inside an Iceberg table that PyIceberg 0.12.0 writes with PyArrow 26.0.1."""
# pip install 'pyiceberg[sql-sqlite,pyarrow]==0.12.0' pyarrow==26.0.1

import glob
import shutil
import tempfile

import ledger as l
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

nested = pa.struct([("amount", pa.decimal128(18, 2)), ("currency", pa.string())])
table = pa.table(
    {
        "customer": pa.array(l.CUSTOMER),
        "customer_bytes": pa.array(l.BYTES),
        "customer_uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([i and i.bytes for i in l.UUID], pa.binary(16))),
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
        "class": pa.array(l.CLASS),
        "nested": pa.array(l.NESTED, nested),
        "tags": pa.array(l.TAGS, pa.list_(pa.string())),
    }
)
folder = tempfile.mkdtemp()
catalog = SqlCatalog("c", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
catalog.create_namespace("bank")
catalog.create_table("bank.ledger", table.schema).append(table)
(part,) = glob.glob(folder + "/**/*.parquet", recursive=True)
shutil.copyfile(part, l.parquet("pyiceberg"))
