//! `sqlfilters`: `(t.column:operator:value)` joined by `and`, `or` and brackets. Knows columns only by what it is told.

use std::cmp::Ordering;

/// Brackets within brackets.
const DEPTH: usize = 20;

#[derive(Debug, PartialEq)]
pub enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Is(Criterion),
}

#[derive(Debug, PartialEq)]
pub struct Criterion {
    /// `t.email`
    pub column: String,
    pub operator: Operator,
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    NotLike,
}

impl Operator {
    fn from_text(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "=" => Self::Equal,
            "!=" | "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            "like" => Self::Like,
            "notlike" => Self::NotLike,
            _ => return None,
        })
    }

    /// Where the two compare so. Like is not asked.
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal | Self::Like => order.is_eq(),
            Self::NotEqual | Self::NotLike => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Filter {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text.trim();
        let filter = any(&mut rest, 0)?;
        match rest.trim().is_empty() {
            true => Ok(filter),
            false => Err(format!("Bad syntax of the search string: {text}")),
        }
    }

    /// The criteria, in any order.
    pub fn criteria(&self) -> Vec<&Criterion> {
        match self {
            Self::Is(criterion) => vec![criterion],
            Self::All(of) | Self::Any(of) => of.iter().flat_map(Self::criteria).collect(),
        }
    }

    pub fn holds(&self, test: &mut impl FnMut(&Criterion) -> bool) -> bool {
        match self {
            Self::Is(criterion) => test(criterion),
            Self::All(of) => of.iter().all(|one| one.holds(test)),
            Self::Any(of) => of.iter().any(|one| one.holds(test)),
        }
    }
}

fn any(rest: &mut &str, depth: usize) -> Result<Filter, String> {
    let mut parts = vec![all(rest, depth)?];
    while word(rest, "or") {
        parts.push(all(rest, depth)?);
    }
    Ok(joined(parts, Filter::Any))
}

fn all(rest: &mut &str, depth: usize) -> Result<Filter, String> {
    let mut parts = vec![one(rest, depth)?];
    while word(rest, "and") {
        parts.push(one(rest, depth)?);
    }
    Ok(joined(parts, Filter::All))
}

fn joined(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match parts.len() {
        1 => parts.pop().unwrap_or_else(|| join(Vec::new())),
        _ => join(parts),
    }
}

fn word(rest: &mut &str, word: &str) -> bool {
    let text = rest.trim_start();
    let found = text
        .get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word));
    if found {
        *rest = text.get(word.len()..).unwrap_or_default();
    }
    found
}

fn one(rest: &mut &str, depth: usize) -> Result<Filter, String> {
    let bad = |text: &str| format!("Bad syntax of the search string: {text}");
    let text = rest.trim_start();
    let Some(inner) = text.strip_prefix('(').filter(|_| depth < DEPTH) else {
        return Err(bad(text));
    };
    if inner.trim_start().starts_with('(') {
        *rest = inner;
        let filter = any(rest, depth + 1)?;
        *rest = rest.trim_start().strip_prefix(')').ok_or_else(|| bad(text))?;
        return Ok(filter);
    }
    let end = closing(inner).ok_or_else(|| bad(text))?;
    let criterion = inner.get(..end).unwrap_or_default();
    *rest = inner.get(end + 1..).unwrap_or_default();
    let mut parts = criterion.splitn(3, ':');
    let (Some(column), Some(operator), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(bad(criterion));
    };
    let operator = Operator::from_text(operator.trim()).ok_or_else(|| bad(criterion))?;
    Ok(Filter::Is(Criterion {
        column: column.trim().to_owned(),
        operator,
        value: literal(value.trim()).ok_or_else(|| bad(criterion))?,
    }))
}

/// The bracket that ends this criterion: not one in quotes.
fn closing(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(position, letter)| {
        if letter == '\'' {
            quoted = !quoted;
        }
        (letter == ')' && !quoted).then_some(position)
    })
}

/// A number, or text in quotes.
fn literal(text: &str) -> Option<String> {
    let quoted = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    match quoted {
        Some(text) => (!text.contains('\'')).then(|| text.to_owned()),
        None => text.parse::<f64>().ok().map(|_| text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read() {
        let filter = Filter::parse("(t.tms:>=:'2026-11-01 10:00:00') and (t.rowid:>:5)").unwrap();
        let criteria = filter.criteria();
        assert_eq!(criteria[0].value, "2026-11-01 10:00:00");
        assert_eq!(
            (criteria[1].operator, criteria[1].value.as_str()),
            (Operator::Greater, "5")
        );
        // `and` binds closer, brackets more so.
        let order = |text: &str| match Filter::parse(text).unwrap() {
            Filter::Any(of) => ("any", of.len()),
            Filter::All(of) => ("all", of.len()),
            Filter::Is(_) => ("is", 1),
        };
        assert_eq!(order("(t.a:=:1) or (t.b:=:2) and (t.c:=:3)"), ("any", 2));
        assert_eq!(order("((t.a:=:1) OR (t.b:=:2)) AND (t.c:=:3)"), ("all", 2));
        assert_eq!(order("(t.a:like:'%(x)%')"), ("is", 1));
    }

    #[test]
    fn what_is_not() {
        for text in [
            "",
            "t.a:=:1",
            "(t.a:=:1",
            "(t.a:=:1))",
            "(t.a:=)",
            "(t.a:~:1)",
            "(t.a:=:x)",
            "(t.a:=:'x)",
            "(t.a:=:1) (t.b:=:2)",
            "(t.a:=:1) and",
            "()",
            "(t.a:=:'a'b')",
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
        assert!(Filter::parse(&"(".repeat(100_000)).is_err());
    }
}
