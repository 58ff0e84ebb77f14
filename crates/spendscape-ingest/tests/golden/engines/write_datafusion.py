"""DataFusion 55.0.0 (Rust's parquet): `COPY ... TO`."""
# pip install datafusion==55.0.0

import ledger as l
from datafusion import SessionContext

TYPES = {
    "customer": ("VARCHAR", l.CUSTOMER),
    "customer_category": ("arrow:Dictionary(Int32, Utf8)", l.CUSTOMER),
    "customer_bytes": ("arrow:Binary", l.CUSTOMER),
    "customer_number": ("BIGINT", l.NUMBER),
    "time_s": ("arrow:Timestamp(Second, None)", [t and t[:19] for t in l.TEXT["time"]]),
    "time_ms": ("arrow:Timestamp(Millisecond, None)", [t and t[:23] for t in l.TEXT["time"]]),
    "time_us": ("arrow:Timestamp(Microsecond, None)", [t and t[:26] for t in l.TEXT["time"]]),
    "time_ns": ("arrow:Timestamp(Nanosecond, None)", l.TEXT["time"]),
    "time_utc": ("arrow:Timestamp(Microsecond, Some(\"UTC\"))", [t and t[:26] for t in l.TEXT["time"]]),
    "day": ("DATE", l.DAY),
    "amount_9": ("DECIMAL(9, 2)", l.AMOUNT),
    "amount_18": ("DECIMAL(18, 2)", l.AMOUNT),
    "amount_38": ("DECIMAL(38, 10)", l.AMOUNT),
    "amount_76": ("DECIMAL(76, 38)", l.AMOUNT),
    "amount_double": ("DOUBLE", l.AMOUNT),
    "amount_cents": ("BIGINT", l.CENTS),
    "amount_cents_32": ("INT", l.CENTS),
    "amount_text": ("VARCHAR", l.AMOUNT_TEXT),
    "class": ("VARCHAR", l.CLASS),
}


def typed(name, kind):
    if kind.startswith("arrow:"):
        return f"arrow_cast({name}, '{kind[6:]}') AS {name}"
    return f"CAST({name} AS {kind}) AS {name}"


def literal(value):
    return "CAST(NULL AS VARCHAR)" if value is None else f"'{value}'"


rows = ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in zip(*(values for _, values in TYPES.values())))
columns = ", ".join(typed(name, kind) for name, (kind, _) in TYPES.items())
nested = "CASE WHEN currency IS NOT NULL THEN named_struct('amount', CAST(amount_text AS DECIMAL(18, 2)), 'currency', currency) END AS nested"
currency = "CASE WHEN customer = 'Žofie' THEN 'CZK' WHEN customer IS NOT NULL THEN 'EUR' END AS currency"
tags = "CASE WHEN class IS NOT NULL THEN make_array(class, 'x') END AS tags"
query = (
    f"SELECT {columns}, {nested}, {tags} FROM (SELECT *, {currency} FROM (VALUES {rows}) AS v({', '.join(TYPES)}))"
)
SessionContext().sql(f"COPY ({query}) TO '{l.parquet('datafusion')}' STORED AS PARQUET").collect()
