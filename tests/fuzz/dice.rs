//! The generator, and what it does to inputs.

pub struct Dice(u64);

/// What is at the edge of something, somewhere.
const EDGES: &[&str] = &[
    "\0",
    "\n",
    "\r\n",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\udc00",
    "{",
    "}",
    "[",
    "]",
    "[[[[[[[[",
    ",",
    ":",
    "-",
    "0",
    "-0",
    "1e999",
    "1E-400",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "-9223372036854775809",
    "0.1e",
    "NaN",
    "null",
    "true",
    "\u{feff}",
    "\u{202e}",
    "%00",
    "%2f",
    "..",
    "/",
    "=",
    ";",
    "#",
    "?",
    "\u{7f}",
    "\u{80}",
];

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn throw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Below the limit, which is above 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.throw() % limit as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.throw().to_ne_bytes()[3]
    }

    /// Another input, made of those that are there.
    pub fn mutate(&mut self, inputs: &[Vec<u8>], words: &[&str], longest: usize, into: &mut Vec<u8>) {
        into.clear();
        into.extend_from_slice(&inputs[self.below(inputs.len())]);
        // Mostly little is changed, so that it gets past the first checks.
        let most = 1 << self.below(5);
        let changes = 1 + self.below(most);
        for _ in 0..changes {
            let at = self.below(into.len() + 1);
            match self.below(10) {
                0 if at < into.len() => into[at] ^= 1 << self.below(8),
                1 if at < into.len() => into[at] = self.byte(),
                2 => {
                    let byte = self.byte();
                    into.insert(at, byte);
                }
                3 => {
                    let end = (at + 1 + self.below(16)).min(into.len());
                    into.drain(at..end);
                }
                4 => into.truncate(at),
                5 => {
                    let end = (at + 1 + self.below(64)).min(into.len());
                    let part = into[at..end].to_vec();
                    let to = self.below(into.len() + 1);
                    into.splice(to..to, part);
                }
                6 => {
                    let other = &inputs[self.below(inputs.len())];
                    let from = self.below(other.len() + 1);
                    into.truncate(at);
                    into.extend_from_slice(&other[from..]);
                }
                7 if !words.is_empty() => {
                    let word = words[self.below(words.len())];
                    into.splice(at..at, word.bytes());
                }
                8 => {
                    let edge = EDGES[self.below(EDGES.len())];
                    let end = (at + self.below(edge.len() + 1)).min(into.len());
                    into.splice(at..end, edge.bytes());
                }
                _ => {
                    // A number becomes another one.
                    if let Some(digit) = into.iter().skip(at).position(u8::is_ascii_digit) {
                        into[at + digit] = b'0' + self.byte() % 10;
                    }
                }
            }
        }
        into.truncate(longest);
    }
}
