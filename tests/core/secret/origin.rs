//! A credential goes to one origin only: the one that it was sealed for, or that of its first use.

use tenant_crm_sync::secret::{Scope, SecretError};

use super::{ACME, EVIL, ORIGIN, Place, SECRET};

#[test]
fn a_credential_stays_with_its_origin() {
    let place = Place::new();
    let ring = place.ring();
    let bound = ring.seal(&ACME, Some(ORIGIN), SECRET).unwrap();
    refused!(
        ring.open(&ACME, EVIL, &bound),
        SecretError::OtherOrigin { .. },
        ORIGIN,
        EVIL,
        "again",
        "\"Acme\""
    );
    let rotated = ring.rotate(&ACME, &bound).unwrap();
    assert_ne!(rotated, bound);
    refused!(ring.open(&ACME, EVIL, &rotated), SecretError::OtherOrigin { .. });
    assert_eq!(*ring.open(&ACME, ORIGIN, &rotated).unwrap(), SECRET);

    // Without an origin the first use binds: for other processes, for rotated ones, and whichever is used first.
    let free = ring.seal(&ACME, None, SECRET).unwrap();
    let before = ring.rotate(&ACME, &free).unwrap();
    assert_eq!(*ring.open(&ACME, ORIGIN, &free).unwrap(), SECRET);
    let after = ring.rotate(&ACME, &free).unwrap();
    for text in [&free, &before, &after] {
        refused!(
            place.ring().open(&ACME, EVIL, text),
            SecretError::OtherOrigin { .. },
            ORIGIN,
            EVIL
        );
        assert_eq!(*place.ring().open(&ACME, ORIGIN, text).unwrap(), SECRET);
    }
    let other = ring.seal(&ACME, None, SECRET).unwrap();
    assert_eq!(
        *ring.open(&ACME, EVIL, &other).unwrap(),
        SECRET,
        "each credential has its own first use"
    );
}

#[test]
fn old_first_uses_are_forgotten_safely() {
    let place = Place::new();
    let ring = place.ring();
    let other = Scope { field: "other", ..ACME };
    let kept = ring.seal(&other, None, SECRET).unwrap();
    ring.open(&other, ORIGIN, &kept).unwrap();
    let texts: Vec<_> = (0..40).map(|_| ring.seal(&ACME, None, SECRET).unwrap()).collect();
    for text in &texts {
        ring.open(&ACME, ORIGIN, text).unwrap();
    }
    refused!(
        ring.open(&ACME, EVIL, &texts[0]),
        SecretError::BindingExpired { .. },
        "again",
        "\"Acme\""
    );
    refused!(ring.open(&ACME, ORIGIN, &texts[7]), SecretError::BindingExpired { .. });
    refused!(ring.rotate(&ACME, &texts[0]), SecretError::BindingExpired { .. });
    ring.open(&ACME, ORIGIN, &texts[8]).unwrap();
    refused!(ring.open(&ACME, EVIL, &texts[39]), SecretError::OtherOrigin { .. });
    refused!(ring.open(&other, EVIL, &kept), SecretError::OtherOrigin { .. });
}
