"""Polars 2.1.0. `polars-int128` is a file by itself, as some readers refuse the whole file for one such column."""
# pip install polars==2.1.0

import ledger as l
import polars as pl

frame = pl.DataFrame(
    {
        "customer": l.CUSTOMER,
        "customer_category": pl.Series(l.CUSTOMER, dtype=pl.Categorical),
        "customer_enum": pl.Series(l.CUSTOMER, dtype=pl.Enum(["A1", "B2", "C3", "Žofie"])),
        "customer_bytes": l.BYTES,
        "customer_number": l.NUMBER,
        "time_ms": pl.Series(l.TIME_MS, dtype=pl.Datetime("ms")),
        "time_us": l.TIME,
        "time_ns": pl.Series(l.NANOS, dtype=pl.Int64).cast(pl.Datetime("ns")),
        "time_utc": l.TIME_UTC,
        "day": l.DAY,
        "amount_9": pl.Series(l.AMOUNT, dtype=pl.Decimal(9, 2)),
        "amount_18": pl.Series(l.AMOUNT, dtype=pl.Decimal(18, 2)),
        "amount_38": pl.Series(l.AMOUNT, dtype=pl.Decimal(38, 10)),
        "amount_double": l.DOUBLE,
        "amount_cents": l.CENTS,
        "amount_text": l.AMOUNT_TEXT,
        "class": pl.Series(l.CLASS, dtype=pl.Categorical),
        "nested": pl.Series(l.NESTED, dtype=pl.Struct({"amount": pl.Decimal(18, 2), "currency": pl.String})),
        "tags": l.TAGS,
        "empty": [None] * 6,
    }
)
frame.write_parquet(l.parquet("polars"))
wide = frame.select("customer", "time_us", "amount_double", "class", pl.Series("amount_cents_128", l.CENTS, dtype=pl.Int128))
wide.write_parquet(l.parquet("polars-int128"))
