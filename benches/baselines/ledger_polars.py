"""Seconds of Polars (streaming) for the totals per customer, window and class of 30 million rows, and for a CSV file of 3 million
rows to typed columns, a Parquet file and the same totals (the faster way of two): a peer of benches/ledger.rs.

Usage: POLARS_MAX_THREADS=1 ledger_polars.py, after the bench has made its files.
Install: pip install polars. Prints one JSON line per task.
"""
import json
import os
import sys
import time
from datetime import datetime
from pathlib import Path

try:
    import polars as pl
except ImportError:
    print("skipped: polars is not installed", file=sys.stderr)
    sys.exit(0)

# The years 2015 to 2020, the last in months of two.
BOUNDARIES = [datetime(year, 1, 1) for year in range(2015, 2020)]
BOUNDARIES += [datetime(2020, month, 1) for month in range(1, 13, 2)] + [datetime(2021, 1, 1)]
FIRST_SHORT = 5
ROUNDS = 3

target = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).parents[2] / "target"))


def totals(frame):
    when = pl.col("time")
    window = pl.lit(0, dtype=pl.UInt8)
    for boundary in BOUNDARIES[1:-1]:
        window = window + (when >= boundary).cast(pl.UInt8)
    return (
        frame.filter((when >= BOUNDARIES[0]) & (when < BOUNDARIES[-1]))
        .with_columns(window=window)
        .group_by("customer", "window", "class")
        .agg((-pl.col("amount_minor")).sum().alias("total"))
        .collect(engine="streaming")
    )


def grouped(path):
    return totals(pl.scan_parquet(path))


def typed(path):
    schema = {"customer": pl.String, "time": pl.String, "amount": pl.Decimal(12, 2), "class": pl.String}
    time = pl.col("time").str.strptime(pl.Datetime("ms"), "%Y-%m-%d %H:%M:%S")
    minor = (pl.col("amount") * 100).cast(pl.Int64).alias("amount_minor")
    return pl.scan_csv(path, schema=schema).select("customer", time, minor, "class")


def through_memory(path):
    ledger = typed(path).collect(engine="streaming")
    ledger.write_parquet(path.with_suffix(".polars.parquet"))
    return totals(ledger.lazy())


def through_parquet(path):
    written = path.with_suffix(".polars.parquet")
    typed(path).sink_parquet(written)
    return totals(pl.scan_parquet(written))


WAYS = {"by_window": [grouped], "by_customer": [grouped], "unordered": [grouped]}
WAYS["csv"] = [through_memory, through_parquet]
for task, ways in WAYS.items():
    path = target / "bench-ledger" / (task + (".csv" if task == "csv" else ".parquet"))
    best = float("inf")
    for way in ways:
        seconds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            result = way(path)
            seconds.append(time.perf_counter() - start)
        best = min(best, sorted(seconds)[ROUNDS // 2])
        short = result.filter(pl.col("window") >= FIRST_SHORT)
        total = short.select(pl.col("total").clip(0).sum()).item()
        expected = int(path.with_suffix(".total").read_text())
        assert total == expected, f"{task}: {total} is not the bench's {expected}"
    print(json.dumps({"peer": f"polars {pl.__version__}", "task": task, "s": best}))
