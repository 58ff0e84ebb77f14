"""Carquet 0.7.2, a writer in C, from a table of PyArrow 26.0.1."""
# pip install carquet==0.7.2 pyarrow==26.0.1

import carquet
import ledger as l
import pyarrow as pa

nested = pa.struct([("amount", pa.decimal128(18, 2)), ("currency", pa.string())])
table = pa.table(
    {
        "customer": pa.array(l.CUSTOMER),
        "customer_large": pa.array(l.CUSTOMER, pa.large_string()),
        "customer_category": pa.array(l.CUSTOMER).dictionary_encode(),
        "customer_bytes": pa.array(l.BYTES),
        "customer_uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([i and i.bytes for i in l.UUID], pa.binary(16))),
        "customer_number": pa.array(l.NUMBER, pa.int64()),
        "time_s": pa.array(l.TIME_S, pa.timestamp("s")),
        "time_ms": pa.array(l.TIME_MS, pa.timestamp("ms")),
        "time_us": pa.array(l.TIME, pa.timestamp("us")),
        "time_ns": pa.array(l.NANOS, pa.int64()).cast(pa.timestamp("ns")),
        "time_utc": pa.array(l.TIME_UTC, pa.timestamp("us", "UTC")),
        "day": pa.array(l.DAY),
        "day_ms": pa.array(l.DAY, pa.date64()),
        "amount_9": pa.array(l.AMOUNT, pa.decimal128(9, 2)),
        "amount_18": pa.array(l.AMOUNT, pa.decimal128(18, 2)),
        "amount_38": pa.array(l.AMOUNT, pa.decimal128(38, 10)),
        "amount_76": pa.array(l.AMOUNT, pa.decimal256(76, 38)),
        "amount_double": pa.array(l.DOUBLE),
        "amount_cents": pa.array(l.CENTS, pa.int64()),
        "amount_cents_32": pa.array(l.CENTS, pa.int32()),
        "amount_text": pa.array(l.AMOUNT_TEXT),
        "class": pa.array(l.CLASS),
        "nested": pa.array(l.NESTED, nested),
        "tags": pa.array(l.TAGS, pa.list_(pa.string())),
    }
)
carquet.write_table(table, l.parquet("carquet"))
