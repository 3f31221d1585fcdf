//! The face: the only place that touches Zend. Reads arguments and INI, hands the work to the house, turns what comes
//! back into PHP values, `false` or exceptions.

mod about;
mod batch;
mod client;
mod consent;
mod credential;
mod exception;
mod info;
mod ini;
mod journal;
mod json;
mod lifecycle;
mod limits;
mod many;
mod merge;
mod methods;
mod prepare;
mod pull;
mod records;
mod references;
mod register;
mod settings;
mod tokens;
mod userland;
mod wanted;
mod webhook;
mod zend;

pub use lifecycle::{module, start};
