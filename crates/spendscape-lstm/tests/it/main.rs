//! Integration tests, one binary.

mod differences;
