//! Which of two revisions is the newer one.

use tenant_crm_sync::sync::revision::is_newer;

#[test]
fn newer_only_where_it_is_sure() {
    let cases = [
        ("2026-11-23T10:00:01Z", "2026-11-23T10:00:00Z", Some(true)),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:01Z", Some(false)),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z", Some(false)),
        // Forms and offsets that mean the same.
        ("2026-11-23T11:00:01+01:00", "2026-11-23 10:00:00Z", Some(true)),
        ("1763892001", "2025-11-23T10:00:00Z", Some(true)),
        ("1763892000000", "1763892000", Some(false)),
        // Parts of a second count only if both have them.
        ("2026-11-23T10:00:00.250Z", "2026-11-23T10:00:00.100Z", Some(true)),
        ("2026-11-23T10:00:00.250Z", "2026-11-23T10:00:00Z", Some(false)),
        ("2026-11-23T10:00:01Z", "2026-11-23T10:00:00.900Z", Some(true)),
        // Numbers that grow.
        ("8", "7", Some(true)),
        ("7", "8", Some(false)),
        ("10", "9", Some(true)),
        // Without an offset an hour may have come twice.
        ("2026-10-25 02:50:00", "2026-10-25 02:10:00", None),
        ("2026-10-25 04:00:00", "2026-10-25 02:10:00", Some(true)),
        ("2026-10-25 02:10:00", "2026-10-25 02:50:00", Some(false)),
        ("2026-11-23 10:00:00", "2026-11-23T09:00:00Z", None),
        // What says nothing, and nothing.
        ("W/\"abc\"", "W/\"abd\"", None),
        ("W/\"abc\"", "W/\"abc\"", Some(false)),
        ("2026-13-45T99:00:00Z", "2026-11-23T09:00:00Z", None),
        ("7", "", Some(true)),
        ("", "7", None),
        ("", "", None),
        ("99999999999999999999", "1", None),
    ];
    for (revision, than, expected) in cases {
        assert_eq!(is_newer(revision, than), expected, "{revision} {than}");
    }
}
