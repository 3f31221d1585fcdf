//! Which values of a field are one value, though servers and people write them differently.
//!
//! Each value has one normal form and values are the same whose normal forms are equal. So whatever is declared, the rule
//! is an equivalence: what is the same as the same is the same.

use std::borrow::Cow;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::crm::timestamp::Moment;
use crate::sync::merge::phone::{self, Country};
use crate::sync::merge::value::Value;

/// What may be written differently in a field; by default nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Same {
    trim: bool,
    case: bool,
    email: bool,
    boolean: bool,
    number: bool,
    time: bool,
    phone: bool,
    country: Option<Country>,
}

impl Same {
    /// Adds an equivalence by its name. A failure says which there are.
    pub fn add(&mut self, name: &str) -> Result<(), String> {
        match name {
            "trim" => self.trim = true,
            "case" => self.case = true,
            "email" => self.email = true,
            "boolean" => self.boolean = true,
            "number" => self.number = true,
            "time" => self.time = true,
            "phone" => self.phone = true,
            _ => {
                let code = name.strip_prefix("phone:");
                self.country = Some(code.and_then(Country::of).ok_or_else(|| unknown(name))?);
                self.phone = true;
            }
        }
        Ok(())
    }

    /// What either of the two lets be written differently.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            trim: self.trim | other.trim,
            case: self.case | other.case,
            email: self.email | other.email,
            boolean: self.boolean | other.boolean,
            number: self.number | other.number,
            time: self.time | other.time,
            phone: self.phone | other.phone,
            country: self.country.or(other.country),
        }
    }

    /// Whether two values are one.
    #[must_use]
    pub fn equal(&self, a: &Value, b: &Value) -> bool {
        a == b || (*self != Self::default() && self.normal(a) == self.normal(b))
    }

    /// The normal form; elements and members each have theirs.
    #[must_use]
    pub fn normal<'v>(&self, value: &'v Value) -> Cow<'v, Value<'v>> {
        if *self == Self::default() {
            return Cow::Borrowed(value);
        }
        Cow::Owned(match value {
            Value::List(list) => Value::list(list.iter().map(|value| self.normal(value).into_owned()).collect()),
            Value::Map(members) => Value::map(
                members
                    .iter()
                    .map(|(name, value)| (Cow::Borrowed(name.as_ref()), self.normal(value).into_owned()))
                    .collect(),
            ),
            Value::Text(text) => self.text(text),
            Value::Null if self.boolean => Value::Boolean(false),
            Value::Integer(number) => match self.read(&number.to_string()) {
                Some(read) => read,
                None => Value::Integer(*number),
            },
            Value::Real(bits) if self.number => {
                decimal(&format!("{:e}", f64::from_bits(*bits))).unwrap_or(Value::Real(*bits))
            }
            other => other.clone(),
        })
    }

    fn text<'v>(&self, text: &'v str) -> Value<'v> {
        let mut text = Cow::Borrowed(text);
        if self.trim || self.email {
            text = trimmed(text);
        }
        if self.case || self.email {
            // Both ways, so that ß is SS and ς is σ.
            let folded = text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
            text = Cow::Owned(folded.collect());
        }
        if text.is_empty() && self.boolean {
            return Value::Boolean(false);
        }
        self.read(&text).unwrap_or_else(|| Value::text(text))
    }

    /// What the text is, in the first of the declared kinds that knows it.
    fn read(&self, text: &str) -> Option<Value<'static>> {
        let boolean = || self.boolean.then(|| boolean(text)).flatten().map(Value::Boolean);
        let number = || self.number.then(|| decimal(text)).flatten();
        let time = || self.time.then(|| seconds(text)).flatten().map(Value::Integer);
        let phone = || self.phone.then(|| phone::normal(text, self.country)).flatten();
        boolean()
            .or_else(number)
            .or_else(time)
            .or_else(|| phone().map(Value::text))
    }
}

fn unknown(name: &str) -> String {
    let shown: String = name.chars().take(40).collect();
    format!(
        "\"{shown}\" is no equivalence; there are trim, case, email, phone, phone:49 (with the calling code of numbers without one), number, boolean and time"
    )
}

/// Without white space at the ends, and with ends of lines as they are outside of forms.
fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\r') {
        return Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned());
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// What CRMs and forms write for yes and no.
fn boolean(text: &str) -> Option<bool> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.trim().eq_ignore_ascii_case(word));
    if is(["true", "1", "yes", "on"]) {
        Some(true)
    } else if is(["false", "0", "no", "off"]) {
        Some(false)
    } else {
        None
    }
}

/// A decimal number, exactly: as an integer, or as its digits without zeros at the ends and an exponent.
fn decimal(text: &str) -> Option<Value<'static>> {
    let text = text.trim();
    let (is_negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at)?, exponent(unsigned.get(at + 1..)?)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|sign| sign.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some(Value::Integer(0));
    }
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let exponent = exponent
        .checked_add(i64::try_from(zeros).ok()?)?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let sign = if is_negative { "-" } else { "" };
    // Nineteen digits and more never fit.
    if let Ok(behind @ 0..20) = usize::try_from(exponent)
        && let Ok(number) = format!("{sign}{significant}{}", "0".repeat(behind)).parse()
    {
        return Some(Value::Integer(number));
    }
    Some(Value::text(format!("{sign}{significant}e{exponent}")))
}

fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.len() <= 15 && digits.bytes().all(|sign| sign.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// A point in time, to the second: servers drop what is behind it. Without an offset it is UTC, a day is its first moment.
fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let utc = TimeZone::UTC;
    if let Some(moment) = Moment::parse(text) {
        return Some(moment.instant(&utc)?.as_second());
    }
    let day: Date = text.parse().ok()?;
    Some(day.to_zoned(utc).ok()?.timestamp().as_second())
}
