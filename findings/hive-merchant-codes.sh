#!/usr/bin/env bash
# A merchant category code that begins with 0 (0742, veterinary services) as a Hive partition, `mcc=0742/part.parquet`.
# Seen 2026-11-30: DuckDB 2.0.1 gives the whole column as text once one code has a leading zero; Polars 2.1.0, PyArrow 26.0.1,
# pandas 3.1.1 (with PyArrow and with fastparquet 2026.9.0) and ClickHouse (chdb 4.4.0) give the integer 742, which is no
# code. So a taxonomy by code that was checked on DuckDB misses its classes on the other five.
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
import pandas
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.parquet

for code in ("0742", "5411"):
    os.makedirs(f"ledger/mcc={code}")
    pyarrow.parquet.write_table(pyarrow.table({"amount": [1]}), f"ledger/mcc={code}/part.parquet")
pattern = "ledger/**/*.parquet"
here = os.getcwd()
seen = {
    "duckdb": duckdb.sql(f"SELECT mcc FROM read_parquet('{pattern}', hive_partitioning = true)").fetchall(),
    "polars": polars.scan_parquet(pattern, hive_partitioning=True).collect()["mcc"].to_list(),
    "pyarrow": pyarrow.dataset.dataset("ledger", partitioning="hive").to_table()["mcc"].to_pylist(),
    "pandas, pyarrow": pandas.read_parquet("ledger")["mcc"].tolist(),
    "pandas, fastparquet": pandas.read_parquet("ledger", engine="fastparquet")["mcc"].tolist(),
    "clickhouse": [
        int(line)
        for line in str(
            chdb.query(
                f"SELECT mcc FROM file('{here}/ledger/mcc=*/part.parquet') SETTINGS use_hive_partitioning = 1", "TSV"
            )
        ).split()
    ],
}
for engine, codes in seen.items():
    print(engine, codes)
assert sorted(code for (code,) in seen.pop("duckdb")) == ["0742", "5411"]
for engine, codes in seen.items():
    assert sorted(codes) == [742, 5411], engine
PYTHON
