//! The object that a CRM is sent, put together from values at paths. Values that nothing changed keep their bytes.

use std::collections::BTreeMap;

use super::value::{quoted, shown};
use crate::json::Reader;

/// Members by name.
#[derive(Debug, Default)]
pub struct Object(BTreeMap<String, Member>);

#[derive(Debug)]
enum Member {
    Json(String),
    Object(Object),
}

impl Object {
    /// Puts JSON at the end of these steps, making the objects on the way.
    pub fn put(&mut self, steps: &[&str], json: &str) -> Result<(), String> {
        let Some((name, rest)) = steps.split_first() else {
            return Ok(());
        };
        let taken = || format!("the CRM's field {} is given twice, with different values", shown(name));
        let Some(member) = self.0.get_mut(*name) else {
            let member = if rest.is_empty() {
                Member::Json(json.to_owned())
            } else {
                let mut inside = Self::default();
                inside.put(rest, json)?;
                Member::Object(inside)
            };
            self.0.insert((*name).to_owned(), member);
            return Ok(());
        };
        match member {
            Member::Json(old) if rest.is_empty() => {
                if old == json {
                    Ok(())
                } else {
                    Err(taken())
                }
            }
            Member::Json(old) => {
                let mut inside = Self::default();
                inside.put_all(old).map_err(|_| taken())?;
                inside.put(rest, json)?;
                *member = Member::Object(inside);
                Ok(())
            }
            Member::Object(inside) if rest.is_empty() => inside.put_all(json).map_err(|_| taken()),
            Member::Object(inside) => inside.put(rest, json),
        }
    }

    /// Puts the members of a JSON object.
    fn put_all(&mut self, json: &str) -> Result<(), String> {
        for (name, json) in members(json)? {
            self.put(&[&name], json)?;
        }
        Ok(())
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(256);
        self.render(&mut out);
        out
    }

    fn render(&self, out: &mut String) {
        out.push('{');
        for (position, (name, member)) in self.0.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            out.push_str(&quoted(name));
            out.push(':');
            match member {
                Member::Json(json) => out.push_str(json),
                Member::Object(inside) => inside.render(out),
            }
        }
        out.push('}');
    }
}

/// The members of a JSON object; of several with one name the last.
pub fn members(json: &str) -> Result<BTreeMap<String, &str>, String> {
    let mut reader = Reader::new(json);
    if reader.peek_token() != Some(b'{') {
        return Err(String::from("it is not a JSON object"));
    }
    let mut members = BTreeMap::new();
    let mut last = None;
    reader
        .each_member(|reader, name| {
            let name = name.into_owned();
            last = Some(name.clone());
            let span = reader.span()?;
            members.insert(name, json.get(span).unwrap_or_default());
            Ok(())
        })
        .and_then(|()| reader.end())
        .map_err(|refusal| match last {
            Some(name) => format!("field {}: {refusal}", shown(&name)),
            None => refusal.to_string(),
        })?;
    Ok(members)
}
