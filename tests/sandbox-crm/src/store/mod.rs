//! What the CRM holds: objects, ids, rows and their two orders. Knows nothing of HTTP or tenants.

mod id;
mod row;
mod table;

use serde::{Deserialize, Serialize};

pub use id::{Id, IdKind};
pub use row::Row;
pub use table::{Table, Tombstone, after_id, after_time};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    Leads,
    Contacts,
    Companies,
    Deals,
    Tickets,
}

impl Object {
    pub const ALL: [Self; 5] = [Self::Leads, Self::Contacts, Self::Companies, Self::Deals, Self::Tickets];

    pub fn name(self) -> &'static str {
        match self {
            Self::Leads => "leads",
            Self::Contacts => "contacts",
            Self::Companies => "companies",
            Self::Deals => "deals",
            Self::Tickets => "tickets",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|object| object.name() == name)
    }
}

/// The order in which a tenant's CRM lists rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    #[default]
    Id,
    /// By the time of the last change, equal times by id.
    #[serde(alias = "updated_at,id")]
    UpdatedAt,
}
