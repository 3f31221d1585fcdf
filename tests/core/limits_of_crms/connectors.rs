//! What a connector's file may say of limits, and what is refused with its place.

use tenant_crm_sync::crm::catalog::{Folder, find, names};
use tenant_crm_sync::crm::connector::Connector;
use tenant_crm_sync::crm::limit::REQUESTS;

/// A connector with these limits and this probe.
fn parsed(limits: &str, probe: &str) -> Result<Connector, String> {
    let text = format!(
        r#"{{"schema":1,"name":"made","title":"Made","base":"{{api_endpoint}}",
            "auth":[{{"name":"key","title":"Key","fields":["api_key"]}}],
            "limits":{limits},"probe":{{"method":"GET","path":"/me"{probe}}},"objects":{{"leads":{{}}}}}}"#
    );
    Connector::parse("made.json", &text).map_err(|error| error.message)
}

#[test]
fn mistakes_are_named_with_their_place() {
    let long = r#"{"scope":"user","amount":9,"seconds":60}"#;
    for (limit, words) in [
        (r#"{"scope":"user","amount":0,"seconds":60}"#, "limits[0].amount"),
        (
            r#"{"scope":"user","amount":9000000000000,"seconds":60}"#,
            "limits[0].amount",
        ),
        (r#"{"scope":"user","amount":9,"seconds":0}"#, "limits[0].seconds"),
        (r#"{"scope":"user","amount":9,"seconds":90000}"#, "limits[0].seconds"),
        (
            r#"{"scope":"user","amount":9,"seconds":60,"daily":true}"#,
            "limits[0].daily",
        ),
        (
            r#"{"scope":"user","amount":9,"seconds":60,"zone":"UTC"}"#,
            "limits[0].zone",
        ),
        (
            r#"{"scope":"user","amount":9,"seconds":60,"unit":""}"#,
            "limits[0].unit",
        ),
        (
            r#"{"scope":"user","amount":9,"seconds":60,"plan":""}"#,
            "limits[0].plan",
        ),
        (
            r#"{"scope":"user","amount":9,"seconds":60,"each":10}"#,
            "limits[0].each",
        ),
        (
            r#"{"scope":"user","amount":9,"seconds":60,"reserve":0.95}"#,
            "limits[0].reserve",
        ),
        (
            r#"{"scope":"user","amount":9,"seconds":60,"auth":["oauth"]}"#,
            "limits[0].auth",
        ),
        (
            r#"{"scope":"user","amount":9,"seconds":60,"told":{}}"#,
            "limits[0].told",
        ),
        (
            r#"{"scope":"user","amount":9,"seconds":60,"told":{"used":"x"}}"#,
            "limits[0].told",
        ),
        (
            r#"{"scope":"user","amount":9,"seconds":60,"told":{"form":"usage","limit":"x"}}"#,
            "limits[0].told",
        ),
        (
            r#"{"scope":"user","amount":9,"seconds":60,"told":{"form":"structured","limit":"x"}}"#,
            "limits[0].told",
        ),
        (
            r#"{"scope":"user","amount":9,"seconds":60,"told":{"form":"loud"}}"#,
            "limits[0].told.form",
        ),
        (r#"{"scope":"team","amount":9,"seconds":60}"#, "limits[0].scope"),
    ] {
        let refused = parsed(&format!("[{limit}]"), "").unwrap_err();
        assert!(
            refused.contains("made.json") && refused.contains(words),
            "{limit}: {words} is not in: {refused}"
        );
    }
    assert!(parsed(&format!("[{long}]"), "").is_ok());
    let twice = parsed(&format!("[{long},{long}]"), "").unwrap_err();
    assert!(twice.contains("limits[1].plan"), "{twice}");
    let plans = long.replace("60}", "60,\"plan\":\"a\"}") + "," + &long.replace("60}", "60,\"plan\":\"b\"}");
    assert_eq!(parsed(&format!("[{plans}]"), "").unwrap().plans(), ["a", "b"]);
}

#[test]
fn costs_are_of_units_that_a_limit_counts() {
    let tokens = r#"[{"scope":"user","amount":9,"seconds":60,"unit":"tokens"}]"#;
    assert!(parsed(tokens, r#","costs":{"tokens":3,"requests":2}"#).is_ok());
    let refused = parsed(tokens, r#","costs":{"tokns":3}"#).unwrap_err();
    assert!(
        refused.contains("probe: costs") && refused.contains("requests, tokens"),
        "{refused}"
    );
    for cost in [
        "-1",
        "1.5",
        "\"3\"",
        "2000000",
        "{}",
        "[]",
        "{\"one_for\":0}",
        "{\"one_for\":5,\"each\":1}",
        "{\"two_for\":5}",
    ] {
        let refused = parsed(tokens, &format!(r#","costs":{{"tokens":{cost}}}"#)).unwrap_err();
        assert!(
            refused.contains("probe.costs") && refused.contains("one_for"),
            "{cost}: {refused}"
        );
    }
}

#[test]
fn a_cost_in_an_object_is_looked_at_too() {
    let text = include_str!("../../../src/crm/catalog/zoho.json")
        .replace("{ \"credits\": { \"one_for\": 10 } }", "{ \"credit\": 1 }");
    let refused = Connector::parse("zoho.json", &text).unwrap_err().message;
    assert!(
        refused.contains("contacts") || refused.contains("leads") || refused.contains("companies"),
        "{refused}"
    );
    assert!(
        refused.contains("\"credit\"") && refused.contains("credits"),
        "{refused}"
    );
}

/// The first of a group counts where the tenant names no plan: it has to be the one that no edition is below.
#[test]
fn the_smallest_plan_is_the_first_everywhere() {
    let folder = Folder::default();
    for name in names(&folder).unwrap() {
        let limits = &find(&name, &folder).unwrap().limits;
        for (position, limit) in limits.iter().enumerate() {
            let mut before = limits
                .iter()
                .take(position)
                .filter(|other| other.is_beside(limit) && other.auth == limit.auth);
            assert!(
                before.all(|first| first.amount <= limit.amount),
                "{name}: limits[{position}]"
            );
            assert!(
                limit.each() <= 20 && (limit.unit != REQUESTS || limit.each() == 1),
                "{name}: limits[{position}]"
            );
        }
    }
}
