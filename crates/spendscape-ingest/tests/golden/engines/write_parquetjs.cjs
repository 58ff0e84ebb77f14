// parquetjs 0.11.2 (argument `parquetjs`) and its kin parquets 0.10.10 (argument `parquets`).
// npm install parquetjs@0.11.2 parquets@0.10.10

const { readFileSync } = require('node:fs')
const engine = process.argv[2]
const { ParquetSchema, ParquetWriter } = require(engine)
const text = JSON.parse(readFileSync(`${__dirname}/ledger.json`))
const dates = text.time.map(time => time && new Date(time.slice(0, 23) + 'Z'))
const columns = {
  customer: ['UTF8', text.customer],
  customer_bytes: ['BYTE_ARRAY', text.customer.map(customer => customer && Buffer.from(customer))],
  customer_number: ['INT64', text.customer_number],
  time_ms: ['TIMESTAMP_MILLIS', dates],
  // No microseconds: parquets refuses numbers beyond 2^53, which the last time has. A day with a time would lose its fraction.
  day: ['DATE', text.time.map(time => time && new Date(time.slice(0, 10)))],
  amount_double: ['DOUBLE', text.amount.map(amount => amount && Number(amount))],
  amount_cents: ['INT_64', text.amount.map(amount => amount && Math.round(Number(amount) * 100))],
  amount_text: ['UTF8', text.amount],
  class: ['UTF8', text.class],
}
async function write() {
  const fields = Object.entries(columns).map(([name, [type]]) => [name, { type, optional: true }])
  const writer = await ParquetWriter.openFile(new ParquetSchema(Object.fromEntries(fields)), `${__dirname}/${engine}.parquet`)
  for (let row = 0; row < 6; row++) {
    const values = Object.entries(columns).map(([name, [, values]]) => [name, values[row]])
    await writer.appendRow(Object.fromEntries(values.filter(([, value]) => value !== null)))
  }
  await writer.close()
}
write()
