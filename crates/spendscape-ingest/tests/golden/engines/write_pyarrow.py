"""PyArrow 26.0.1: every type of Arrow that Parquet holds. `pyarrow-int96` is what older Spark and Impala ask of it."""
# pip install pyarrow==26.0.1

import ledger as l
import pyarrow as pa
import pyarrow.parquet as pq

nested = pa.struct([("amount", pa.decimal128(18, 2)), ("currency", pa.string())])
columns = {
    "customer": pa.array(l.CUSTOMER),
    "customer_large": pa.array(l.CUSTOMER, pa.large_string()),
    "customer_view": pa.array(l.CUSTOMER, pa.string_view()),
    "customer_category": pa.array(l.CUSTOMER).dictionary_encode(),
    "customer_bytes": pa.array(l.BYTES),
    "customer_uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([i and i.bytes for i in l.UUID], pa.binary(16))),
    "customer_number": pa.array(l.NUMBER, pa.int64()),
    "time_s": pa.array(l.TIME_S, pa.timestamp("s")),
    "time_ms": pa.array(l.TIME_MS, pa.timestamp("ms")),
    "time_us": pa.array(l.TIME, pa.timestamp("us")),
    "time_ns": pa.array(l.NANOS, pa.int64()).cast(pa.timestamp("ns")),
    "time_utc": pa.array(l.MICROS, pa.int64()).cast(pa.timestamp("us", "Europe/Berlin")),
    "day": pa.array(l.DAY),
    "day_ms": pa.array(l.DAY, pa.date64()),
    "amount_9": pa.array(l.AMOUNT, pa.decimal32(9, 2)),
    "amount_18": pa.array(l.AMOUNT, pa.decimal64(18, 2)),
    "amount_38": pa.array(l.AMOUNT, pa.decimal128(38, 10)),
    "amount_76": pa.array(l.AMOUNT, pa.decimal256(76, 38)),
    "amount_double": pa.array(l.DOUBLE),
    "amount_cents": pa.array(l.CENTS, pa.int64()),
    "amount_cents_32": pa.array(l.CENTS, pa.int32()),
    "amount_text": pa.array(l.AMOUNT_TEXT),
    "class": pa.array(l.CLASS).dictionary_encode(),
    "nested": pa.array(l.NESTED, nested),
    "tags": pa.array(l.TAGS, pa.list_(pa.string())),
    "empty": pa.nulls(6),
}
table = pa.table(columns)
pq.write_table(table, l.parquet("pyarrow"))
times = pa.table({"customer": columns["customer"], "time_int96": columns["time_ns"], "amount_9": columns["amount_9"], "class": columns["class"]})
pq.write_table(times, l.parquet("pyarrow-int96"), use_deprecated_int96_timestamps=True, store_schema=False)
