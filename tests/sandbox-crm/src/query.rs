//! Query strings into names and values, strictly: each name once, all of it UTF-8.

use percent_encoding::percent_decode_str;

pub fn parse(raw: &str) -> Result<Vec<(String, String)>, String> {
    let pairs = pairs(raw)?;
    for (position, (name, _)) in pairs.iter().enumerate() {
        if pairs.iter().take(position).any(|(known, _)| known == name) {
            return Err(format!("The parameter {name:?} is given twice."));
        }
    }
    Ok(pairs)
}

/// The same with doubles; for forms too.
pub fn pairs(raw: &str) -> Result<Vec<(String, String)>, String> {
    raw.split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

/// As forms are encoded: a plus sign is a space.
fn decode(text: &str) -> Result<String, String> {
    let spaced = text.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err("The query is not UTF-8.".into()),
    }
}

/// One segment of a path, where a plus sign is a plus sign.
pub fn segment(text: &str) -> Option<String> {
    Some(percent_decode_str(text).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_encoded_or_not() {
        for raw in [
            "filter%5Bupdated_at_gt%5D=2026-11-23%2010%3A00%3A00",
            "filter[updated_at_gt]=2026-11-23+10:00:00",
        ] {
            assert_eq!(
                parse(raw).unwrap(),
                [("filter[updated_at_gt]".to_owned(), "2026-11-23 10:00:00".to_owned())]
            );
        }
    }

    #[test]
    fn doubles_and_bytes_that_are_no_text_are_refused() {
        assert!(parse("page=1&page=2").is_err());
        assert!(parse("p%61ge=1&page=2").is_err());
        assert!(parse("page=%FF").is_err());
        assert_eq!(parse("").unwrap(), []);
        assert_eq!(parse("page").unwrap(), [("page".into(), String::new())]);
    }

    #[test]
    fn segments() {
        assert_eq!(segment("a%2Fb+c").unwrap(), "a/b+c");
        assert_eq!(segment("%FF"), None);
    }
}
