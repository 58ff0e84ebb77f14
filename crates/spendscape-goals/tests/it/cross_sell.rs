//! Pairs and false discoveries.
