# nanoparquet 0.5.1.9000 (r-lib/nanoparquet at 612e141) on R 4.2.2. CRAN was not to be reached where this ran, and with it
# neither R's arrow; `R CMD INSTALL` of nanoparquet's own repository needs nothing else.

library(nanoparquet)
write <- function(name, columns, ...) {
  write_parquet(structure(columns, class = "data.frame", row.names = 1:6), paste0(name, ".parquet"), ...)
}
customer <- c("A1", "A1", "\u017dofie", "B2", "C3", NA)
seconds <- c(1556792130.123456789, 1588377600, -0.001, 1609416000, 9222422400, NA)
amount <- c(-10.5, -20, -1234567.89, 40, -0.01, NA)
class <- c("food", "rent", "food", "rent", "food", NA)
uuid <- c(
  "0a1b2c3d-0000-4000-8000-0000000000a1", "0a1b2c3d-0000-4000-8000-0000000000a1", "ffffffff-0000-4000-8000-000000000002",
  "7f000000-0000-4000-8000-0000000000b2", "00000000-0000-4000-8000-0000000000c3", NA
)
columns <- list(
  customer = customer,
  customer_category = factor(customer),
  customer_bytes = lapply(customer, function(text) if (is.na(text)) NULL else charToRaw(text)),
  # R has whole numbers of 32 bits, and floats.
  customer_float = c(1001, 1001, 2, 3000000000, 4, NA),
  time_utc = as.POSIXct(seconds, origin = "1970-01-01", tz = "UTC"),
  day = as.Date(as.POSIXct(floor(seconds), origin = "1970-01-01", tz = "UTC")),
  amount_double = amount,
  amount_cents_32 = as.integer(round(amount * 100)),
  amount_text = c("-10.50", "-20.00", "-1234567.89", "40.00", "-0.01", NA),
  class = factor(class)
)
write("nanoparquet", columns)
# The types that its `schema` can ask for.
asked <- columns[c("customer", "amount_double", "amount_double", "amount_double", "time_utc", "class")]
names(asked) <- c("customer", "amount_double", "amount_9", "amount_18", "time_int96", "class")
asked$customer_uuid <- uuid
asked$customer_enum <- customer
asked$time_ms <- columns$time_utc
asked$time_ns <- columns$time_utc
write("nanoparquet-schema", asked, schema = parquet_schema(
  customer = "STRING", amount_double = "DOUBLE", amount_9 = list("DECIMAL", precision = 9, scale = 2, primitive_type = "INT32"),
  amount_18 = list("DECIMAL", precision = 18, scale = 2, primitive_type = "INT64"), time_int96 = "INT96", class = "STRING",
  customer_uuid = "UUID", customer_enum = "ENUM",
  time_ms = list("TIMESTAMP", is_adjusted_utc = TRUE, unit = "MILLIS"),
  time_ns = list("TIMESTAMP", is_adjusted_utc = FALSE, unit = "NANOS")
))
