//! All parsers of hostile bytes that are fed, and what feeds them begins with. Who feeds them: the tests in `..` and libFuzzer in `../guided`.

mod closed;
mod managers;
mod text;

/// One parser: its name, how it is called, and the words of its format.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub words: &'static [&'static str],
}

pub fn all() -> impl Iterator<Item = &'static Target> {
    [text::ALL, closed::ALL, managers::ALL].into_iter().flatten()
}

/// Inputs that can only be made by the process that reads them: an envelope of this run's key, a file of counters of this boot.
pub fn made(name: &str) -> Option<Vec<u8>> {
    match name {
        "envelope" => Some(closed::good_envelope()),
        "memory" => Some(closed::good_memory()),
        _ => None,
    }
}
