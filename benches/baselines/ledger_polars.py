"""Seconds of Polars (streaming) for the totals per customer, window and class of 30 million rows: a peer of
benches/ledger.rs.

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


def totals(path):
    when = pl.col("time")
    window = pl.lit(0, dtype=pl.UInt8)
    for boundary in BOUNDARIES[1:-1]:
        window = window + (when >= boundary).cast(pl.UInt8)
    return (
        pl.scan_parquet(path)
        .filter((when >= BOUNDARIES[0]) & (when < BOUNDARIES[-1]))
        .with_columns(window=window)
        .group_by("customer", "window", "class")
        .agg((-pl.col("amount_minor")).sum().alias("total"))
        .collect(engine="streaming")
    )


for task in ["by_window", "by_customer", "unordered"]:
    path = target / "bench-ledger" / f"{task}.parquet"
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        result = totals(path)
        seconds.append(time.perf_counter() - start)
    short = result.filter(pl.col("window") >= FIRST_SHORT)
    total = short.select(pl.col("total").clip(0).sum()).item()
    expected = int(path.with_suffix(".total").read_text())
    assert total == expected, f"{task}: {total} is not the bench's {expected}"
    print(json.dumps({"peer": f"polars {pl.__version__}", "task": task, "s": sorted(seconds)[ROUNDS // 2]}))
