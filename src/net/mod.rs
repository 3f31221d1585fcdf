//! How bytes travel: the pool of connections, whom we may call, and what is repeated. Knows nothing of CRMs.

pub mod breaker;
pub mod client;
mod door;
pub mod egress;
mod failure;
pub mod journal;
pub mod lane;
pub mod logfile;
pub mod retry;
pub mod send;
pub mod trace;
