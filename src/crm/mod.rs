//! What a CRM looks like: its connector file, the requests it wants, the answers it gives. Sends nothing itself.

pub mod catalog;
mod check;
pub mod condition;
pub mod connector;
pub mod fingerprint;
pub mod limit;
pub mod mapping;
pub mod next;
pub mod object;
pub mod page;
pub mod reply;
pub mod request;
pub mod shape;
pub mod timestamp;
pub mod tree;
pub mod webhook;
pub mod write;
