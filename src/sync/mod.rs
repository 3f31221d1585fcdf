//! The verbs, pure flow: what is fetched, in which order, and from where the next run goes on.

pub mod fair;
pub mod mailbox;
pub mod many;
pub mod merge;
mod named;
pub mod plan;
pub mod probe;
pub mod pull;
pub mod push;
pub mod revision;
pub mod walk;
pub mod watermark;
