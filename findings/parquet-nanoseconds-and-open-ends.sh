#!/usr/bin/env bash
# A folder in which pandas 2.3.3 wrote January and pandas 3.1.1 February (both by PyArrow 26.0.1 and with default settings): the
# valid-until column of a contract, with 9999-12-31 for "no end", which only the newer pandas can hold. Between the versions the
# default unit of times went from nanoseconds to microseconds, and nanoseconds end in 2262.
# Seen 2026-11-30: no reader reads the folder in the order in which it was written. Daft 0.6.14 gives 1816-03-29 for 9999-12-31,
# without a word. DuckDB 2.0.1 and PyArrow refuse the value, Polars 2.1.0 and DataFusion 55.0.0 the second file's type. DuckDB
# reads both files if February comes first; with `union_by_name`, which looks for a type that fits all files, it takes
# nanoseconds, and so refuses in either order.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
for version in 2.3.3 3.1.1; do
    python3 -m venv "$work/pandas-$version"
    "$work/pandas-$version/bin/pip" install --quiet pandas==$version pyarrow==26.0.1
done
"$work/pandas-3.1.1/bin/pip" install --quiet duckdb==2.0.1 polars==2.1.0 daft==0.6.14 datafusion==55.0.0
cd "$work"
mkdir ledger
pandas-2.3.3/bin/python - <<'PYTHON'
import datetime

import pandas

frame = pandas.DataFrame({"until": [datetime.datetime(2019, 12, 31)]})
frame.to_parquet("ledger/1.parquet")
print(pandas.__version__, frame["until"].dtype)
PYTHON
pandas-3.1.1/bin/python - <<'PYTHON'
import datetime

import daft
import datafusion
import duckdb
import pandas
import polars
import pyarrow.dataset
import pyarrow.parquet

frame = pandas.DataFrame({"until": [datetime.datetime(9999, 12, 31)]})
frame.to_parquet("ledger/2.parquet")
print(pandas.__version__, frame["until"].dtype)
files = ["ledger/1.parquet", "ledger/2.parquet"]
assert [str(pyarrow.parquet.read_schema(file).field("until").type) for file in files] == ["timestamp[ns]", "timestamp[us]"]


def by_duckdb(files, more=""):
    return [value for (value,) in duckdb.sql(f"SELECT until FROM read_parquet({files}{more})").fetchall()]


readers = {
    "daft": lambda: daft.read_parquet(files).to_pydict()["until"],
    "duckdb": lambda: by_duckdb(files),
    "duckdb, February first": lambda: by_duckdb(files[::-1]),
    "duckdb, union_by_name": lambda: by_duckdb(files, ", union_by_name = true"),
    "duckdb, union_by_name, February first": lambda: by_duckdb(files[::-1], ", union_by_name = true"),
    "polars": lambda: polars.read_parquet(files)["until"].to_list(),
    "pyarrow": lambda: pyarrow.dataset.dataset(files).to_table()["until"].to_pylist(),
    "datafusion": lambda: datafusion.SessionContext().read_parquet("ledger").collect(),
}
old, end = datetime.datetime(2019, 12, 31), datetime.datetime(9999, 12, 31)
expected = {
    "daft": [old, datetime.datetime(1816, 3, 29, 5, 56, 8, 66277)],
    "duckdb": "ConversionException",
    "duckdb, February first": [end, old],
    "duckdb, union_by_name": "ConversionException",
    "duckdb, union_by_name, February first": "ConversionException",
    "polars": "SchemaError",
    "pyarrow": "ArrowInvalid",
    "datafusion": "Exception",
}
for reader, read in readers.items():
    try:
        found = read()
    except Exception as error:
        found = type(error).__name__
    print(reader, found)
    assert found == expected[reader], reader
PYTHON
