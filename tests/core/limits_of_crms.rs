//! What connectors and tenants say of limits, and what follows for a connection: its windows, whose they are, what a request
//! takes of them, what answers tell of them.

mod connectors;
mod costs;
mod keys;
mod own;
mod told;
mod windows;

use tenant_crm_sync::crm::connector::Connector;
use tenant_crm_sync::crm::request::{Connection, endpoint, set_endpoint};
use tenant_crm_sync::limit::Count;
use tenant_crm_sync::limit::budget::{Window, windows};
use tenant_crm_sync::limit::own::TenantLimits;
use tenant_crm_sync::template::{Value, Values};

use crate::support::built_in;

/// 2026-11-24 12:00 UTC; it is winter in the north.
const NOON: u64 = 1_795_521_600_000;

/// A connection of a built-in connector with these fields.
fn connected(name: &str, method: &str, fields: &[(&str, &str)]) -> Connection {
    connected_at(built_in(name), method, "https://crm.example", fields)
}

fn connected_at(connector: &'static Connector, method: &str, address: &str, fields: &[(&str, &str)]) -> Connection {
    let mut values = Values::new();
    set_endpoint(&mut values, &endpoint(address).unwrap());
    for (name, value) in fields {
        values.set(name, Value::text(value));
    }
    Connection {
        connector,
        method: connector.auth_method(Some(method)).unwrap(),
        values,
        is_referenced: false,
        lane: None,
    }
}

fn with_plan(plan: &str) -> TenantLimits {
    TenantLimits::parse(Some(plan), None, None).unwrap()
}

fn of(connection: &Connection, own: &TenantLimits) -> Vec<Window> {
    windows(connection, "acme", own, NOON).unwrap()
}

/// What people read of each window.
fn names(connection: &Connection, own: &TenantLimits) -> Vec<String> {
    of(connection, own).into_iter().map(|window| window.name).collect()
}

fn kind(window: &Window) -> &'static str {
    match window.rule.count {
        Count::Paced => "paced",
        Count::Rolling => "rolling",
        Count::Daily(_) => "daily",
    }
}
