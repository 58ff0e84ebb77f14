# R's arrow 25.0.0 (Debian's r-cran-arrow 25.0.0-2+b1) on R 4.6.

suppressPackageStartupMessages(library(arrow))
customer <- c("A1", "A1", "\u017dofie", "B2", "C3", NA)
seconds <- c(1556792130.123456, 1588377600, -0.001, 1609416000, 9222422400, NA)
amount <- c(-10.5, -20, -1234567.89, 40, -0.01, NA)
text <- c("-10.50", "-20.00", "-1234567.89", "40.00", "-0.01", NA)
currency <- c("EUR", "EUR", "CZK", "EUR", "EUR", NA)
local <- as.POSIXct(seconds, origin = "1970-01-01", tz = "UTC")
frame <- data.frame(
  customer = customer,
  customer_category = factor(customer),
  # R has whole numbers of 32 bits, and floats.
  customer_float = c(1001, 1001, 2, 3000000000, 4, NA),
  # A zone's name makes an instant.
  time_utc = local,
  day = as.Date(as.POSIXct(floor(seconds), origin = "1970-01-01", tz = "UTC")),
  amount_double = amount,
  amount_cents_32 = as.integer(round(amount * 100)),
  amount_text = text,
  class = factor(c("food", "rent", "food", "rent", "food", NA))
)
table <- arrow_table(frame)
table$customer_bytes <- Array$create(customer)$cast(binary())
table$customer_number <- Array$create(frame$customer_float)$cast(int64())
micros <- Array$create(local)$cast(timestamp("us"))
table$time_us <- micros
table$time_ms <- micros$cast(timestamp("ms"), safe = FALSE)
table$time_ns <- micros$cast(timestamp("ns"))
table$amount_9 <- Array$create(text)$cast(decimal128(9, 2))
table$amount_38 <- Array$create(text)$cast(decimal128(38, 10))
table$amount_76 <- Array$create(text)$cast(decimal256(76, 38))
table$amount_cents <- Array$create(round(amount * 100))$cast(int64())
write_parquet(table, "arrow-r.parquet")
