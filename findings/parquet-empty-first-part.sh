#!/usr/bin/env bash
# A folder of two Parquet files from pandas 3.1.1 (PyArrow 26.0.1) in which a column has no value in the first file: January
# without balances, or without merchants. pandas declares it of no type (INT32, annotated Null).
# Seen 2026-11-30: Daft 0.6.14 gives null for every value of February, whatever its type; with the files the other way round it
# gives them all. ClickHouse (chdb 4.4.0) takes the column for a 32-bit integer: texts become null, 2.75 becomes 2, and
# 3,000,000,000 becomes -1,294,967,296. Neither says a word. DuckDB 2.0.1, Polars 2.1.0 and PyArrow refuse; DataFusion 55.0.0
# reads all values.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1 pandas==3.1.1 chdb==4.4.0 daft==0.6.14 \
    datafusion==55.0.0
cd "$work"
venv/bin/python - <<'PYTHON'
import os

import chdb
import daft
import datafusion
import duckdb
import pandas
import polars
import pyarrow.dataset

FEBRUARY = {"merchant": ["rent", "food"], "balance": [2.75, 10.0], "cents": [3_000_000_000, 5]}
READERS = {
    "duckdb": lambda folder: duckdb.sql(f"SELECT x FROM '{folder}/*.parquet'").fetchall(),
    "polars": lambda folder: polars.read_parquet(f"{folder}/*.parquet")["x"].to_list(),
    "pyarrow": lambda folder: pyarrow.dataset.dataset(folder).to_table()["x"].to_pylist(),
    "datafusion": lambda folder: [
        value
        for batch in datafusion.SessionContext().read_parquet(folder).collect()
        for value in batch.to_pydict()["x"]
        if value is not None
    ],
    "daft": lambda folder: daft.read_parquet([f"{folder}/1.parquet", f"{folder}/2.parquet"]).to_pydict()["x"],
    "daft, February first": lambda folder: daft.read_parquet([f"{folder}/2.parquet", f"{folder}/1.parquet"]).to_pydict()["x"],
    "clickhouse": lambda folder: str(
        chdb.query(f"SELECT x, toTypeName(x) FROM file('{os.getcwd()}/{folder}/*.parquet') ORDER BY x NULLS FIRST", "CSV")
    ).split(),
}
found = {}
for column, values in FEBRUARY.items():
    os.makedirs(column)
    pandas.DataFrame({"x": pandas.Series([None], dtype=object)}).to_parquet(f"{column}/1.parquet")
    pandas.DataFrame({"x": values}).to_parquet(f"{column}/2.parquet")
    for reader, read in READERS.items():
        try:
            found[column, reader] = read(column)
        except Exception as error:
            found[column, reader] = type(error).__name__
        print(column, reader, found[column, reader])
for column, values in FEBRUARY.items():
    for reader in ("duckdb", "polars", "pyarrow"):
        assert isinstance(found[column, reader], str), reader
    assert found[column, "datafusion"] == values
    assert found[column, "daft"] == [None] * 3
    assert found[column, "daft, February first"] == values + [None]
kind = '"Nullable(Int32)"'
assert found["merchant", "clickhouse"] == [f"\\N,{kind}"] * 3
assert found["balance", "clickhouse"] == [f"\\N,{kind}", f"2,{kind}", f"10,{kind}"]
assert found["cents", "clickhouse"] == [f"\\N,{kind}", f"-1294967296,{kind}", f"5,{kind}"]
PYTHON
