//! What a CRM looks like: its connector file, the requests it wants, the pages it answers with. Sends nothing itself.

pub mod connector;
pub mod fingerprint;
pub mod page;
pub mod request;
pub mod timestamp;
pub mod webhook;
