#!/usr/bin/env bash
# A folder of two Parquet files whose second lacks the annotation that its text is text, as in files of older writers (Hive,
# Impala, early Spark) and of programs that write bytes: PyArrow 26.0.1 writes one from texts and one from their bytes.
# Seen 2026-11-30: DuckDB 2.0.1 reads the first file's `Žabka` as it is and the second's as `\xC5\xBDabka`, so that one merchant
# is two; names of ASCII alone stay whole, so that few notice. With `union_by_name` it makes bytes of both. Polars 2.1.0
# refuses; PyArrow, ClickHouse (chdb 4.4.0), Daft 0.6.14 and fastparquet 2026.9.0 read `Žabka` twice.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1 pandas==3.1.1 chdb==4.4.0 daft==0.6.14 \
    fastparquet==2026.9.0
cd "$work"
venv/bin/python - <<'PYTHON'
import os

import chdb
import daft
import duckdb
import fastparquet
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.parquet

os.makedirs("ledger")
files = ["ledger/1.parquet", "ledger/2.parquet"]
texts = ["Žabka", "Aldi"]
pyarrow.parquet.write_table(pyarrow.table({"merchant": texts}), files[0])
pyarrow.parquet.write_table(pyarrow.table({"merchant": [text.encode() for text in texts]}), files[1])
query = "SELECT merchant FROM file('{}/ledger/*.parquet')".format(os.getcwd())
select = "SELECT merchant FROM read_parquet('ledger/*.parquet'{})"
readers = {
    "duckdb": lambda: [text for (text,) in duckdb.sql(select.format("")).fetchall()],
    "duckdb, union_by_name": lambda: [text for (text,) in duckdb.sql(select.format(", union_by_name = true")).fetchall()],
    "polars": lambda: polars.read_parquet("ledger/*.parquet")["merchant"].to_list(),
    "pyarrow": lambda: pyarrow.dataset.dataset("ledger").to_table()["merchant"].to_pylist(),
    "clickhouse": lambda: str(chdb.query(query, "TSV")).split(),
    "daft": lambda: daft.read_parquet(files).to_pydict()["merchant"],
    "fastparquet": lambda: fastparquet.ParquetFile(files).to_pandas()["merchant"].tolist(),
}
found = {}
for reader, read in readers.items():
    try:
        found[reader] = read()
    except Exception as error:
        found[reader] = type(error).__name__
    print(reader, found[reader])
assert found["duckdb"] == ["Žabka", "Aldi", "\\xC5\\xBDabka", "Aldi"]
assert found["duckdb, union_by_name"] == [text.encode() for text in texts] * 2
assert found["polars"] == "SchemaError"
for reader in ("pyarrow", "clickhouse", "daft", "fastparquet"):
    assert sorted(found[reader]) == sorted(texts * 2), reader
PYTHON
