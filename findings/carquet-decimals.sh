#!/usr/bin/env bash
# An amount DECIMAL(9, 2) that Carquet 0.7.2 (a Parquet library in C, with bindings for Python) writes from a PyArrow 26.0.1
# table.
# Seen 2026-11-30: the Parquet schema is right, but the Arrow schema that Carquet adds to the metadata (`ARROW:schema`) has a
# decimal without precision and scale. PyArrow believes it and refuses the whole file ("Decimal precision out of range [1, 38]:
# 0"). Carquet itself reads four raw bytes. DuckDB 2.0.1, Polars 2.1.0 and fastparquet 2026.9.0 read -10.50.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet carquet==0.7.2 duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1 pandas==3.1.1 \
    fastparquet==2026.9.0
cd "$work"
venv/bin/python - <<'PYTHON'
import base64
from decimal import Decimal

import carquet
import duckdb
import fastparquet
import polars
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

amount = pyarrow.array([Decimal("-10.50")], pyarrow.decimal128(9, 2))
carquet.write_table(pyarrow.table({"amount": amount}), "amounts.parquet")
fields = duckdb.sql("SELECT precision, scale FROM parquet_schema('amounts.parquet') WHERE name = 'amount'").fetchall()
((arrow_schema,),) = duckdb.sql("SELECT value FROM parquet_kv_metadata('amounts.parquet') WHERE key = 'ARROW:schema'").fetchall()
try:
    hint = str(pyarrow.ipc.read_schema(pyarrow.py_buffer(base64.b64decode(arrow_schema))))
except pyarrow.ArrowInvalid as error:
    hint = str(error)
by_carquet = carquet.read_table("amounts.parquet")["amount"].to_pylist()
try:
    by_pyarrow = pyarrow.parquet.read_table("amounts.parquet").to_pylist()
except pyarrow.ArrowInvalid as error:
    by_pyarrow = str(error)
by_duckdb = duckdb.sql("SELECT amount FROM 'amounts.parquet'").fetchall()
by_polars = polars.read_parquet("amounts.parquet")["amount"].to_list()
by_fastparquet = fastparquet.ParquetFile("amounts.parquet").to_pandas()["amount"].tolist()
for line in (fields, hint, by_carquet, by_pyarrow, by_duckdb, by_polars, by_fastparquet):
    print(line)
assert fields == [(9, 2)]
assert "precision out of range" in hint
assert by_carquet == [(-1050).to_bytes(4, "big", signed=True)]
assert "precision out of range" in by_pyarrow
assert by_duckdb == [(Decimal("-10.50"),)]
assert by_polars == [Decimal("-10.50")]
assert by_fastparquet == [-10.5]
PYTHON
