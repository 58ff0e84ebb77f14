"""The ledger of every generator in this folder, as Python's own values: one list of six rows per column, the last row null."""

import datetime
import decimal
import json
import pathlib
import uuid

FOLDER = pathlib.Path(__file__).parent
TEXT = json.loads((FOLDER / "ledger.json").read_text(encoding="utf-8"))
EPOCH = datetime.datetime(1970, 1, 1)


def each(values, function):
    return [None if value is None else function(value) for value in values]


def micros(text):
    """Microseconds since 1970 at or before a time."""
    whole = datetime.datetime.fromisoformat(text[:19]) - EPOCH
    return (whole // datetime.timedelta(seconds=1)) * 1_000_000 + int(text[20:26])


CUSTOMER = TEXT["customer"]
BYTES = each(CUSTOMER, str.encode)
UUID = each(TEXT["customer_uuid"], uuid.UUID)
NUMBER = TEXT["customer_number"]
MICROS = each(TEXT["time"], micros)
NANOS = each(TEXT["time"], lambda text: micros(text) * 1000 + int(text[26:29]))
TIME = each(MICROS, lambda value: EPOCH + datetime.timedelta(microseconds=value))
TIME_MS = each(MICROS, lambda value: EPOCH + datetime.timedelta(milliseconds=value // 1000))
TIME_S = each(TIME, lambda time: time.replace(microsecond=0))
TIME_UTC = each(TIME, lambda time: time.replace(tzinfo=datetime.timezone.utc))
DAY = each(TIME, datetime.datetime.date)
AMOUNT = each(TEXT["amount"], decimal.Decimal)
DOUBLE = each(AMOUNT, float)
CENTS = each(AMOUNT, lambda amount: int(amount * 100))
AMOUNT_TEXT = TEXT["amount"]
CLASS = TEXT["class"]
CURRENCY = TEXT["currency"]
NESTED = [None if amount is None else {"amount": amount, "currency": currency} for amount, currency in zip(AMOUNT, CURRENCY)]
TAGS = each(CLASS, lambda name: [name, "x"])


def parquet(engine):
    return str(FOLDER / f"{engine}.parquet")
