//! How a request is authorised where a key alone does not do it: OAuth 2.0. `oauth2` is what a connector says, `token` keeps
//! one tenant's token good for all processes of a site. `managers` looks up credentials that lie in a secrets manager. Where tokens
//! are stored, and who sends, is for others to say.

mod answer;
pub mod aws;
mod bundle;
mod document;
mod grant;
mod judge;
mod jwt;
mod local;
pub mod managers;
pub mod oauth2;
pub mod reference;
mod renew;
pub mod sigv4;
pub mod token;
pub mod vault;

pub use grant::{Code, authorize_url};
pub use local::LocalTokens;
