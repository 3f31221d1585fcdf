//! What answers tell of limits: every CRM's own headers, and what strangers make of them.

use std::time::Duration;

use tenant_crm_sync::crm::limit::Tells;
use tenant_crm_sync::limit::budget::Window;
use tenant_crm_sync::limit::own::TenantLimits;
use tenant_crm_sync::limit::told::{Of, Told, read};

use super::{NOON, connected, of, with_plan};
use crate::support::headers;

fn told(window: &Window, pairs: &[(&str, &str)]) -> Option<(u64, Option<u64>)> {
    window
        .told(&headers(pairs), NOON)
        .map(|told| (told.remaining, told.limit))
}

/// What headers say by these words of a connector.
fn by(tells: &str, seconds: u64, pairs: &[(&str, &str)]) -> Option<Told> {
    let tells: Tells = serde_json::from_str(tells).unwrap();
    let of = Of {
        tells: Some(&tells),
        unit: "requests",
        seconds,
    };
    read(of, &headers(pairs), NOON)
}

#[test]
fn hubspot() {
    let connection = connected("hubspot", "key", &[("api_key", "k"), ("zone", "UTC")]);
    let all = of(&connection, &with_plan("professional"));
    let ten = [
        ("X-HubSpot-RateLimit-Max", "190"),
        ("X-HubSpot-RateLimit-Remaining", "12"),
        ("X-HubSpot-RateLimit-Interval-Milliseconds", "10000"),
        ("X-HubSpot-RateLimit-Daily", "625000"),
        ("X-HubSpot-RateLimit-Daily-Remaining", "300000"),
        ("X-HubSpot-RateLimit-Secondly-Remaining", "3"),
    ];
    assert_eq!(told(&all[0], &ten), Some((12, Some(190))));
    assert_eq!(told(&all[1], &ten), None, "nothing is told of searches");
    assert_eq!(
        told(&all[2], &ten),
        Some((175_000, Some(500_000))),
        "a fifth is left to others"
    );
    let other_interval = [ten[0], ten[1], ("X-HubSpot-RateLimit-Interval-Milliseconds", "1000")];
    assert_eq!(told(&all[0], &other_interval), None, "numbers of another window");
    let broken_interval = [ten[0], ten[1], ("X-HubSpot-RateLimit-Interval-Milliseconds", "ten")];
    assert_eq!(told(&all[0], &broken_interval), None);
    let smaller = [
        ("X-HubSpot-RateLimit-Max", "100"),
        ("X-HubSpot-RateLimit-Remaining", "99"),
    ];
    assert_eq!(
        told(&all[0], &smaller),
        Some((99, Some(100))),
        "a smaller plan than the settings say"
    );
    assert_eq!(
        told(&all[2], &[("x-hubspot-ratelimit-daily-remaining", "100000")]),
        Some((0, None)),
        "the rest is others'"
    );
}

#[test]
fn pipedrive() {
    let all = of(
        &connected("pipedrive", "key", &[("api_key", "k")]),
        &with_plan("growth"),
    );
    let pairs = [
        ("x-ratelimit-limit", "40"),
        ("x-ratelimit-remaining", "7"),
        ("x-ratelimit-reset", "2"),
        ("x-daily-ratelimit-token-limit", "60000"),
        ("x-daily-ratelimit-token-remaining", "20000"),
    ];
    let burst = all[0].told(&headers(&pairs), NOON).unwrap();
    assert_eq!(
        (burst.remaining, burst.limit, burst.reset),
        (7, Some(40), Some(Duration::from_secs(2)))
    );
    assert_eq!(told(&all[1], &pairs), Some((8_000, Some(48_000))));
    // A company with many seats: what others use of their own is no use of ours.
    let seats = [
        ("x-daily-ratelimit-token-limit", "600000"),
        ("x-daily-ratelimit-token-remaining", "200000"),
    ];
    assert_eq!(told(&all[1], &seats), Some((48_000, Some(48_000))));
    assert_eq!(
        told(&all[1], &[("x-daily-requests-left", "5")]),
        None,
        "an older header, of other things"
    );
}

#[test]
fn salesforce() {
    let all = of(&connected("salesforce", "oauth", &[]), &TenantLimits::default());
    let usage = |value| told(&all[0], &[("Sforce-Limit-Info", value)]);
    assert_eq!(usage("api-usage=18/15000"), Some((11_982, Some(12_000))));
    assert_eq!(
        usage("per-app-api-usage=17/250(appName=ours), api-usage=14999/15000"),
        Some((0, Some(12_000)))
    );
    assert_eq!(
        usage("api-usage=18/5000"),
        Some((3_982, Some(4_000))),
        "a smaller edition"
    );
    assert_eq!(
        usage("api-usage=300000/500000"),
        Some((12_000, Some(12_000))),
        "a larger one, most of it left"
    );
    assert_eq!(
        usage("api-usage=398000/500000"),
        Some((2_000, Some(12_000))),
        "a larger one, nearly used up by others"
    );
    assert_eq!(usage("api-usage=6000/5000"), Some((0, Some(4_000))));
    for nonsense in [
        "",
        "api-usage",
        "api-usage=",
        "api-usage=/",
        "api-usage=1",
        "api-usage=a/b",
        "api-usage=-1/5",
        "usage=1/5",
        "api-usage=1/99999999999999999999",
    ] {
        assert_eq!(usage(nonsense), None, "{nonsense}");
    }
}

#[test]
fn zoho_and_dynamics() {
    let zoho = of(&connected("zoho", "oauth", &[]), &TenantLimits::default());
    assert_eq!(
        told(&zoho[0], &[("X-API-CREDITS-REMAINING", "2400")]),
        Some((1_400, None))
    );
    assert_eq!(
        told(&zoho[0], &[("X-API-CREDITS-REMAINING", "900000")]),
        Some((4_000, None)),
        "bought on top"
    );
    let dynamics = of(&connected("dynamics", "app", &[]), &TenantLimits::default());
    let pairs = [
        ("x-ms-ratelimit-burst-remaining-xrm-requests", "3"),
        ("x-ms-ratelimit-time-remaining-xrm-requests", "1199.5"),
    ];
    assert_eq!(
        told(&dynamics[0], &pairs),
        None,
        "each of many web servers tells its own: not to be steered by"
    );
}

#[test]
fn the_ietfs_headers_are_read_wherever_they_name_the_window() {
    let own = TenantLimits::parse(
        None,
        Some(r#"[{"amount":100,"seconds":60},{"amount":1000,"daily":true}]"#),
        Some("0"),
    )
    .unwrap();
    let all = of(&connected("rest", "key", &[]), &own);
    let policy = ("RateLimit-Policy", r#""minute";q=80;w=60, "day";q=1000;w=86400"#);
    let pairs = [("RateLimit", r#""minute";r=50;t=30,"day";r=999;t=7200"#), policy];
    let minute = all[0].told(&headers(&pairs), NOON).unwrap();
    assert_eq!(
        (minute.remaining, minute.limit, minute.reset),
        (50, Some(80), Some(Duration::from_secs(30)))
    );
    assert_eq!(told(&all[1], &pairs), Some((999, Some(1_000))));
    assert_eq!(
        told(&all[0], &[pairs[0]]),
        None,
        "without a policy nobody knows of which window it is"
    );
    let bytes = ("RateLimit-Policy", r#""minute";q=80;w=60;qu="content-bytes""#);
    assert_eq!(told(&all[0], &[pairs[0], bytes]), None, "bytes are no requests");
    let requests = ("RateLimit-Policy", r#"minute;q=80;w=60;qu=requests"#);
    assert_eq!(
        told(&all[0], &[pairs[0], requests]),
        Some((50, Some(80))),
        "bare words too"
    );
    let two = ("RateLimit-Policy", r#""minute";q=80;w=60, "other";q=9;w=60"#);
    assert_eq!(
        told(&all[0], &[pairs[0], two]),
        None,
        "which of both it is, nobody says"
    );
}

#[test]
fn structured_headers_of_a_connector_may_be_named_or_alone() {
    let tells = r#"{"form":"structured","remaining":"ratelimit","limit":"ratelimit-policy","name":"day"}"#;
    let both = ("RateLimit", r#""minute";r=5, "day";r=70;t=100"#);
    let day = by(tells, 86_400, &[both]).unwrap();
    assert_eq!(
        (day.remaining, day.limit, day.reset),
        (70, None, Some(Duration::from_secs(100)))
    );
    assert_eq!(by(tells, 86_400, &[("RateLimit", r#""minute";r=5"#)]), None);
    assert_eq!(
        by(tells, 60, &[both, ("RateLimit-Policy", r#""day";q=100;w=86400"#)]),
        None,
        "of another window"
    );
    let alone = r#"{"form":"structured","remaining":"ratelimit"}"#;
    assert_eq!(
        by(alone, 60, &[("RateLimit", r#""default";r=5"#)]).unwrap().remaining,
        5
    );
    assert_eq!(by(alone, 60, &[both]), None);
    for nonsense in [
        "",
        ",",
        ";",
        "\"",
        "\"day",
        "\"day\"",
        "\"day\";",
        "\"day\";r",
        "\"day\";r=",
        "\"day\";r=-1",
        "\"day\";r=1.5",
        "\"day\";r=5 x",
        "\"day\";r=5,",
        "\"da\\\"y\";r=5",
        "\"day\" \"day\";r=5",
        "\"day\";r=\"",
        "limit=100, remaining=50, reset=5",
    ] {
        assert_eq!(by(tells, 86_400, &[("RateLimit", nonsense)]), None, "{nonsense}");
    }
    let long = format!(r#""day";r=5;x="{}""#, "y".repeat(5_000));
    assert_eq!(by(tells, 86_400, &[("RateLimit", &long)]), None, "too long");
}

#[test]
fn plain_numbers_are_whole_small_and_no_others() {
    let tells = r#"{"remaining":"x-left","used":"x-used","limit":"x-limit"}"#;
    assert_eq!(by(tells, 60, &[("x-left", " 5 ")]).unwrap().remaining, 5);
    for nonsense in [
        "",
        "-1",
        "+5",
        "5.0",
        "1e3",
        "0x10",
        "five",
        "5 left",
        "99999999999999999999",
        "9999999999999",
        "५",
    ] {
        assert_eq!(by(tells, 60, &[("x-left", nonsense)]), None, "{nonsense}");
    }
    assert_eq!(
        by(tells, 60, &[("x-used", "30"), ("x-limit", "100")])
            .unwrap()
            .remaining,
        70
    );
    assert_eq!(
        by(tells, 60, &[("x-used", "130"), ("x-limit", "100")])
            .unwrap()
            .remaining,
        0
    );
    assert_eq!(by(tells, 60, &[("x-used", "30")]), None);
    let more = by(tells, 60, &[("x-left", "500"), ("x-limit", "100")]).unwrap();
    assert_eq!(more.remaining, 100, "no more is left than there is");
    let none = by(tells, 60, &[("x-left", "0"), ("x-limit", "0")]).unwrap();
    assert_eq!(
        (none.remaining, none.limit),
        (0, None),
        "a CRM that takes nothing at all has no such limit"
    );
}

#[test]
fn when_it_begins_anew_is_told_in_five_ways() {
    let reset = |form: &str, value: &str| {
        let tells = format!(r#"{{"remaining":"x-left","reset":{{"header":"x-reset","form":"{form}"}}}}"#);
        by(&tells, 60, &[("x-left", "5"), ("x-reset", value)]).unwrap().reset
    };
    let minute = Some(Duration::from_secs(60));
    assert_eq!(reset("seconds", "60"), minute);
    assert_eq!(reset("seconds", "0.5"), Some(Duration::from_millis(500)));
    assert_eq!(reset("ms", "60000"), minute);
    assert_eq!(reset("epoch", "1795521660"), minute);
    assert_eq!(reset("epoch_ms", "1795521660000"), minute);
    assert_eq!(reset("date", "Tue, 24 Nov 2026 12:01:00 GMT"), minute);
    assert_eq!(reset("date", "2026-11-24T12:01:00Z"), minute);
    assert_eq!(reset("date", "2026-11-24T13:01:00+01:00"), minute);
    for form in ["epoch", "epoch_ms", "date"] {
        assert_eq!(
            reset(form, if form == "date" { "1999-01-01T00:00:00Z" } else { "5" }),
            Some(Duration::ZERO),
            "{form}: it has passed"
        );
    }
    for form in ["seconds", "ms", "epoch", "epoch_ms", "date"] {
        for nonsense in [
            "",
            "-5",
            "soon",
            "NaN",
            "inf",
            "1e9",
            "99999999999999999999999",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(reset(form, nonsense), None, "{form}: {nonsense}");
        }
    }
}
