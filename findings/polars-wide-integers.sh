#!/usr/bin/env bash
# A Parquet file with one column of 128-bit integers (a sum of cents, say) among others, written by Polars 2.1.0.
# Seen 2026-11-30: Polars annotates 16 bytes as an integer of 128 bits, a width that the format does not know, and reads the
# file back. PyArrow 26.0.1 refuses the whole file, even where only other columns are asked for; ClickHouse (chdb 4.4.0) reads
# raw bytes; DuckDB 2.0.1 and fastparquet 2026.9.0 too, without a word that they are numbers.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1 pandas==3.1.1 chdb==4.4.0 fastparquet==2026.9.0
cd "$work"
venv/bin/python - <<'PYTHON'
import os

import chdb
import duckdb
import fastparquet
import polars
import pyarrow
import pyarrow.parquet

frame = polars.DataFrame({"customer": ["A1"], "cents": polars.Series([-1050], dtype=polars.Int128)})
frame.write_parquet("wide.parquet")
raw = (-1050).to_bytes(16, "little", signed=True)
by_polars = polars.read_parquet("wide.parquet")["cents"].to_list()
try:
    by_pyarrow = pyarrow.parquet.read_table("wide.parquet", columns=["customer"]).to_pylist()
except pyarrow.ArrowNotImplementedError as error:
    by_pyarrow = str(error)
by_duckdb = duckdb.sql("SELECT cents, typeof(cents) FROM 'wide.parquet'").fetchall()
query = f"SELECT hex(cents) FROM file('{os.getcwd()}/wide.parquet')"
by_clickhouse = str(chdb.query(query, "TSV")).strip()
by_fastparquet = fastparquet.ParquetFile("wide.parquet").to_pandas()["cents"].tolist()
for line in (by_polars, by_pyarrow, by_duckdb, by_clickhouse, by_fastparquet):
    print(line)
assert by_polars == [-1050]
assert by_pyarrow == "Integers with more than 64 bits not implemented"
assert by_duckdb == [(raw, "BLOB")]
assert by_clickhouse == raw.hex().upper()
assert by_fastparquet == [raw]
PYTHON
