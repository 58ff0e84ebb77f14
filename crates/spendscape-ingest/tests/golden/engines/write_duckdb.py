"""DuckDB 2.0.1."""
# pip install duckdb==2.0.1 pyarrow==26.0.1 pytz

import duckdb
import ledger as l

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
connection.execute("CREATE TYPE customers AS ENUM ('A1', 'B2', 'C3', 'Žofie')")
connection.execute("CREATE TYPE classes AS ENUM ('food', 'rent')")
types = {
    "customer": ("VARCHAR", l.CUSTOMER),
    "customer_enum": ("customers", l.CUSTOMER),
    "customer_bytes": ("BLOB", l.BYTES),
    "customer_uuid": ("UUID", l.UUID),
    "customer_number": ("BIGINT", l.NUMBER),
    "time_s": ("TIMESTAMP_S", l.TIME_S),
    "time_ms": ("TIMESTAMP_MS", l.TIME_MS),
    "time_us": ("TIMESTAMP", l.TIME),
    "time_ns": ("TIMESTAMP_NS", l.TEXT["time"]),
    "time_utc": ("TIMESTAMPTZ", l.TIME_UTC),
    "day": ("DATE", l.DAY),
    "amount_9": ("DECIMAL(9, 2)", l.AMOUNT),
    "amount_18": ("DECIMAL(18, 2)", l.AMOUNT),
    "amount_38": ("DECIMAL(38, 10)", l.AMOUNT),
    "amount_double": ("DOUBLE", l.DOUBLE),
    "amount_cents": ("BIGINT", l.CENTS),
    "amount_cents_32": ("INTEGER", l.CENTS),
    "amount_cents_128": ("HUGEINT", l.CENTS),
    "amount_text": ("VARCHAR", l.AMOUNT_TEXT),
    "class": ("classes", l.CLASS),
    "nested": ("STRUCT(amount DECIMAL(18, 2), currency VARCHAR)", l.NESTED),
    "tags": ("VARCHAR[]", l.TAGS),
}
connection.execute("CREATE TABLE ledger ({})".format(", ".join(f'"{name}" {kind}' for name, (kind, _) in types.items())))
for row in zip(*(values for _, values in types.values())):
    connection.execute("INSERT INTO ledger VALUES ({})".format(", ".join("?" * len(types))), row)
connection.execute(f"COPY ledger TO '{l.parquet('duckdb')}' (FORMAT parquet)")
