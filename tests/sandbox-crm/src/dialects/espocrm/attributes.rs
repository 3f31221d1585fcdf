//! Which attributes each entity has that a client may write, and what each takes.

use serde_json::Value;

use crate::dialects::common::is_email;
use crate::store::Object;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// At most so many characters.
    Varchar(usize),
    Text,
    Email,
    Bool,
    /// Not below zero.
    Currency,
    Percent,
    Date,
    Enum(&'static [&'static str]),
    /// The id of a record.
    Link,
    /// A list of ids.
    Links,
    /// A list of `{emailAddress|phoneNumber, primary, …}`.
    Data(&'static str),
}

type Table = &'static [(Kind, &'static [&'static str])];

const SALUTATION: Kind = Kind::Enum(&["Mr.", "Ms.", "Mrs.", "Dr."]);
const CURRENCIES: Kind = Kind::Enum(&["USD", "EUR"]);
const SOURCES: Kind = Kind::Enum(&[
    "Call",
    "Email",
    "Existing Customer",
    "Partner",
    "Public Relations",
    "Web Site",
    "Campaign",
    "Other",
]);
pub const LEAD_STATUS: &[&str] = &["New", "Assigned", "In Process", "Converted", "Recycled", "Dead"];
pub const STAGES: &[&str] = &[
    "Prospecting",
    "Qualification",
    "Proposal",
    "Negotiation",
    "Closed Won",
    "Closed Lost",
];
pub const CASE_STATUS: &[&str] = &["New", "Assigned", "Pending", "Closed", "Rejected", "Duplicate"];

const REACHED: Table = &[
    (Kind::Email, &["emailAddress"]),
    (Kind::Varchar(36), &["phoneNumber"]),
    (Kind::Data("emailAddress"), &["emailAddressData"]),
    (Kind::Data("phoneNumber"), &["phoneNumberData"]),
];
const EVERY: Table = &[
    (Kind::Text, &["description"]),
    (Kind::Link, &["assignedUserId"]),
    (Kind::Links, &["teamsIds"]),
];

const PERSON: Table = &[
    (SALUTATION, &["salutationName"]),
    (
        Kind::Varchar(100),
        &[
            "firstName",
            "lastName",
            "middleName",
            "title",
            "addressCity",
            "addressState",
            "addressCountry",
        ],
    ),
    (Kind::Varchar(255), &["addressStreet"]),
    (Kind::Varchar(40), &["addressPostalCode"]),
    (Kind::Bool, &["doNotCall"]),
];
const LEAD: Table = &[
    (Kind::Enum(LEAD_STATUS), &["status"]),
    (SOURCES, &["source"]),
    (Kind::Currency, &["opportunityAmount"]),
    (CURRENCIES, &["opportunityAmountCurrency"]),
    (Kind::Varchar(255), &["accountName", "website"]),
];
const CONTACT: Table = &[(Kind::Link, &["accountId"]), (Kind::Links, &["accountsIds"])];
const ACCOUNT: Table = &[
    (Kind::Varchar(249), &["name"]),
    (
        Kind::Varchar(255),
        &["website", "billingAddressStreet", "shippingAddressStreet"],
    ),
    (Kind::Enum(&["Customer", "Investor", "Partner", "Reseller"]), &["type"]),
    (
        Kind::Varchar(40),
        &["sicCode", "billingAddressPostalCode", "shippingAddressPostalCode"],
    ),
    (
        Kind::Varchar(100),
        &[
            "billingAddressCity",
            "billingAddressState",
            "billingAddressCountry",
            "shippingAddressCity",
            "shippingAddressState",
            "shippingAddressCountry",
        ],
    ),
];
const OPPORTUNITY: Table = &[
    (Kind::Varchar(255), &["name"]),
    (Kind::Currency, &["amount"]),
    (CURRENCIES, &["amountCurrency"]),
    (Kind::Link, &["accountId", "contactId"]),
    (Kind::Enum(STAGES), &["stage"]),
    (Kind::Percent, &["probability"]),
    (SOURCES, &["leadSource"]),
    (Kind::Date, &["closeDate"]),
];
const CASE: Table = &[
    (Kind::Varchar(255), &["name"]),
    (Kind::Enum(CASE_STATUS), &["status"]),
    (Kind::Enum(&["Low", "Normal", "High", "Urgent"]), &["priority"]),
    (Kind::Enum(&["Question", "Incident", "Problem"]), &["type"]),
    (Kind::Link, &["accountId", "contactId", "leadId"]),
    (Kind::Bool, &["isInternal"]),
];

pub fn of(object: Object) -> impl Iterator<Item = (&'static str, Kind)> {
    let tables: [Table; 4] = match object {
        Object::Leads => [PERSON, LEAD, REACHED, EVERY],
        Object::Contacts => [PERSON, CONTACT, REACHED, EVERY],
        Object::Companies => [ACCOUNT, REACHED, EVERY, &[]],
        Object::Deals => [OPPORTUNITY, EVERY, &[], &[]],
        Object::Tickets => [CASE, EVERY, &[], &[]],
    };
    let rows = tables.into_iter().flatten();
    rows.flat_map(|(kind, names)| names.iter().map(|name| (*name, *kind)))
}

pub fn kind(object: Object, name: &str) -> Option<Kind> {
    of(object).find(|(known, _)| *known == name).map(|(_, kind)| kind)
}

/// What a new record must have, and no record may lose.
pub fn required(object: Object) -> &'static [&'static str] {
    match object {
        Object::Leads => &[],
        Object::Contacts => &["lastName"],
        Object::Companies | Object::Tickets => &["name"],
        Object::Deals => &["name", "amount", "closeDate"],
    }
}

/// The attribute and what the validator that it fails is called. Attributes that are not known are no matter.
pub fn wrong(object: Object, name: &str, value: &Value) -> Option<&'static str> {
    let kind = kind(object, name)?;
    let blank = value.is_null() || value.as_str() == Some("");
    if blank {
        let needed = required(object).contains(&name);
        // An enum with a default, and a boolean, cannot be emptied.
        let never = matches!(kind, Kind::Bool) || ["status", "stage", "priority", "amountCurrency"].contains(&name);
        return (needed || never).then_some("required");
    }
    let text = value.as_str();
    match kind {
        Kind::Varchar(most) => match text {
            Some(text) => (text.chars().count() > most).then_some("maxLength"),
            None => Some("valid"),
        },
        Kind::Text | Kind::Link => invalid(text.is_some()),
        Kind::Email => invalid(text.is_some_and(is_email)),
        Kind::Bool => invalid(value.is_boolean()),
        Kind::Currency => invalid(value.as_f64().is_some_and(|amount| amount >= 0.0)),
        Kind::Percent => invalid(value.as_u64().is_some_and(|percent| percent <= 100)),
        Kind::Date => invalid(text.is_some_and(|text| text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok())),
        Kind::Enum(names) => invalid(text.is_some_and(|text| names.contains(&text))),
        Kind::Links => invalid(value.as_array().is_some_and(|ids| ids.iter().all(Value::is_string))),
        Kind::Data(part) => invalid(value.as_array().is_some_and(|list| {
            let texts = list.iter().map(|one| one.get(part).and_then(Value::as_str));
            texts
                .into_iter()
                .all(|text| text.is_some_and(|text| part != "emailAddress" || is_email(text)))
        })),
    }
}

fn invalid(valid: bool) -> Option<&'static str> {
    (!valid).then_some("valid")
}
