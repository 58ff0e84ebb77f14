// parquet-wasm 0.8.0 (Rust's parquet) with tables of apache-arrow 21.2.0.
// npm install parquet-wasm@0.8.0 apache-arrow@21.2.0

const { readFileSync, writeFileSync } = require('node:fs')
const arrow = require('apache-arrow')
const { Table, writeParquet } = require('parquet-wasm/node')

const text = JSON.parse(readFileSync(`${__dirname}/ledger.json`))
const each = (values, of) => values.map(value => value === null ? null : of(value))
const dates = each(text.time, time => new Date(time.slice(0, 23) + 'Z'))
const vector = (values, type) => arrow.vectorFromArray(values, type)
const nested = text.amount.map((amount, at) => amount === null ? null : { amount: Number(amount), currency: text.currency[at] })
const columns = {
  customer: vector(text.customer, new arrow.Utf8()),
  customer_large: vector(text.customer, new arrow.LargeUtf8()),
  customer_category: vector(text.customer),
  customer_bytes: vector(each(text.customer, customer => new TextEncoder().encode(customer)), new arrow.Binary()),
  customer_float: vector(text.customer_number, new arrow.Float64()),
  customer_number: vector(each(text.customer_number, BigInt), new arrow.Int64()),
  time_ms: vector(dates, new arrow.TimestampMillisecond()),
  time_utc: vector(dates, new arrow.TimestampMicrosecond('UTC')),
  day: vector(dates, new arrow.DateDay()),
  day_ms: vector(each(dates, date => new Date(date.toISOString().slice(0, 10))), new arrow.DateMillisecond()),
  amount_double: vector(each(text.amount, Number), new arrow.Float64()),
  amount_cents: vector(each(text.amount, amount => BigInt(Math.round(Number(amount) * 100))), new arrow.Int64()),
  amount_cents_32: vector(each(text.amount, amount => Math.round(Number(amount) * 100)), new arrow.Int32()),
  amount_text: vector(text.amount, new arrow.Utf8()),
  class: vector(text.class),
  nested: vector(nested, new arrow.Struct([
    new arrow.Field('amount', new arrow.Float64(), true), new arrow.Field('currency', new arrow.Utf8(), true),
  ])),
}
const bytes = arrow.tableToIPC(new arrow.Table(columns), 'stream')
writeFileSync(`${__dirname}/parquet-wasm.parquet`, writeParquet(Table.fromIPCStream(bytes)))
