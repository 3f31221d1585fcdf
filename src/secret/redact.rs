//! Excerpts of other people's text (error bodies, headers, messages) that are safe to log and to show in plain text:
//! short, on one line, without secrets. What is shown as HTML must still be escaped by whoever shows it.
//!
//! Known secrets are found exactly, in the spellings that servers echo. Unknown ones are guessed: the values of fields
//! with telling names, what follows `Bearer`, and long random-looking words. Guesses err on the side of hiding.

use std::fmt::Write;
use std::ops::Range;

use zeroize::Zeroizing;

const MARK: &str = "[redacted]";
const CUT: char = '…';
/// A field is hidden if its name, lowercase and without `-` and `_`, contains one of these.
const NAMES: [&str; 12] = [
    "apikey",
    "token",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "authorization",
    "credential",
    "privatekey",
    "accesskey",
    "cookie",
    "sessionid",
];
/// Only the end of a longer name is looked at.
const NAME: usize = 64;
/// Shorter words are not taken for tokens.
const WORD: usize = 24;
/// The shortest beginning of a secret that is hidden at the end of a text.
const CUT_SECRET: usize = 4;
/// What is looked at beyond the excerpt, so that its end is judged by what follows.
const MARGIN: usize = 512;

/// At most `max` bytes from the start of `text`, with control characters escaped, and `secrets` and everything that
/// looks like one replaced by `[redacted]`. Takes time and memory in proportion to `max` and the secrets, not to the text.
pub fn redact(text: &str, secrets: &[&[u8]], max: usize) -> String {
    without(text, secrets, max, true)
}

/// As [`redact`], of a text that we made ourselves: only `secrets` are hidden, nothing is guessed.
pub fn hide(text: &str, secrets: &[&[u8]], max: usize) -> String {
    without(text, secrets, max, false)
}

fn without(text: &str, secrets: &[&[u8]], max: usize, guess: bool) -> String {
    let spellings: Vec<_> = secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .flat_map(|secret| spellings(secret))
        .collect();
    let margin = spellings
        .iter()
        .map(|secret| secret.len())
        .max()
        .unwrap_or(0)
        .max(MARGIN);
    // Hiding shortens: more than `max` is read, but not without end.
    let shown = boundary(text, max.saturating_mul(4).saturating_add(MARGIN));
    let scanned = boundary(text, shown.saturating_add(margin));
    let scanned = text.get(..scanned).unwrap_or_default();
    let mut hidden = Spans::new(scanned.len());
    for secret in &spellings {
        occurrences(scanned.as_bytes(), secret, &mut hidden);
    }
    if guess {
        fields(scanned.as_bytes(), &mut hidden);
        words(scanned.as_bytes(), &mut hidden);
    }
    render(text, scanned.get(..shown).unwrap_or_default(), &hidden, max)
}

/// The last place at or before `at` where the text can be cut.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// Ranges of bytes, overlapping as they come. Adding one takes the same time whatever its length.
struct Spans(Vec<i32>);

impl Spans {
    fn new(length: usize) -> Spans {
        Spans(vec![0; length + 1])
    }

    fn hide(&mut self, range: Range<usize>) {
        if let Some(start) = self.0.get_mut(range.start) {
            *start += 1;
        }
        if let Some(end) = self.0.get_mut(range.end) {
            *end -= 1;
        }
    }
}

fn render(text: &str, shown: &str, hidden: &Spans, max: usize) -> String {
    let mut out = String::new();
    // Where the text can be cut so that the mark of a cut still fits.
    let mut fits = 0;
    let (mut depth, mut marked) = (0, false);
    for (at, character) in shown.char_indices() {
        let mut secret = false;
        for change in hidden.0.iter().skip(at).take(character.len_utf8()) {
            depth += change;
            secret |= depth > 0;
        }
        match (secret, marked) {
            (true, true) => {}
            (true, false) => out.push_str(MARK),
            (false, _) => escape(character, &mut out),
        }
        marked = secret;
        if out.len() > max {
            return cut(out, fits, max);
        }
        if out.len() + CUT.len_utf8() <= max {
            fits = out.len();
        }
    }
    if shown.len() < text.len() {
        cut(out, fits, max)
    } else {
        out
    }
}

fn cut(mut out: String, fits: usize, max: usize) -> String {
    out.truncate(fits);
    if fits + CUT.len_utf8() <= max {
        out.push(CUT);
    }
    out
}

/// Line breaks would forge log lines, the rest of these would garble a terminal or turn text around.
fn escape(character: char, out: &mut String) {
    match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{0}'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => {
            // Writing to a String does not fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
        }
        other => out.push(other),
    }
}

/// The secret itself, as JSON with escaped slashes, and percent-encoded in both cases.
fn spellings(secret: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut all = vec![Zeroizing::new(secret.to_vec())];
    let mut add = |spelling: Zeroizing<Vec<u8>>| {
        if !all.contains(&spelling) {
            all.push(spelling);
        }
    };
    for slash in [&b"/"[..], b"\\/"] {
        let mut json = Zeroizing::new(Vec::with_capacity(secret.len() * 2));
        for byte in secret {
            match byte {
                b'/' => json.extend_from_slice(slash),
                b'"' | b'\\' => json.extend_from_slice(&[b'\\', *byte]),
                other => json.push(*other),
            }
        }
        add(json);
    }
    for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
        let mut percent = Zeroizing::new(Vec::with_capacity(secret.len() * 3));
        for byte in secret {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
                percent.push(*byte);
            } else {
                percent.push(b'%');
                percent.extend(
                    [byte >> 4, byte & 15]
                        .iter()
                        .filter_map(|digit| digits.get(usize::from(*digit))),
                );
            }
        }
        add(percent);
    }
    all
}

/// Hides every occurrence, overlapping ones too, in one pass (Knuth, Morris, Pratt).
fn occurrences(text: &[u8], secret: &[u8], hidden: &mut Spans) {
    let step = |borders: &[usize], mut matched: usize, byte: u8| {
        while matched > 0 && secret.get(matched) != Some(&byte) {
            matched = borders.get(matched - 1).copied().unwrap_or(0);
        }
        if secret.get(matched) == Some(&byte) {
            matched + 1
        } else {
            matched
        }
    };
    // For each length, the longest proper prefix of the secret that ends there too.
    let mut borders = Vec::with_capacity(secret.len());
    let mut matched = 0;
    for (at, byte) in secret.iter().enumerate() {
        if at > 0 {
            matched = step(&borders, matched, *byte);
        }
        borders.push(matched);
    }
    matched = 0;
    for (at, byte) in text.iter().enumerate() {
        matched = step(&borders, matched, *byte);
        if matched == secret.len() {
            hidden.hide(at + 1 - matched..at + 1);
        }
    }
    // A text that was cut elsewhere may end inside the secret.
    if matched >= CUT_SECRET {
        hidden.hide(text.len() - matched..text.len());
    }
}

/// Hides values behind telling names: JSON, headers, queries, PHP dumps, XML; and what follows `Bearer`.
fn fields(text: &[u8], hidden: &mut Spans) {
    let mut at = 0;
    while at < text.len() {
        let start = at;
        at = skip(text, at, |byte| {
            byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
        });
        if at == start {
            at += 1;
            continue;
        }
        let name = text.get(start.max(at.saturating_sub(NAME))..at).unwrap_or_default();
        let name: String = name
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric())
            .map(|byte| char::from(byte.to_ascii_lowercase()))
            .collect();
        if NAMES.iter().any(|telling| name.contains(telling)) {
            if let Some(value) = value(text, at, name.contains("authorization") || name.contains("cookie")) {
                at = value.end;
                hidden.hide(value);
            }
        } else if matches!(name.as_str(), "bearer" | "basic") {
            let value = skip(text, at, |byte| byte == b' ' || byte == b'\t');
            let end = skip(text, value, |byte| {
                byte.is_ascii_graphic() && !b"\"'\\,;<>(){}".contains(&byte)
            });
            if value > at && (name == "bearer" || end - value >= 8) {
                hidden.hide(value..end);
                at = end;
            }
        }
    }
}

/// The value behind a name that ends at `at`; none where the name is just a word.
fn value(text: &[u8], at: usize, whole_line: bool) -> Option<Range<usize>> {
    let blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let quoted = |byte: u8| matches!(byte, b'"' | b'\'' | b'\\' | b']');
    let at = skip(text, skip(text, at, quoted), blank);
    let separator = *text.get(at).filter(|byte| matches!(byte, b':' | b'=' | b'>'))?;
    let at = skip(text, at, |byte| matches!(byte, b':' | b'=' | b'>'));
    let at = skip(
        text,
        at,
        if separator == b':' && whole_line {
            |byte: u8| byte == b' '
        } else {
            blank
        },
    );
    let slashes = skip(text, at, |byte| byte == b'\\');
    let end = match text.get(slashes) {
        Some(quote @ (b'"' | b'\'')) => {
            return Some(slashes + 1..closing(text, slashes + 1, *quote, slashes - at));
        }
        Some(b'[' | b'{') => nested(text, slashes),
        _ if whole_line => skip(text, at, |byte| byte != b'\n' && byte != b'\r'),
        _ => skip(text, at, |byte| !blank(byte) && !b"\"',&;<>]})".contains(&byte)),
    };
    (end > at).then_some(at..end)
}

/// Where a string ends that was opened with `depth` backslashes before its quote; the end of the text if it does not.
fn closing(text: &[u8], start: usize, quote: u8, depth: usize) -> usize {
    let mut slashes = 0;
    for (at, byte) in text.iter().enumerate().skip(start) {
        if *byte == quote && (slashes <= depth || (depth == 0 && slashes % 2 == 0)) {
            return at - slashes.min(depth);
        }
        slashes = if *byte == b'\\' { slashes + 1 } else { 0 };
    }
    text.len()
}

/// Where a JSON array or object ends; the end of the text if it does not.
fn nested(text: &[u8], start: usize) -> usize {
    let (mut at, mut open) = (start, 0usize);
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'"' => at = closing(text, at, b'"', 0).saturating_add(1),
            b'[' | b'{' => open += 1,
            b']' | b'}' if open <= 1 => return at,
            b']' | b'}' => open -= 1,
            _ => {}
        }
    }
    text.len()
}

/// Hides long words that look random: base64, hexadecimal, JWT, UUIDs.
fn words(text: &[u8], hidden: &mut Spans) {
    let mut at = 0;
    while at < text.len() {
        let start = at;
        at = skip(text, at, |byte| {
            byte.is_ascii_alphanumeric() || b"+/_-=.~%".contains(&byte)
        });
        if at == start {
            at += 1;
        } else if text.get(start..at).is_some_and(is_random) {
            hidden.hide(start..at);
        }
    }
}

fn is_random(word: &[u8]) -> bool {
    if word.len() < WORD {
        return false;
    }
    let kinds = |text: &[u8]| {
        let has = |kind: fn(&u8) -> bool| text.iter().any(kind);
        (
            has(u8::is_ascii_lowercase),
            has(u8::is_ascii_uppercase),
            has(u8::is_ascii_digit),
        )
    };
    // Paths and host names are long too, but their parts are short or without digits.
    let part = word
        .split(|byte| matches!(byte, b'/' | b'.'))
        .max_by_key(|part| part.len())
        .unwrap_or_default();
    let (lower, upper, digit) = kinds(part);
    let long = part.len() >= WORD && ((digit && (lower || upper)) || (lower && upper && part.len() >= 40));
    long || (word.len() >= 40 && kinds(word) == (true, true, true))
}

fn skip(text: &[u8], at: usize, wanted: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !wanted(*byte)).unwrap_or(rest.len())
}
