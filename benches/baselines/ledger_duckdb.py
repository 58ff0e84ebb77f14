"""Seconds of DuckDB for the totals per customer, window and class of 30 million rows, and for a CSV file of 3 million rows to
typed columns, a Parquet file and the same totals (the faster way of two): a peer of benches/ledger.rs.

Usage: ledger_duckdb.py [THREADS], after the bench has made its files.
Install: pip install duckdb. Prints one JSON line per task.
"""
import json
import os
import sys
import time
from datetime import datetime
from pathlib import Path

try:
    import duckdb
except ImportError:
    print("skipped: duckdb is not installed", file=sys.stderr)
    sys.exit(0)

# The years 2015 to 2020, the last in months of two.
BOUNDARIES = [datetime(year, 1, 1) for year in range(2015, 2020)]
BOUNDARIES += [datetime(2020, month, 1) for month in range(1, 13, 2)] + [datetime(2021, 1, 1)]
FIRST_SHORT = 5
ROUNDS = 3

threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
target = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).parents[2] / "target"))
database = duckdb.connect(config={"threads": threads})
window = " ".join(f"WHEN time < TIMESTAMP '{end}' THEN {number}" for number, end in enumerate(BOUNDARIES[1:]))



def query(source):
    return f"""
        CREATE OR REPLACE TABLE totals AS
        SELECT customer, CASE {window} END AS w, class, -sum(amount_minor)::BIGINT AS total
        FROM {source} WHERE time >= TIMESTAMP '{BOUNDARIES[0]}' AND time < TIMESTAMP '{BOUNDARIES[-1]}'
        GROUP BY customer, w, class"""


def grouped(path):
    database.execute(query(f"'{path}'"))


def typed(path):
    columns = {"customer": "VARCHAR", "time": "TIMESTAMP", "amount": "DECIMAL(12, 2)", "class": "VARCHAR"}
    read = f"read_csv('{path}', header = true, columns = {columns})"
    return f"SELECT customer, time, (amount * 100)::BIGINT AS amount_minor, class FROM {read}"


def through_memory(path):
    database.execute(f"CREATE OR REPLACE TABLE ledger AS {typed(path)}")
    database.execute(f"COPY ledger TO '{path.with_suffix('.duckdb.parquet')}' (FORMAT parquet)")
    database.execute(query("ledger"))


def through_parquet(path):
    written = path.with_suffix(".duckdb.parquet")
    database.execute(f"COPY ({typed(path)}) TO '{written}' (FORMAT parquet)")
    database.execute(query(f"'{written}'"))


WAYS = {"by_window": [grouped], "by_customer": [grouped], "unordered": [grouped]}
WAYS["csv"] = [through_memory, through_parquet]
for task, ways in WAYS.items():
    path = target / "bench-ledger" / (task + (".csv" if task == "csv" else ".parquet"))
    best = float("inf")
    for way in ways:
        seconds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            way(path)
            seconds.append(time.perf_counter() - start)
        best = min(best, sorted(seconds)[ROUNDS // 2])
        total = database.execute(f"SELECT sum(greatest(total, 0)) FROM totals WHERE w >= {FIRST_SHORT}").fetchone()[0]
        expected = int(path.with_suffix(".total").read_text())
        assert total == expected, f"{task}: {total} is not the bench's {expected}"
    print(json.dumps({"peer": f"duckdb {duckdb.__version__}", "task": task, "s": best}))
