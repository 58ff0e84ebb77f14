"""Sail 0.7.2, which speaks Spark's protocol and is written in Rust, asked by the client of Spark 4.2.0."""
# pip install pysail==0.7.2 pyspark-client==4.2.0

import glob
import shutil
import tempfile

import ledger as l
from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession

server = SparkConnectServer()
server.start()
_, port = server.listening_address
spark = SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate()
spark.conf.set("spark.sql.session.timeZone", "UTC")
TYPES = {
    "customer": ("STRING", l.CUSTOMER),
    "customer_bytes": ("BINARY", l.CUSTOMER),
    "customer_number": ("BIGINT", l.NUMBER),
    "time_utc": ("TIMESTAMP", [t and t[:26] for t in l.TEXT["time"]]),
    "time_us": ("TIMESTAMP_NTZ", [t and t[:26] for t in l.TEXT["time"]]),
    "day": ("DATE", l.DAY),
    "amount_9": ("DECIMAL(9, 2)", l.AMOUNT),
    "amount_18": ("DECIMAL(18, 2)", l.AMOUNT),
    "amount_38": ("DECIMAL(38, 10)", l.AMOUNT),
    "amount_double": ("DOUBLE", l.AMOUNT),
    "amount_cents": ("BIGINT", l.CENTS),
    "amount_cents_32": ("INT", l.CENTS),
    "amount_text": ("STRING", l.AMOUNT_TEXT),
    "class": ("STRING", l.CLASS),
}


def literal(value):
    return "NULL" if value is None else f"'{value}'"


rows = ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in zip(*(values for _, values in TYPES.values())))
columns = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, (kind, _) in TYPES.items())
nested = (
    "CASE WHEN class IS NOT NULL THEN named_struct('amount', CAST(amount_text AS DECIMAL(18, 2)), 'currency', "
    "CASE WHEN customer = 'Žofie' THEN 'CZK' ELSE 'EUR' END) END AS nested"
)
tags = "CASE WHEN class IS NOT NULL THEN array(class, 'x') END AS tags"
frame = spark.sql(f"SELECT {columns}, {nested}, {tags} FROM VALUES {rows} AS v({', '.join(TYPES)})")
folder = tempfile.mkdtemp()
frame.coalesce(1).write.mode("overwrite").parquet(folder)
(part,) = glob.glob(folder + "/**/*.parquet", recursive=True)
shutil.copyfile(part, l.parquet("sail"))
