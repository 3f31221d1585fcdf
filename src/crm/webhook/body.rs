//! What stands at a path of a webhook's body: a text, a list of them, or names. What no path leads to is read away.

use super::MAX_EVENTS;
use super::refusal::Reason;
use crate::json::{Reader, Refusal};

/// Longer ids are no ids; the plugin's tables hold as much.
const MAX_ID: usize = 1024;

/// Goes to the value at `path` and lets `take` read it; reads everything else away.
pub(super) fn descend<'t>(
    reader: &mut Reader<'t>,
    path: &[String],
    take: &mut dyn FnMut(&mut Reader<'t>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let Some((first, rest)) = path.split_first() else {
        return take(reader);
    };
    if reader.peek_token() != Some(b'{') {
        return reader.span().map(drop);
    }
    reader.each_member(|reader, name| {
        if *name == **first {
            descend(reader, rest, take)
        } else {
            reader.span().map(drop)
        }
    })
}

/// The text of the member at `path` of a body that is JSON.
pub(super) fn member(body: &[u8], path: &[String]) -> Result<Option<String>, Reason> {
    let text = std::str::from_utf8(body).map_err(|_| Reason::Malformed)?;
    let mut reader = Reader::new(text);
    let mut found = None;
    descend(&mut reader, path, &mut |reader| {
        found = scalar(reader, text)?;
        Ok(())
    })
    .and_then(|()| reader.end())
    .map_err(|_| Reason::Malformed)?;
    Ok(found)
}

/// A string or number, or a list of them, as texts; empty and overlong ones are none.
pub(super) fn values(reader: &mut Reader<'_>, text: &str) -> Result<Vec<String>, Refusal> {
    let mut values = Vec::new();
    let mut one = |reader: &mut Reader<'_>| {
        let value = scalar(reader, text)?.filter(|value| !value.is_empty() && value.len() <= MAX_ID);
        values.extend(value);
        if values.len() > MAX_EVENTS {
            return Err(Refusal::Stopped);
        }
        Ok(())
    };
    if reader.peek_token() == Some(b'[') {
        reader.each_element(one)?;
    } else {
        one(reader)?;
    }
    Ok(values)
}

/// The names of an object's members.
pub(super) fn names(reader: &mut Reader<'_>) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    reader.each_member(|reader, name| {
        if names.len() >= MAX_EVENTS {
            return Err(Refusal::Stopped);
        }
        names.push(name.into_owned());
        reader.span().map(drop)
    })?;
    Ok(names)
}

fn scalar(reader: &mut Reader<'_>, text: &str) -> Result<Option<String>, Refusal> {
    match reader.peek_token() {
        Some(b'"') => reader.string().map(|value| Some(value.into_owned())),
        Some(b'-' | b'0'..=b'9') => {
            let span = reader.span()?;
            Ok(text.get(span).map(str::to_owned))
        }
        _ => reader.span().map(|_| None),
    }
}
