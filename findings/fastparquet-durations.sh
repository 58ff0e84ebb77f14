#!/usr/bin/env bash
# A duration of one and a half days (time since the last purchase, say) that fastparquet 2026.9.0 writes from pandas 3.1.1.
# Seen 2026-11-30: the column is declared a TIME of day in microseconds and holds 129,600,000,000, beyond a day's
# 86,400,000,000. Who reads the file back: fastparquet the duration; PyArrow 26.0.1 12:00, silently without the day; Polars
# 2.1.0 null; DuckDB 2.0.1 refuses the file. (PyArrow's own writer declares a plain integer and keeps the type in its
# metadata.)
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1 pandas==3.1.1 fastparquet==2026.9.0
cd "$work"
venv/bin/python - <<'PYTHON'
import datetime

import duckdb
import fastparquet
import pandas
import polars
import pyarrow.parquet

fastparquet.write("recency.parquet", pandas.DataFrame({"since": pandas.to_timedelta([1.5], unit="D")}))
kind = str(pyarrow.parquet.ParquetFile("recency.parquet").schema.column(0).logical_type)
by_fastparquet = fastparquet.ParquetFile("recency.parquet").to_pandas()["since"][0]
by_pyarrow = pyarrow.parquet.read_table("recency.parquet")["since"][0].as_py()
by_polars = polars.read_parquet("recency.parquet")["since"][0]
try:
    by_duckdb = duckdb.sql("SELECT since FROM 'recency.parquet'").fetchall()
except duckdb.InvalidInputException as error:
    by_duckdb = str(error)
for line in (kind, by_fastparquet, by_pyarrow, by_polars, by_duckdb):
    print(line)
assert kind.startswith("Time(") and "microseconds" in kind
assert by_fastparquet == pandas.Timedelta(hours=36)
assert by_pyarrow == datetime.time(12)
assert by_polars is None
assert "within a day" in by_duckdb
PYTHON
