//! How a request is authorised where a key alone does not do it: OAuth 2.0. `oauth2` is what a connector says, `token` keeps
//! one tenant's token good for all processes of a site. Where tokens are stored, and who sends, is for others to say.

mod answer;
mod bundle;
mod grant;
mod judge;
mod jwt;
mod local;
pub mod oauth2;
mod renew;
pub mod token;

pub use grant::{Code, authorize_url};
pub use local::LocalTokens;
