//! References to secrets managers: how they are written, whose they are, and AWS's signatures by AWS's own examples.

use tenant_crm_sync::auth::reference::{Manager, Owner, Reference, Template, manager_of};
use tenant_crm_sync::auth::sigv4::{self, Keys, Request};

fn owner(tenant: &str) -> Owner<'_> {
    Owner { site: "1", tenant }
}

fn vault(text: &str) -> Reference {
    Reference::parse(Manager::Vault, text).unwrap()
}

#[test]
fn a_reference_has_one_form() {
    let reference = vault("vault://secret/crm/acme#api_key");
    assert_eq!(reference.segments, ["secret", "crm", "acme"]);
    assert_eq!(reference.field.as_deref(), Some("api_key"));
    assert_eq!(reference.to_string(), "vault://secret/crm/acme");
    let whole = Reference::parse(Manager::Aws, "aws-sm://acme").unwrap();
    assert_eq!((whole.segments, whole.field), (vec![String::from("acme")], None));
    let long = format!("vault://secret/{}#k", "a".repeat(1024));
    for wrong in [
        "vault://",
        "vault://secret",
        "vault://secret/a",
        "vault://secret/#k",
        "vault://secret//a#k",
        "vault:///a#k",
        "vault://secret/./a#k",
        "vault://secret/../a#k",
        "vault://secret/a/#k",
        "vault://secret/a#",
        "vault://secret/a#k#l",
        "vault://secret/a b#k",
        "vault://secret/a%2Fb#k",
        "vault://secret/a?b#k",
        "vault://secret/a\\b#k",
        "vault://secret/ä#k",
        "vault://secret/a\n#k",
        "vault://user@host:1/a#k",
        &long,
    ] {
        assert!(Reference::parse(Manager::Vault, wrong).is_err(), "{wrong}");
    }
    assert_eq!(manager_of(b"vault://anything"), Some(Manager::Vault));
    assert_eq!(manager_of(b"aws-sm://"), Some(Manager::Aws));
    assert_eq!(manager_of(b"Vault://x"), None);
    assert_eq!(manager_of(b"k3y-vault://x"), None);
}

#[test]
fn a_template_names_the_tenant_once() {
    for right in [
        "secret/{tenant}",
        "secret/crm-{tenant}/*",
        "{tenant}/*",
        "a/{site}/{tenant}/*",
    ] {
        assert!(Template::parse(right).is_ok(), "{right}");
    }
    for wrong in [
        "",
        "*",
        "secret/*",
        "secret/crm",
        "secret/{site}/*",
        "{tenant}/{tenant}",
        "{site}-{tenant}",
        "{tenant}{tenant}",
        "a/*/{tenant}",
        "a//{tenant}",
        "a/../{tenant}",
        "a/{tenant",
        "/a/{tenant}",
    ] {
        assert!(Template::parse(wrong).is_err(), "{wrong}");
    }
}

/// Whatever tenants are called, none may use what another may.
#[test]
fn no_two_tenants_share_a_secret() {
    let ids = [
        "a", "A", "b", "a/b", "a=2Fb", "a=2fb", "..", ".", "../b", "a/..", "=2E.", "*", "#", "a#b", "a b", "a+b",
        "a%20b", "", "ä", "a\u{308}", "{site}", "{tenant}", "a/", "a\0", "1", "01", "a.b", ".a", "=2Ea",
    ];
    for text in [
        "secret/crm/{tenant}",
        "secret/crm/{tenant}/*",
        "secret/{site}/x-{tenant}/*",
    ] {
        let template = Template::parse(text).unwrap();
        for id in ids {
            // The refusal names what would be right.
            let said = template.check(&vault("vault://no/no#no"), owner(id)).unwrap_err();
            let base = said
                .split("begin with ")
                .nth(1)
                .and_then(|rest| rest.split(['#', ' ']).next())
                .unwrap();
            let own = format!(
                "{}{}#k",
                base.trim_end_matches('/'),
                if text.ends_with('*') { "/key" } else { "" }
            );
            let Ok(own) = Reference::parse(Manager::Vault, &own) else {
                assert!(id.is_empty(), "{id:?} has no place of its own: {own}");
                continue;
            };
            let users: Vec<&str> = ids
                .into_iter()
                .filter(|other| template.check(&own, owner(other)).is_ok())
                .collect();
            assert_eq!(
                users,
                if id.is_empty() { vec![] } else { vec![id] },
                "{own} under {text}"
            );
        }
    }
    let template = Template::parse("secret/crm/{tenant}/*").unwrap();
    assert!(
        template.check(&vault("vault://secret/crm/a#k"), owner("a")).is_err(),
        "the folder itself is no secret below it"
    );
    assert!(template.check(&vault("vault://secret/crm/a/b/c#k"), owner("a")).is_ok());
    let site = Template::parse("secret/{site}/{tenant}").unwrap();
    let without = Owner { site: "", tenant: "a" };
    assert!(site.check(&vault("vault://secret/x/a#k"), without).is_err());
}

/// From AWS's test suite for Signature Version 4: get-vanilla, and post-vanilla with a session token that is signed.
#[test]
fn signatures_are_aws_own() {
    let mut keys = Keys {
        id: String::from("AKIDEXAMPLE"),
        secret: String::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").into(),
        session: None,
    };
    let date = sigv4::date(1_440_938_160.0).unwrap();
    assert_eq!(date, "20150830T123600Z");
    let headers = [("host", "example.amazonaws.com"), ("x-amz-date", date.as_str())];
    let signed = |keys: &Keys, method: &str| {
        let request = Request {
            method,
            path: "/",
            headers: &headers,
            body: b"",
        };
        sigv4::authorization(keys, "us-east-1", "service", &date, request)
    };
    let scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=";
    assert_eq!(
        signed(&keys, "GET"),
        format!("{scope}5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
    );
    assert_eq!(
        signed(&keys, "POST"),
        format!("{scope}5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")
    );
    keys.secret = String::from("another").into();
    assert_ne!(
        signed(&keys, "GET"),
        format!("{scope}5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
    );
}
