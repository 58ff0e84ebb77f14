#!/usr/bin/env bash
# Amounts in whole cents that outgrew 32 bits: a folder of two Parquet files, the first with 32-bit and the second with 64-bit
# integers, written by PyArrow 26.0.1.
# Seen 2026-11-30: ClickHouse (chdb 4.4.0), Daft 0.6.14 and fastparquet 2026.9.0 take the first file's type for both and read
# 3,000,000,000 cents as -1,294,967,296: money received becomes money spent, without a word. DuckDB 2.0.1, Polars 2.1.0 and
# PyArrow refuse the value or the file; DataFusion 55.0.0 refuses two types.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1 pandas==3.1.1 chdb==4.4.0 daft==0.6.14 \
    datafusion==55.0.0 fastparquet==2026.9.0
cd "$work"
venv/bin/python - <<'PYTHON'
import os

import chdb
import daft
import datafusion
import duckdb
import fastparquet
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.parquet

os.makedirs("ledger")
files = ["ledger/1.parquet", "ledger/2.parquet"]
pyarrow.parquet.write_table(pyarrow.table({"cents": pyarrow.array([-1050], pyarrow.int32())}), files[0])
pyarrow.parquet.write_table(pyarrow.table({"cents": pyarrow.array([3_000_000_000], pyarrow.int64())}), files[1])
query = "SELECT cents FROM file('{}/ledger/*.parquet') ORDER BY cents DESC".format(os.getcwd())
readers = {
    "clickhouse": lambda: [int(value) for value in str(chdb.query(query, "TSV")).split()],
    "daft": lambda: daft.read_parquet("ledger/*.parquet").to_pydict()["cents"],
    "fastparquet": lambda: fastparquet.ParquetFile(files).to_pandas()["cents"].tolist(),
    "duckdb": lambda: duckdb.sql("SELECT cents FROM 'ledger/*.parquet'").fetchall(),
    "polars": lambda: polars.read_parquet("ledger/*.parquet")["cents"].to_list(),
    "pyarrow": lambda: pyarrow.dataset.dataset("ledger").to_table()["cents"].to_pylist(),
    "datafusion": lambda: datafusion.SessionContext().read_parquet("ledger").collect(),
}
for reader, read in readers.items():
    try:
        found = read()
    except Exception as error:
        found = type(error).__name__
    print(reader, found)
    if reader in ("clickhouse", "daft", "fastparquet"):
        assert sorted(found) == [-1_294_967_296, -1050], reader
    else:
        assert isinstance(found, str), reader
PYTHON
