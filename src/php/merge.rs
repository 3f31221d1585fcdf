//! The methods of `TenantCRMSync` that say what becomes of a record that two sides changed, and what is no change. They ask
//! and write nothing.

mod given;

use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::exception::PhpResult;
use ext_php_rs::flags::{DataType, MethodFlags};
use ext_php_rs::types::Zval;

use crate::error::{Error, Kind};
use crate::php::exception::exception;
use crate::php::register::{UNTYPED, arg, handler, method};
use crate::php::zend::{Array, Call, Key, empty_array, pending, string, wrong_type};
use crate::sync::merge::{
    self, Basis, Element, Field, Member, Next, Origin, Pick, Record, Rule, Rules, Same, Sent, Side,
};
use crate::sync::revision;
use given::{Entries, Options};

/// `merge( ?array $base, ?array $crm, ?array $portal, array $options = [] ): array`
pub fn merge(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(3, 4)?;
    let refuse = |error: Error| exception("", &error);
    let options = match call.count() {
        0..4 => Options::default(),
        _ => given::options(call.array(3)?).map_err(refuse)?,
    };
    let given = Four {
        base: record(call, 0)?,
        crm: record(call, 1)?,
        portal: record(call, 2)?,
        sent: options.sent.and_then(|(sent, _)| Given::of(sent)),
    };
    let rules = &options.rules;
    let base = read(given.base.as_ref(), "the base", rules)?;
    let crm = read(given.crm.as_ref(), "the CRM's record", rules)?;
    let portal = read(given.portal.as_ref(), "the portal's record", rules)?;
    let sent = read(given.sent.as_ref(), "what was sent", rules)?;
    let sent = sent
        .zip(options.sent)
        .map(|(fields, (_, outcome))| Sent { fields, outcome });
    let merge = merge::merge(base.as_ref(), crm.as_ref(), portal.as_ref(), sent.as_ref(), rules);
    Ok(given.told(&merge))
}

/// `is_newer( ?string $revision, ?string $than ): ?bool`
pub fn is_newer(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(2, 2)?;
    let text = |position| match call.arg(position) {
        Some(value) if value.is_null() => Ok(None),
        _ => call.text(position).map(Some),
    };
    let (revision, than) = (text(0)?.unwrap_or_default(), text(1)?.unwrap_or_default());
    let is_newer = match (str::from_utf8(&revision), str::from_utf8(&than)) {
        (Ok(revision), Ok(than)) => revision::is_newer(revision, than),
        _ => None,
    };
    let mut result = Zval::null();
    if let Some(is_newer) = is_newer {
        result.set_bool(is_newer);
    }
    Ok(result)
}

/// `same( $a, $b, array $equivalences = [] ): bool`
pub fn same(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(2, 3)?;
    let refuse = |error: Error| exception("", &error);
    let of = |position| call.arg(position).ok_or_else(pending);
    let same = match call.count() {
        0..3 => Same::default(),
        _ => {
            call.array(2)?;
            let wrong = |reason| refuse(Error::new(Kind::Config, format!("same(): equivalences: {reason}")));
            given::equivalences(of(2)?).map_err(wrong)?
        }
    };
    let a = given::value(of(0)?, "the first value").map_err(refuse)?;
    let b = given::value(of(1)?, "the second value").map_err(refuse)?;
    let mut result = Zval::new();
    result.set_bool(same.equal(&a, &b));
    Ok(result)
}

/// The methods above.
pub fn methods(class: ClassBuilder) -> ClassBuilder {
    let shared = MethodFlags::Public | MethodFlags::Static;
    let maybe = |name: &str, kind: DataType| arg(name, kind).allow_null();
    class
        .method(
            method(
                "merge",
                handler!(merge),
                3,
                vec![
                    maybe("base", DataType::Array),
                    maybe("crm", DataType::Array),
                    maybe("portal", DataType::Array),
                    arg("options", DataType::Array).default("[]"),
                ],
            )
            .returns(DataType::Array, false, false),
            shared,
        )
        .method(
            method(
                "same",
                handler!(same),
                2,
                vec![
                    arg("a", UNTYPED),
                    arg("b", UNTYPED),
                    arg("equivalences", DataType::Array).default("[]"),
                ],
            )
            .returns(DataType::Bool, false, false),
            shared,
        )
        .method(
            method(
                "is_newer",
                handler!(is_newer),
                2,
                vec![maybe("revision", DataType::String), maybe("than", DataType::String)],
            )
            .returns(DataType::Bool, false, true),
            shared,
        )
}

/// A record as PHP has it.
struct Given<'c> {
    whole: &'c Zval,
    entries: Entries<'c>,
}

impl<'c> Given<'c> {
    fn of(whole: &'c Zval) -> Option<Self> {
        let entries = Entries::of(whole.array()?);
        Some(Self { whole, entries })
    }
}

fn record<'c>(call: &'c Call<'_>, position: usize) -> PhpResult<Option<Given<'c>>> {
    let whole = call.arg(position).ok_or_else(pending)?;
    match Given::of(whole) {
        None if !whole.is_null() => Err(wrong_type(position, c"?array", whole)),
        given => Ok(given),
    }
}

fn read<'e>(given: Option<&'e Given<'_>>, whose: &str, rules: &Rules<'_>) -> PhpResult<Option<Record<'e>>> {
    given
        .map(|given| given::record(&given.entries, whose, rules))
        .transpose()
        .map_err(|error| exception("", &error))
}

/// What was given. The result has its values, not copies of them.
struct Four<'c> {
    base: Option<Given<'c>>,
    crm: Option<Given<'c>>,
    portal: Option<Given<'c>>,
    sent: Option<Given<'c>>,
}

impl<'c> Four<'c> {
    fn side(&self, side: Side) -> Option<&Given<'c>> {
        match side {
            Side::Crm => self.crm.as_ref(),
            Side::Portal => self.portal.as_ref(),
        }
    }

    fn told(&self, merge: &merge::Merge<'_>) -> Zval {
        let size = u32::try_from(merge.fields.len()).unwrap_or(u32::MAX);
        let (mut record, mut decisions) = (Array::map(size), Array::map(size));
        let (mut to_crm, mut to_portal) = (Array::map(0), Array::map(0));
        let mut base = Array::map(size);
        let mut conflicts = Array::list();
        let mut known = Decisions::default();
        for field in &merge.fields {
            let key = Key::new(field.name.as_bytes());
            decisions.insert(&key, known.of(field.from, field.rule));
            if let Some(reason) = field.conflict {
                let of = |given: &Option<Given<'c>>, member| value(given.as_ref(), member).unwrap_or_else(Zval::null);
                conflicts.push(table([
                    ("field", string(field.name.as_bytes())),
                    ("base", of(&self.base, field.base)),
                    ("crm", of(&self.crm, field.crm)),
                    ("portal", of(&self.portal, field.portal)),
                    ("reason", string(reason.text().as_bytes())),
                ]));
            }
            let next = match field.next {
                Next::Nothing => None,
                Next::Base => value(self.base.as_ref(), field.base),
                Next::Crm => value(self.crm.as_ref(), field.crm),
                Next::Sent => value(self.sent.as_ref(), field.sent),
            };
            if let Some(next) = next {
                base.insert(&key, next);
            }
            if let Some(value) = self.pick(field) {
                if field.to_crm {
                    to_crm.insert(&key, value.shallow_clone());
                }
                if field.to_portal {
                    to_portal.insert(&key, value.shallow_clone());
                }
                record.insert(&key, value);
            }
        }
        let whole = |given: &Option<Given<'c>>| {
            given
                .as_ref()
                .map_or_else(Zval::null, |given| given.whole.shallow_clone())
        };
        if let Some(reason) = merge.conflict {
            conflicts.push(table([
                ("field", Zval::null()),
                ("base", whole(&self.base)),
                ("crm", whole(&self.crm)),
                ("portal", whole(&self.portal)),
                ("reason", string(reason.text().as_bytes())),
            ]));
        }
        let base = match merge.basis {
            Basis::Nothing => Zval::null(),
            Basis::Fields => base.into_value(),
            Basis::Crm => whole(&self.crm),
            Basis::Base => whole(&self.base),
        };
        let delete = merge.delete.map(|side| string(side.name().as_bytes()));
        table([
            ("record", record.into_value()),
            ("to_crm", to_crm.into_value()),
            ("to_portal", to_portal.into_value()),
            ("base", base),
            ("delete", delete.unwrap_or_else(Zval::null)),
            ("conflicts", conflicts.into_value()),
            ("decisions", decisions.into_value()),
        ])
    }

    /// The merged value of a field.
    fn pick(&self, field: &Field<'_>) -> Option<Zval> {
        let member = |side| match side {
            Side::Crm => field.crm,
            Side::Portal => field.portal,
        };
        match &field.pick {
            Pick::Nothing => None,
            Pick::Base => value(self.base.as_ref(), field.base),
            Pick::Of(side) => value(self.side(*side), member(*side)),
            Pick::Set(elements) if elements.is_empty() => Some(empty_array()),
            Pick::Set(elements) => {
                let [crm, portal] = [Side::Crm, Side::Portal].map(|side| {
                    let whole = member(side).and_then(|member| self.side(side)?.entries.get(member.position));
                    (whole, whole.and_then(Zval::array).map(Entries::of))
                });
                let mut list = Array::list();
                for Element { side, position } in elements {
                    let (whole, inside) = match side {
                        Side::Crm => &crm,
                        Side::Portal => &portal,
                    };
                    let found = match position {
                        Some(position) => inside.as_ref().and_then(|inside| inside.get(*position)),
                        None => *whole,
                    };
                    if let Some(found) = found {
                        list.push(found.shallow_clone());
                    }
                }
                Some(list.into_value())
            }
        }
    }
}

/// A field's value as it was given.
fn value(given: Option<&Given<'_>>, member: Option<&Member<'_>>) -> Option<Zval> {
    given?.entries.get(member?.position).map(Zval::shallow_clone)
}

/// Decisions as PHP sees them; fields that were decided alike share one array.
#[derive(Default)]
struct Decisions(Vec<(Origin, Rule, Zval)>);

impl Decisions {
    fn of(&mut self, from: Origin, rule: Rule) -> Zval {
        let known = self.0.iter().find(|known| known.0 == from && known.1 == rule);
        if let Some((.., told)) = known {
            return told.shallow_clone();
        }
        let told = table([
            ("from", string(from.name().as_bytes())),
            ("rule", string(rule.text().as_bytes())),
        ]);
        self.0.push((from, rule, told.shallow_clone()));
        told
    }
}

fn table<const N: usize>(members: [(&str, Zval); N]) -> Zval {
    let mut table = Array::map(8);
    for (name, value) in members {
        table.insert(&Key::new(name.as_bytes()), value);
    }
    table.into_value()
}
