//! Whose counter it is: those that draw on one quota have one, and nobody else has it.

use std::collections::BTreeSet;

use tenant_crm_sync::crm::connector::Connector;
use tenant_crm_sync::crm::request::Connection;
use tenant_crm_sync::limit::Key;
use tenant_crm_sync::limit::budget::{gate, windows};
use tenant_crm_sync::limit::own::TenantLimits;

use super::{NOON, connected, connected_at, with_plan};
use crate::support::built_in;

fn keys(connection: &Connection, tenant: &str) -> Vec<Key> {
    let all = windows(connection, tenant, &TenantLimits::default(), NOON).unwrap();
    all.iter().map(|window| window.key).collect()
}

#[test]
fn tenants_with_one_credential_share_and_others_do_not() {
    let at = |address, key| connected_at(built_in("pipedrive"), "key", address, &[("api_key", key)]);
    let first = at("https://acme.pipedrive.com", "one");
    let again = at("https://acme.pipedrive.com/", "one");
    assert_eq!(
        keys(&first, "acme"),
        keys(&again, "other"),
        "a tenant's name is of no matter"
    );
    assert_eq!(gate(&first, "acme"), gate(&again, "other"));
    let another_key = at("https://acme.pipedrive.com", "two");
    let another_origin = at("https://beta.pipedrive.com", "one");
    let mut seen = BTreeSet::new();
    for connection in [&first, &another_key, &another_origin] {
        seen.extend(keys(connection, "acme"));
        seen.insert(gate(connection, "acme"));
    }
    assert_eq!(
        seen.len(),
        9,
        "each credential, origin, unit and time has its own, and so has the connection"
    );
}

#[test]
fn fields_that_are_no_part_of_the_authorisation_change_nothing() {
    let plain = connected("hubspot", "key", &[("api_key", "k"), ("zone", "UTC")]);
    let more = connected(
        "hubspot",
        "key",
        &[
            ("api_key", "k"),
            ("zone", "UTC"),
            ("webhook_secret", "w"),
            ("client_secret", "s"),
        ],
    );
    assert_eq!(keys(&plain, "acme"), keys(&more, "acme"));
    let professional = windows(&plain, "acme", &with_plan("professional"), NOON).unwrap();
    let professional: Vec<Key> = professional.iter().map(|window| window.key).collect();
    assert_eq!(
        keys(&plain, "acme"),
        professional,
        "two settings of one account count together"
    );
}

#[test]
fn consents_to_one_app_are_told_apart() {
    let app = [("client_id", "c"), ("client_secret", "s")];
    let connection = connected("pipedrive", "oauth", &app);
    assert_ne!(
        keys(&connection, "acme"),
        keys(&connection, "beta"),
        "the refresh tokens are elsewhere"
    );
    let with_token = |token| connected("pipedrive", "oauth", &[app[0], app[1], ("refresh_token", token)]);
    assert_eq!(keys(&with_token("r"), "acme"), keys(&with_token("r"), "beta"));
    assert_ne!(keys(&with_token("r"), "acme"), keys(&with_token("q"), "acme"));
    // An app's own limit is that of all who have consented.
    let text = r#"{"schema":1,"name":"apps","title":"Apps","base":"{api_endpoint}",
        "fields":{"client_id":{"title":"Id"},"client_secret":{"title":"Secret","secret":true}},
        "auth":[{"name":"oauth","title":"OAuth","fields":["client_id","client_secret"],"oauth2":{"grant":"authorization_code","token_url":"{api_endpoint}/token","authorize_url":"{api_endpoint}/authorize"}}],
        "limits":[{"scope":"app","amount":9,"seconds":10}],"objects":{"leads":{}}}"#;
    let connector: &'static Connector = Box::leak(Box::new(Connector::parse("apps.json", text).unwrap()));
    let of_app = |id| connected_at(connector, "oauth", "https://crm.example", &[("client_id", id), app[1]]);
    assert_eq!(keys(&of_app("c"), "acme"), keys(&of_app("c"), "beta"));
    assert_ne!(keys(&of_app("c"), "acme"), keys(&of_app("d"), "acme"));
}

#[test]
fn users_of_one_certificate_are_told_apart() {
    let user = |name| {
        connected(
            "salesforce",
            "jwt",
            &[("client_id", "c"), ("username", name), ("private_key", "pem")],
        )
    };
    assert_ne!(
        keys(&user("ada@acme.example"), "acme"),
        keys(&user("bob@beta.example"), "beta")
    );
}

#[test]
fn tenants_of_one_account_share_it_where_a_token_has_told_the_account() {
    let hub = |hub, token| {
        let fields = [
            ("client_id", "c"),
            ("client_secret", "s"),
            ("refresh_token", token),
            ("hub_id", hub),
        ];
        connected("hubspot", "oauth", &fields)
    };
    assert_eq!(keys(&hub("7", "r"), "acme"), keys(&hub("7", "q"), "beta"));
    assert_ne!(keys(&hub("7", "r"), "acme"), keys(&hub("8", "r"), "acme"));
    assert_ne!(
        gate(&hub("7", "r"), "acme"),
        gate(&hub("7", "q"), "beta"),
        "a breaker is the connection's own"
    );
    let org = |url, user| {
        let fields = [
            ("client_id", "c"),
            ("username", user),
            ("private_key", "p"),
            ("instance_url", url),
        ];
        connected("salesforce", "jwt", &fields)
    };
    assert_eq!(
        keys(&org("https://acme.my.salesforce.com", "a"), "x"),
        keys(&org("https://acme.my.salesforce.com", "b"), "y")
    );
    assert_ne!(
        keys(&org("https://acme.my.salesforce.com", "a"), "x"),
        keys(&org("https://beta.my.salesforce.com", "a"), "x")
    );
}

#[test]
fn an_account_that_no_token_has_told_is_not_believed() {
    // With a session token the organisation's address is what the settings say: anybody could write another's there.
    let claims = |key| {
        connected(
            "salesforce",
            "key",
            &[("api_key", key), ("instance_url", "https://acme.my.salesforce.com")],
        )
    };
    assert_ne!(keys(&claims("honest"), "acme"), keys(&claims("forged"), "mallory"));
    // Nor does a service key share with what it says of an account.
    let claims = |key| {
        connected(
            "hubspot",
            "key",
            &[("api_key", key), ("hub_id", "7"), ("client_id", "c"), ("zone", "UTC")],
        )
    };
    assert_ne!(
        keys(&claims("honest"), "acme")[2],
        keys(&claims("forged"), "mallory")[2]
    );
}
