#!/usr/bin/env bash
# A Hive partition for missing values and one whose value was escaped, as Spark and Delta write them:
# `channel=__HIVE_DEFAULT_PARTITION__` and `channel=card%2Fonline`.
# Seen 2026-11-30: DuckDB 2.0.1, Polars 2.1.0 and PyArrow 26.0.1 read null and `card/online`. fastparquet 2026.9.0 and
# ClickHouse (chdb 4.4.0) read the folder names as they stand, so that missing values become a channel of their own.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1 pandas==3.1.1 fastparquet==2026.9.0 chdb==4.4.0
cd "$work"
venv/bin/python - <<'PYTHON'
import os

import chdb
import duckdb
import fastparquet
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.parquet

for value in ("__HIVE_DEFAULT_PARTITION__", "card%2Fonline"):
    os.makedirs(f"ledger/channel={value}")
    pyarrow.parquet.write_table(pyarrow.table({"amount": [1]}), f"ledger/channel={value}/part.parquet")
pattern = "ledger/**/*.parquet"
query = "SELECT channel FROM file('{}/ledger/channel=*/part.parquet') SETTINGS use_hive_partitioning = 1".format(os.getcwd())
decoded = {
    "duckdb": [v for (v,) in duckdb.sql(f"SELECT channel FROM read_parquet('{pattern}', hive_partitioning = true)").fetchall()],
    "polars": polars.scan_parquet(pattern, hive_partitioning=True).collect()["channel"].to_list(),
    "pyarrow": pyarrow.dataset.dataset("ledger", partitioning="hive").to_table()["channel"].to_pylist(),
}
raw = {
    "fastparquet": fastparquet.ParquetFile("ledger").to_pandas()["channel"].tolist(),
    "clickhouse": str(chdb.query(query, "TSV")).split(),
}
print(decoded, raw)
for engine, values in decoded.items():
    assert set(values) == {None, "card/online"}, engine
for engine, values in raw.items():
    assert set(values) == {"__HIVE_DEFAULT_PARTITION__", "card%2Fonline"}, engine
PYTHON
