//! Tests of everything below `php/`, without PHP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod catalog;
mod catalog_folder;
mod connector;
mod convergence;
mod egress;
mod fair;
#[path = "../fuzz/mod.rs"]
mod fuzz;
mod journal;
mod json;
mod limit;
mod limits_of_crms;
mod mapping;
mod merge;
mod next;
mod page;
mod page_shapes;
mod path;
mod push;
mod reference;
mod reply;
mod retry;
mod schema;
mod secret;
mod support;
mod template;
mod timestamp;
mod token;
mod watermark;
mod webhook;
