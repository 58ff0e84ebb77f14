"""ClickHouse as chdb 4.4.0 ships it, with default settings."""
# pip install chdb==4.4.0

import chdb
import ledger as l


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return "'" + str(value) + "'"


ENUM = "Enum8('A1' = 1, 'B2' = 2, 'C3' = 3, 'Žofie' = 4)"
types = {
    "customer": ("Nullable(String)", l.CUSTOMER),
    "customer_category": ("LowCardinality(Nullable(String))", l.CUSTOMER),
    "customer_enum": (f"Nullable({ENUM})", l.CUSTOMER),
    "customer_fixed": ("Nullable(FixedString(8))", l.CUSTOMER),
    "customer_uuid": ("Nullable(UUID)", l.UUID),
    "customer_number": ("Nullable(Int64)", l.NUMBER),
    "time_s": ("Nullable(DateTime64(0, 'UTC'))", [t and t[:19].replace("T", " ") for t in l.TEXT["time"]]),
    "time_ms": ("Nullable(DateTime64(3, 'UTC'))", [t and t[:23].replace("T", " ") for t in l.TEXT["time"]]),
    "time_us": ("Nullable(DateTime64(6, 'UTC'))", [t and t[:26].replace("T", " ") for t in l.TEXT["time"]]),
    "time_ns": ("Nullable(DateTime64(9, 'UTC'))", [t and t.replace("T", " ") for t in l.TEXT["time"]]),
    "day": ("Nullable(Date32)", l.DAY),
    "amount_9": ("Nullable(Decimal(9, 2))", l.AMOUNT),
    "amount_18": ("Nullable(Decimal(18, 2))", l.AMOUNT),
    "amount_38": ("Nullable(Decimal(38, 10))", l.AMOUNT),
    "amount_76": ("Nullable(Decimal(76, 38))", l.AMOUNT),
    "amount_double": ("Nullable(Float64)", l.DOUBLE),
    "amount_cents": ("Nullable(Int64)", l.CENTS),
    "amount_cents_256": ("Nullable(Int256)", l.CENTS),
    "amount_text": ("Nullable(String)", l.AMOUNT_TEXT),
    "class": ("LowCardinality(Nullable(String))", l.CLASS),
    "tags": ("Array(String)", [t or [] for t in l.TAGS]),
}
columns = ", ".join(f"{name} {kind}" for name, (kind, _) in types.items())
rows = ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in zip(*(values for _, values in types.values())))
nested = (
    "CAST(tuple(amount_18, if(amount_18 IS NULL, NULL, ['EUR', 'CZK'][1 + (customer_number = 2)])), "
    "'Tuple(amount Nullable(Decimal(18, 2)), currency Nullable(String))') AS nested"
)
session = chdb.session.Session()
session.query(f"CREATE TABLE ledger ({columns}) ENGINE = Memory")
session.query(f"INSERT INTO ledger VALUES {rows}")
session.query(f"SELECT *, {nested} FROM ledger INTO OUTFILE '{l.parquet('clickhouse')}' TRUNCATE FORMAT Parquet")
