//! How a CRM is asked to send webhooks, and no more: the connector's block `webhooks.subscribe`. What they are proven by, the portal
//! makes up; when one is to be made anew, the plugin knows.

use serde::Deserialize;

use super::Webhooks;
use crate::crm::object::Operation;
use crate::json::Path;

/// How webhooks are made and ended where the CRM's API can.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// Makes one for an object type. Its values, besides the connection's: `{notify_url}`, `{event_object}` (the CRM's word for
    /// the object type in events), `{channel}` (a random number) and `{expires_at}`. `id` says where its id is in the answer.
    pub create: Operation,
    /// Ends the one with `{id}`.
    pub delete: Operation,
    /// The connection's fields that it is proven by: the portal makes them up.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Seconds that one lasts; without it, until it is ended.
    pub lasts_seconds: Option<u32>,
    /// Where the answer says which account it is for, as events name it.
    pub account: Option<Path>,
}

impl Webhooks {
    /// The CRM's word for an object type in its events.
    #[must_use]
    pub fn event_object(&self, object: &str) -> Option<&str> {
        let words = self.events.iter().flat_map(|events| &events.object);
        let mut pairs = words.flat_map(|word| &word.map);
        pairs
            .find(|(_, ours)| *ours == object)
            .map(|(theirs, _)| theirs.as_str())
    }
}
