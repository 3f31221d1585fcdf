//! Telephone numbers: the digits of E.164 for the many ways in which people and servers write one number.

/// Longer ones are no telephone numbers: E.164 has 15 digits, and an exit code may stand before them.
const LONGEST: usize = 20;

/// The country of numbers that are written without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    code: u16,
    plan: Plan,
}

/// How numbers are written inside a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// With this before it, which is dropped.
    Trunk(&'static str),
    /// With so many digits, and maybe this before them.
    Fixed(usize, &'static str),
    /// Just as abroad, the leading zero included.
    Whole,
}

/// Countries where it is not a zero that is dropped.
const PLANS: &[(u16, Plan)] = &[
    (1, Plan::Fixed(10, "1")),
    (7, Plan::Fixed(10, "8")),
    (30, Plan::Fixed(10, "")),
    (34, Plan::Fixed(9, "")),
    (36, Plan::Trunk("06")),
    (39, Plan::Whole),
    (45, Plan::Fixed(8, "")),
    (47, Plan::Fixed(8, "")),
    (48, Plan::Fixed(9, "")),
    (52, Plan::Fixed(10, "")),
    (56, Plan::Fixed(9, "")),
    (57, Plan::Fixed(10, "")),
    (65, Plan::Fixed(8, "")),
    (351, Plan::Fixed(9, "")),
    (354, Plan::Fixed(7, "")),
    (356, Plan::Fixed(8, "")),
    (357, Plan::Fixed(8, "")),
    (371, Plan::Fixed(8, "")),
    (377, Plan::Fixed(8, "")),
    (420, Plan::Fixed(9, "")),
    (852, Plan::Fixed(8, "")),
    (853, Plan::Fixed(8, "")),
];

impl Country {
    /// The country of a calling code such as `49`.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        let digits = code.strip_prefix('+').unwrap_or(code);
        let is_code = (1..=3).contains(&digits.len()) && digits.bytes().all(|sign| sign.is_ascii_digit());
        let code = digits.parse().ok().filter(|_| is_code && !digits.starts_with('0'))?;
        let plan = PLANS.iter().find(|(known, _)| *known == code);
        Some(Self {
            code,
            plan: plan.map_or(Plan::Trunk("0"), |(_, plan)| *plan),
        })
    }

    /// The digits of a number that is written without an international prefix. One that is neither this country's way of
    /// writing nor clearly another's stays as it is: it may have its country in front already.
    fn international(self, digits: &str) -> String {
        let Self { code, plan } = self;
        let national = match plan {
            Plan::Trunk(trunk) => digits.strip_prefix(trunk),
            Plan::Fixed(length, _) if digits.len() == length => Some(digits),
            Plan::Fixed(length, trunk) => digits.strip_prefix(trunk).filter(|rest| rest.len() == length),
            Plan::Whole => Some(digits).filter(|digits| digits.starts_with('0') || digits.len() <= 10),
        };
        national.map_or_else(|| digits.to_owned(), |national| format!("{code}{national}"))
    }
}

/// The digits of a number with its country, and its extension; `None` for what is no telephone number. Without a country
/// a number that does not tell its own keeps its digits.
#[must_use]
pub fn normal(text: &str, country: Option<Country>) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let (number, extension) = split(text);
    let is_international = number.starts_with('+') || number.starts_with("00");
    let mut digits = String::with_capacity(LONGEST);
    let mut rest = number.strip_prefix('+').unwrap_or(number);
    while let Some(sign) = rest.chars().next() {
        // What is dialled inside the country only: +49 (0)171.
        if is_international && let Some(after) = rest.strip_prefix("(0)") {
            rest = after;
            continue;
        }
        match sign {
            '0'..='9' if digits.len() < LONGEST => digits.push(sign),
            ' ' | '(' | ')' | '-' | '.' | '/' | '\u{a0}' | '\u{2010}'..='\u{2013}' | '\u{202f}' => {}
            _ => return None,
        }
        rest = rest.get(sign.len_utf8()..).unwrap_or_default();
    }
    if digits.is_empty() {
        return None;
    }
    let exit = if country.is_some_and(|country| country.code == 1) {
        "011"
    } else {
        "00"
    };
    let full = if number.starts_with('+') {
        digits
    } else if let Some(abroad) = digits.strip_prefix("00").or_else(|| digits.strip_prefix(exit)) {
        abroad.to_owned()
    } else {
        country.map_or_else(|| digits.clone(), |country| country.international(&digits))
    };
    Some(match extension {
        Some(extension) => format!("{full};{extension}"),
        None => full,
    })
}

/// A number and the extension behind it: `x12`, `ext. 12`, `;ext=12`, `#12`.
fn split(text: &str) -> (&str, Option<&str>) {
    let end = text.trim_end_matches(|sign: char| sign.is_ascii_digit()).len();
    let (before, extension) = text.split_at_checked(end).unwrap_or((text, ""));
    let before = before.trim_end();
    let number = [";ext=", "ext.", "ext", "x", "X", "#"]
        .iter()
        .find_map(|mark| before.strip_suffix(mark));
    match number {
        Some(number) if !extension.is_empty() => (number.trim_end(), Some(extension)),
        _ => (text, None),
    }
}
