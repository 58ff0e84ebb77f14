// hyparquet-writer 0.17.0: types that it guesses, and those that its `type` and `schema` ask for.
// npm install hyparquet-writer@0.17.0 hyparquet@1.31.5

import { readFileSync } from 'node:fs'
import { parquetWriteFile, schemaFromColumnData } from 'hyparquet-writer'

const folder = new URL('.', import.meta.url)
const text = JSON.parse(readFileSync(new URL('ledger.json', folder)))
const each = (values, of) => values.map(value => value === null ? null : of(value))
const dates = each(text.time, time => new Date(time.slice(0, 23) + 'Z'))
const amounts = each(text.amount, Number)
const cents = each(text.amount, amount => BigInt(Math.round(Number(amount) * 100)))
const nested = text.amount.map((amount, at) => amount === null ? null : { amount: Number(amount), currency: text.currency[at] })
const columnData = [
  { name: 'customer', data: text.customer },
  { name: 'customer_bytes', data: each(text.customer, customer => new TextEncoder().encode(customer)) },
  { name: 'customer_uuid', data: text.customer_uuid },
  { name: 'customer_number', data: each(text.customer_number, BigInt) },
  { name: 'time_utc', data: dates },
  { name: 'day', data: each(dates, date => new Date(date.toISOString().slice(0, 10))) },
  { name: 'amount_9', data: amounts },
  { name: 'amount_double', data: amounts },
  { name: 'amount_cents', data: cents },
  { name: 'amount_text', data: text.amount },
  { name: 'class', data: text.class },
  { name: 'nested', data: nested },
]
const schemaOverrides = {
  customer_uuid: {
    name: 'customer_uuid', type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' }, repetition_type: 'OPTIONAL',
  },
  day: { name: 'day', type: 'INT32', converted_type: 'DATE', repetition_type: 'OPTIONAL' },
  amount_9: { name: 'amount_9', type: 'INT32', converted_type: 'DECIMAL', scale: 2, precision: 9, repetition_type: 'OPTIONAL' },
}
const filename = new URL('hyparquet.parquet', folder).pathname
parquetWriteFile({ filename, columnData, schema: schemaFromColumnData({ columnData, schemaOverrides }) })
