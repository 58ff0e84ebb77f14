"""pandas 3.1.1 with its default engine, PyArrow 26.0.1: the types that a frame has by itself, and those of `convert_dtypes`."""
# pip install pandas==3.1.1 pyarrow==26.0.1

import ledger as l
import pandas as pd

text = pd.Series(l.CUSTOMER)
utc = pd.Series(pd.to_datetime(l.TIME_UTC, utc=True))
frame = pd.DataFrame(
    {
        "customer": text,
        "customer_object": pd.Series(l.CUSTOMER, dtype=object),
        "customer_category": text.astype("category"),
        "customer_bytes": pd.Series(l.BYTES, dtype=object),
        # A whole number with a gap is a float unless a nullable type is asked for.
        "customer_float": pd.Series(l.NUMBER, dtype="float64"),
        "customer_number": pd.Series(l.NUMBER, dtype="Int64"),
        "time_s": pd.Series(l.TIME_S).astype("datetime64[s]"),
        "time_ms": pd.Series(l.TIME_MS).astype("datetime64[ms]"),
        "time_us": pd.Series(pd.to_datetime(l.TIME)),
        "time_ns": pd.Series(pd.to_datetime(pd.Series(l.NANOS, dtype="Int64"))),
        "time_utc": utc,
        "day": pd.Series(l.DAY, dtype=object),
        "amount_9": pd.Series(l.AMOUNT, dtype=object),
        "amount_double": pd.Series(l.DOUBLE),
        "amount_cents": pd.Series(l.CENTS, dtype="Int64"),
        "amount_text": pd.Series(l.AMOUNT_TEXT),
        "class": pd.Series(l.CLASS).astype("category"),
        "nested": pd.Series(l.NESTED, dtype=object),
        "tags": pd.Series(l.TAGS, dtype=object),
        "empty": pd.Series([None] * 6, dtype=object),
    }
)
frame.to_parquet(l.parquet("pandas"))
