//! Addresses, as administrators write them.

use tenant_crm_sync::limit::redis::address::Address;

#[test]
fn addresses_are_read_and_shown_without_their_passwords() {
    for (written, shown) in [
        ("redis://cache", "redis://cache:6379/0"),
        (" redis://10.0.0.5:7000/3 ", "redis://10.0.0.5:7000/3"),
        ("redis://:s3cret@cache", "redis://cache:6379/0"),
        (
            "rediss://someone:s3cret@cache.example:6380/1",
            "rediss://cache.example:6380/1",
        ),
        ("redis://[2001:db8::1]:6379", "redis://[2001:db8::1]:6379/0"),
        ("redis://cache?db=4&password=s3cret", "redis://cache:6379/4"),
        ("redis://:s3%2Fcr%40et@cache", "redis://cache:6379/0"),
        ("unix:///run/redis/redis.sock", "unix:///run/redis/redis.sock?db=0"),
        (
            "redis+unix:///run/redis/redis.sock?db=2&user=someone&pass=s3cret",
            "unix:///run/redis/redis.sock?db=2",
        ),
        ("unix:///run/with%20blank.sock", "unix:///run/with blank.sock?db=0"),
    ] {
        let address = Address::parse(written).unwrap();
        assert_eq!(address.to_string(), shown, "{written}");
        assert_eq!(format!("{address:?}"), shown, "{written}");
    }
}

#[test]
fn what_is_no_address_is_refused_in_words_that_hold_nothing_of_it() {
    for (written, reason) in [
        ("", "it is no URL"),
        ("s3cret", "it is no URL"),
        ("http://:s3cret@cache", "its scheme is none"),
        ("valkey://:s3cret@cache", "its scheme is none"),
        ("redis://", "it names no host"),
        ("redis://:s3cret@", "it is no URL"),
        ("redis:///run/redis.sock?pass=s3cret", "it names no host"),
        ("redis://:s3cret@cache/one", "the database behind the host is no number"),
        ("redis://:s3cret@cache/-1", "the database behind the host is no number"),
        (
            "redis://:s3cret@cache/4294967296",
            "the database behind the host is no number",
        ),
        ("redis://someone@cache", "it has a user and no password"),
        ("redis://:s3%ffcret@cache", "what is written with % in it is no UTF-8"),
        ("redis://:s3cret@cache:70000", "it is no URL"),
        ("redis://:s3cret@cache#s3cret", "it has a part after #"),
        (
            "redis://cache?protocol=s3cret",
            "of parameters only db, user and pass are known",
        ),
        (
            "unix://run/redis.sock?pass=s3cret",
            "the path of a socket begins after three slashes",
        ),
        ("unix:///?pass=s3cret", "it names no socket"),
    ] {
        let message = Address::parse(written).unwrap_err().message;
        assert!(message.contains(reason), "{written}: {message}");
        assert!(message.contains("write it as redis://"), "the remedy: {message}");
        assert!(
            !message.contains("s3") && !message.contains("cret"),
            "{written}: {message}"
        );
    }
}
