//! One tenant's token: when it is renewed, what is kept, what is refused. The store is in memory, the clock and the CRM are
//! played (`token/world.rs`).

mod grants;
mod process;
mod processes;
mod world;

use process::Process;
use tenant_crm_sync::auth::token::Granted;
use tenant_crm_sync::error::{Error, Kind, Result};
use world::{World, oauth, values};

fn text(granted: &Granted) -> String {
    String::from_utf8(granted.access_token.to_vec()).unwrap()
}

fn ask(process: &mut Process, at_least: Option<u64>) -> Result<Granted> {
    process.ask("acme", &oauth("{}"), &values(&[]), at_least)
}

#[test]
fn a_first_token_is_stored_before_it_is_used_and_then_used_by_all() {
    let world = World::new();
    let granted = ask(&mut Process::of(&world), None).unwrap();
    assert_eq!((granted.version, text(&granted).as_str()), (1, "access-1"));
    assert!(world.stored("acme").contains("access-1"));
    let again = ask(&mut Process::of(&world), None).unwrap();
    assert_eq!((again.version, text(&again).as_str()), (1, "access-1"));
    assert_eq!(world.refreshes(), 1);
    assert!(!world.is_leased("acme"));
}

#[test]
fn a_token_is_renewed_a_little_before_it_ends() {
    let world = World::new();
    ask(&mut Process::of(&world), None).unwrap();
    world.pass(1730.0);
    assert_eq!(ask(&mut Process::of(&world), None).unwrap().version, 1);
    world.pass(15.0);
    assert_eq!(ask(&mut Process::of(&world), None).unwrap().version, 2);
    // Of a short life not all is margin.
    world.with(|world| world.crm.life = Some(20.0));
    ask(&mut Process::of(&world), Some(3)).unwrap();
    world.pass(17.0);
    assert_eq!(ask(&mut Process::of(&world), None).unwrap().version, 3);
    world.pass(2.0);
    assert_eq!(ask(&mut Process::of(&world), None).unwrap().version, 4);
}

#[test]
fn a_token_without_a_known_end_is_used_until_it_is_refused() {
    let world = World::new();
    world.with(|world| world.crm.life = None);
    ask(&mut Process::of(&world), None).unwrap();
    world.pass(1e7);
    assert_eq!(ask(&mut Process::of(&world), None).unwrap().version, 1);
    assert_eq!(world.refreshes(), 1);
    let next = ask(&mut Process::of(&world), Some(2)).unwrap();
    assert_eq!((next.version, text(&next).as_str()), (2, "access-2"));
    // Whoever still has the first asks for the second, and gets it without another request.
    ask(&mut Process::of(&world), Some(2)).unwrap();
    assert_eq!(world.refreshes(), 2);
    // What the connector says counts where the answer says nothing.
    let told = oauth(r#"{"expires_in": 100}"#);
    Process::of(&world).ask("other", &told, &values(&[]), None).unwrap();
    world.pass(101.0);
    assert_eq!(
        Process::of(&world)
            .ask("other", &told, &values(&[]), None)
            .unwrap()
            .version,
        2
    );
}

#[test]
fn a_refresh_token_is_replaced_when_there_is_a_new_one_and_kept_when_there_is_none() {
    let world = World::new();
    world.with(|world| world.crm.rotates = true);
    for version in 1..=4 {
        assert_eq!(ask(&mut Process::of(&world), Some(version)).unwrap().version, version);
    }
    world.with(|world| world.crm.rotates = false);
    for version in 5..=7 {
        assert_eq!(ask(&mut Process::of(&world), Some(version)).unwrap().version, version);
    }
    assert_eq!(world.refused(), 0);
}

#[test]
fn while_another_renews_early_the_old_token_is_used_without_waiting() {
    let world = World::new();
    ask(&mut Process::of(&world), None).unwrap();
    world.pass(1790.0);
    world.lease_for_another("acme");
    let before = world.now();
    assert_eq!(ask(&mut Process::of(&world), None).unwrap().version, 1);
    assert_eq!(world.now(), before);
    // Once it has ended, or was refused, it is not.
    assert_eq!(ask(&mut Process::of(&world), Some(2)).unwrap_err().kind, Kind::Timeout);
}

#[test]
fn a_failing_token_address_does_not_end_a_token_that_still_lives() {
    let world = World::new();
    ask(&mut Process::of(&world), None).unwrap();
    world.pass(1790.0);
    world.with(|world| world.crm.fault = Some(Error::new(Kind::Connect, "refused")));
    assert_eq!(ask(&mut Process::of(&world), None).unwrap().version, 1);
    assert!(!world.is_leased("acme"));
    world.pass(20.0);
    let error = ask(&mut Process::of(&world), None).unwrap_err();
    assert_eq!(error.kind, Kind::Connect);
    assert!(!world.is_leased("acme"), "the next one need not wait for a lease");
    world.with(|world| world.crm.fault = None);
    assert_eq!(ask(&mut Process::of(&world), None).unwrap().version, 2);
}

#[test]
fn a_store_that_fails_for_a_moment_does_not_lose_a_token() {
    let world = World::new();
    world.with(|world| (world.crm.rotates, world.failing_commits) = (true, 3));
    assert_eq!(ask(&mut Process::of(&world), None).unwrap().version, 1);
    assert_eq!(world.refreshes(), 1);
    // A token that cannot be stored at all is not used.
    world.with(|world| world.failing_commits = usize::MAX);
    let error = ask(&mut Process::of(&world), Some(2)).unwrap_err();
    assert!(error.message.contains("could not be stored"), "{}", error.message);
}

#[test]
fn nothing_is_spent_where_nothing_can_be_sealed() {
    let world = World::new();
    world.with(|world| world.no_keys = true);
    assert_eq!(ask(&mut Process::of(&world), None).unwrap_err().kind, Kind::Credential);
    assert_eq!(world.requests(), 0);
    assert!(!world.is_leased("acme"));
}

#[test]
fn a_token_of_other_settings_is_not_used() {
    let world = World::new();
    ask(&mut Process::of(&world), None).unwrap();
    for (field, value) in [("client_id", "another"), ("host", "another.example")] {
        let mut process = Process::of(&world);
        let changed = values(&[(field, value), ("refresh_token", "")]);
        let error = process.ask("acme", &oauth("{}"), &changed, None).unwrap_err();
        assert!(
            error.message.contains("connected with other settings"),
            "{}",
            error.message
        );
    }
    assert_eq!(world.requests(), 1);
}

#[test]
fn a_token_for_another_endpoint_is_replaced_where_that_can_be_done() {
    let world = World::new();
    ask(&mut Process::of(&world), None).unwrap();
    world.with(|world| world.moved = true);
    let none = values(&[("refresh_token", "")]);
    let error = Process::of(&world).ask("acme", &oauth("{}"), &none, None).unwrap_err();
    assert!(
        error.message.contains("connected with other settings"),
        "{}",
        error.message
    );
    assert_eq!(ask(&mut Process::of(&world), None).unwrap().version, 2);
}

#[test]
fn a_token_that_still_lives_is_used_though_the_next_was_refused() {
    let world = World::new();
    ask(&mut Process::of(&world), None).unwrap();
    world.with(|world| world.crm.always = Some((400, r#"{"error":"invalid_grant"}"#.into())));
    world.pass(1790.0);
    for _ in 0..3 {
        assert_eq!(ask(&mut Process::of(&world), None).unwrap().version, 1);
    }
    assert_eq!(world.requests(), 2);
    world.pass(20.0);
    let error = ask(&mut Process::of(&world), None).unwrap_err();
    assert!(error.message.contains("connected again"), "{}", error.message);
    assert_eq!(world.requests(), 2);
}

#[test]
fn a_tenant_without_any_token_is_told_how_to_connect() {
    let world = World::new();
    let none = values(&[("refresh_token", "")]);
    let error = Process::of(&world).ask("acme", &oauth("{}"), &none, None).unwrap_err();
    assert!(
        error.message.contains("not connected yet") && error.message.contains("enter it"),
        "{}",
        error.message
    );
    let consent = oauth(r#"{"grant": "authorization_code", "authorize_url": "https://{host}/agree"}"#);
    let error = Process::of(&world).ask("acme", &consent, &none, None).unwrap_err();
    assert!(error.message.contains("choose \"Connect\""), "{}", error.message);
}

#[test]
fn a_refusal_with_status_200_is_a_refusal() {
    let world = World::new();
    world.with(|world| world.crm.always = Some((200, r#"{"error":"invalid_code"}"#.into())));
    let zoho = oauth(r#"{"reconnect": ["invalid_grant", "invalid_code"]}"#);
    let error = Process::of(&world).ask("acme", &zoho, &values(&[]), None).unwrap_err();
    assert!(error.message.contains("connected again"), "{}", error.message);
    assert!(error.message.contains("invalid_code"), "{}", error.message);
    // Another code is no reason to ask for a person.
    world.with(|world| world.crm.always = Some((200, r#"{"error":"invalid_client"}"#.into())));
    let error = Process::of(&world).ask("b", &zoho, &values(&[]), None).unwrap_err();
    assert!(error.message.contains("client's id"), "{}", error.message);
    world.with(|world| world.crm.always = None);
    assert_eq!(
        Process::of(&world).ask("b", &zoho, &values(&[]), None).unwrap().version,
        1
    );
}

#[test]
fn an_answer_is_never_shown_with_a_secret_in_it() {
    let world = World::new();
    for body in [
        r#"{"error":"invalid_request","error_description":"client_secret s3cret-of-client and refresh-0-acme"}"#,
        "no JSON: s3cret-of-client refresh-0-acme",
    ] {
        world.with(|world| world.crm.always = Some((400, body.into())));
        let error = ask(&mut Process::of(&world), None).unwrap_err();
        let shown = format!("{error:?}");
        assert!(
            !shown.contains("s3cret-of-client") && !shown.contains("refresh-0"),
            "{shown}"
        );
    }
}

#[test]
fn a_captured_address_leads_only_where_the_connector_says() {
    let salesforce = oauth(
        r#"{"capture": {"instance_url": {"path": ["instance_url"], "default": "{api_endpoint}", "hosts": ["*.force.example"]}}}"#,
    );
    let told = |url: &str| {
        let world = World::new();
        world.with(|world| world.crm.extra = format!(r#","instance_url":{}"#, serde_json::Value::from(url)));
        let outcome = Process::of(&world).ask("acme", &salesforce, &values(&[]), None);
        (outcome.map(|granted| granted.captured["instance_url"].clone()), world)
    };
    for (url, wanted) in [
        ("https://eu9.force.example", "https://eu9.force.example"),
        ("https://EU9.Force.example/", "https://eu9.force.example"),
        ("https://crm.example/own", "https://crm.example/own"),
    ] {
        assert_eq!(told(url).0.unwrap(), wanted);
    }
    for url in [
        "http://eu9.force.example",
        "https://force.example.evil.test",
        "https://evilforce.example",
        "https://eu9.force.example:444",
        "https://user@eu9.force.example",
        "https://eu9.force.example/?x",
        "//eu9.force.example",
        "javascript:alert(1)",
        "",
    ] {
        let (outcome, world) = told(url);
        let error = outcome.unwrap_err();
        assert_eq!(error.kind, Kind::Egress, "{url}");
        // The refresh token that came with it is kept, the access token is not used.
        assert_eq!(world.version("acme"), 1, "{url}");
        assert!(!world.stored("acme").contains("access-1"));
    }
    // Without one: the default, or what was told before.
    let world = World::new();
    let granted = Process::of(&world)
        .ask("acme", &salesforce, &values(&[]), None)
        .unwrap();
    assert_eq!(granted.captured["instance_url"], "https://crm.example");
    world.with(|world| world.crm.extra = r#","instance_url":"https://a.force.example""#.into());
    Process::of(&world)
        .ask("acme", &salesforce, &values(&[]), Some(2))
        .unwrap();
    world.with(|world| world.crm.extra.clear());
    let granted = Process::of(&world)
        .ask("acme", &salesforce, &values(&[]), Some(3))
        .unwrap();
    assert_eq!(granted.captured["instance_url"], "https://a.force.example");
}

#[test]
fn whoever_waits_can_be_interrupted() {
    let world = World::new();
    world.lease_for_another("acme");
    let mut process = Process::of(&world);
    process.is_interrupted = true;
    assert_eq!(ask(&mut process, None).unwrap_err().kind, Kind::Cancelled);
}
