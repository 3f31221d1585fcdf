//! Starts the binary and drives it over real HTTP. One test program, so that it is linked once.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are test code too"
)]

mod api;
mod common;
mod control;
mod dialects;
mod limits;
mod oauth;
