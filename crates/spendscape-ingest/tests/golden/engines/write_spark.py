"""Spark, run once by version 3.5 (`spark-3`) and once by version 4 (`spark-4`), with default settings, on Java 17."""
# pip install pyspark==3.5.9 setuptools, then in another environment: pip install pyspark==4.3.0

import glob
import os
import shutil
import tempfile

import ledger as l
import pyspark
from pyspark.sql import SparkSession

os.environ["TZ"] = "UTC"
spark = SparkSession.builder.master("local[1]").config("spark.sql.session.timeZone", "UTC").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
types = {
    "customer": ("STRING", l.CUSTOMER),
    "customer_bytes": ("BINARY", [b and bytearray(b) for b in l.BYTES]),
    "customer_number": ("BIGINT", l.NUMBER),
    "time_utc": ("TIMESTAMP", l.TIME_UTC),
    "time_us": ("TIMESTAMP_NTZ", l.TIME),
    "day": ("DATE", l.DAY),
    "amount_9": ("DECIMAL(9, 2)", l.AMOUNT),
    "amount_18": ("DECIMAL(18, 2)", l.AMOUNT),
    "amount_38": ("DECIMAL(38, 10)", l.AMOUNT),
    "amount_double": ("DOUBLE", l.DOUBLE),
    "amount_cents": ("BIGINT", l.CENTS),
    "amount_cents_32": ("INT", l.CENTS),
    "amount_text": ("STRING", l.AMOUNT_TEXT),
    "class": ("STRING", l.CLASS),
    "nested": ("STRUCT<amount: DECIMAL(18, 2), currency: STRING>", [n and (n["amount"], n["currency"]) for n in l.NESTED]),
    "tags": ("ARRAY<STRING>", l.TAGS),
}
schema = ", ".join(f"{name} {kind}" for name, (kind, _) in types.items())
rows = list(zip(*(values for _, values in types.values())))
frame = spark.createDataFrame(rows, schema).coalesce(1)
folder = tempfile.mkdtemp()
frame.write.mode("overwrite").parquet(folder)
(part,) = glob.glob(folder + "/*.parquet")
shutil.copyfile(part, l.parquet("spark-" + pyspark.__version__[0]))
