"""fastparquet 2026.9.0 from frames of pandas 3.1.1. `fastparquet-int96` is its `times="int96"`."""
# pip install fastparquet==2026.9.0 pandas==3.1.1

import fastparquet
import ledger as l
import pandas as pd

text = pd.Series(l.CUSTOMER)
frame = pd.DataFrame(
    {
        "customer": text,
        "customer_category": text.astype("category"),
        "customer_bytes": pd.Series(l.BYTES, dtype=object),
        "customer_float": pd.Series(l.NUMBER, dtype="float64"),
        "customer_number": pd.Series(l.NUMBER, dtype="Int64"),
        "time_ms": pd.Series(l.TIME_MS).astype("datetime64[ms]"),
        "time_us": pd.Series(pd.to_datetime(l.TIME)),
        "time_ns": pd.Series(pd.to_datetime(pd.Series(l.NANOS, dtype="Int64"))),
        "time_utc": pd.Series(pd.to_datetime(l.TIME_UTC, utc=True)),
        "amount_double": pd.Series(l.DOUBLE),
        "amount_cents": pd.Series(l.CENTS, dtype="Int64"),
        "amount_text": pd.Series(l.AMOUNT_TEXT),
        "class": pd.Series(l.CLASS).astype("category"),
    }
)
encodings = {name: "utf8" for name in ("customer", "amount_text")} | {"customer_bytes": "bytes"}
fastparquet.write(l.parquet("fastparquet"), frame, object_encoding=encodings)
times = frame[["customer", "time_ns", "amount_double", "class"]].rename(columns={"time_ns": "time_int96"})
fastparquet.write(l.parquet("fastparquet-int96"), times, object_encoding="utf8", times="int96")
