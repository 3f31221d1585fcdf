//! Chance, as other modules need it to keep many workers from coming back at once. Keys, nonces and identifiers ask the system themselves.

/// A random share of the whole, from 0 to 1.
#[must_use]
pub fn share() -> f64 {
    let mut bytes = [0_u8; 2];
    // Without randomness the whole pause is taken.
    getrandom::fill(&mut bytes).map_or(1.0, |()| f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX))
}
