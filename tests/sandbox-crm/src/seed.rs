//! Realistic rows, the same for the same seed: names of many scripts, an even spread over the years, a given size.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::filter::TimeFormat;
use crate::store::{Id, Object, Row};

pub struct Sower {
    pub seed: u64,
    pub object: Object,
    /// About how long a row's JSON is; a row has what its fields need at least.
    pub bytes: usize,
    pub timestamps: TimeFormat,
}

const FIRST: [&str; 20] = [
    "Zoë",
    "Søren",
    "Łukasz",
    "Наталья",
    "小龙",
    "محمد",
    "Ángel",
    "Þóra",
    "Siobhán",
    "Nguyễn",
    "さくら",
    "Jürgen",
    "İbrahim",
    "Δημήτρης",
    "Mary-Jane",
    "Jean‑Luc",
    "प्रिया",
    "D'Arcy",
    "Anna",
    "Tom",
];
const LAST: [&str; 20] = [
    "Müller",
    "Ødegård",
    "Wałęsa",
    "Иванова",
    "李",
    "الخطيب",
    "Núñez",
    "Jónsdóttir",
    "O'Brien",
    "Trần",
    "田中",
    "Groß",
    "Yıldız",
    "Παπαδόπουλος",
    "Smith & Sons",
    "d’Arc",
    "शर्मा",
    "van der Berg",
    "Kovačević",
    "Lee",
];
const COMPANIES: [&str; 12] = [
    "Łódź & Söhne GmbH",
    "Acme, Inc.",
    "株式会社さくら",
    "Müller \"Mobil\" AG",
    "ООО Ромашка",
    "C:\\Parts Ltd",
    "Café Été",
    "Big <Data> SA",
    "Nord/Süd KG",
    "Zażółć Sp. z o.o.",
    "Ñandú S.L.",
    "Plain Corp",
];
const STATUS: [&str; 5] = ["new", "contacted", "qualified", "lost", "converted"];
const OWNERS: [&str; 4] = ["ana@crm.test", "bo@crm.test", "chi@crm.test", "dag@crm.test"];
const TAGS: [&str; 6] = ["vip", "newsletter", "trade fair", "größer", "🌟", "a/b"];
const WORDS: [&str; 16] = [
    "called",
    "back",
    "about",
    "the",
    "offer",
    "Rückruf",
    "am",
    "Dienstag",
    "prix",
    "à",
    "négocier",
    "会議",
    "срочно",
    "👍🏽",
    "<b>bold</b>",
    "\"quoted\"",
];
/// 2024-01-01, and the days from there over which the last changes are spread.
const SINCE: i64 = 1_704_067_200;
const DAYS: u64 = 700;

impl Sower {
    /// `ordinal`: which row of the table this is, so that rows seeded later are others.
    pub fn row(&self, id: Id, ordinal: u64) -> Row {
        let mut dice = Dice(
            self.seed
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .wrapping_add(ordinal)
                .wrapping_add((self.object as u64) << 56),
        );
        let updated = dice.below(DAYS * 86_400_000_000) as i64 + SINCE * 1_000_000;
        // Up to 13 years before.
        let created = updated - dice.below(13 * 365 * 86_400_000_000) as i64;
        let time = |micros| {
            self.timestamps
                .truncate(Timestamp::from_microsecond(micros).unwrap_or_default())
        };
        let updated = time(updated);

        let mut fields = Map::new();
        fields.insert("id".into(), id.to_value());
        let name = format!("{} {}", dice.pick(&FIRST), dice.pick(&LAST));
        fields.insert("name".into(), name.into());
        let email = format!("{}.{ordinal}@example.test", self.object.name());
        fields.insert("email".into(), email.into());
        let phone = format!("+49 {} {:07}", 30 + dice.below(900), dice.below(10_000_000));
        fields.insert("phone".into(), phone.into());
        fields.insert("company".into(), dice.pick(&COMPANIES).into());
        fields.insert("status".into(), dice.pick(&STATUS).into());
        fields.insert("owner".into(), dice.pick(&OWNERS).into());
        fields.insert("notes".into(), "".into());
        let tags: Vec<&str> = (0..dice.below(4)).map(|_| dice.pick(&TAGS)).collect();
        fields.insert("tags".into(), json!(tags));
        fields.insert("score".into(), json!(dice.below(2_000) as f64 / 20.0));
        fields.insert("created_at".into(), self.timestamps.write(time(created)));
        fields.insert("updated_at".into(), self.timestamps.write(updated));

        let length = Value::Object(fields.clone()).to_string().len();
        fields.insert(
            "notes".into(),
            notes(self.bytes.saturating_sub(length), &mut dice).into(),
        );
        Row::new(id, Some(updated), fields)
    }
}

/// Words, so many that they take about `bytes` as JSON.
fn notes(bytes: usize, dice: &mut Dice) -> String {
    let mut notes = String::with_capacity(bytes);
    let mut escaped = 0;
    while escaped < bytes {
        let word = dice.pick(&WORDS);
        if !notes.is_empty() {
            notes.push(' ');
        }
        notes.push_str(word);
        escaped += word.len() + 1 + word.matches('"').count();
    }
    notes
}

/// splitmix64
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let n = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        let position = self.below(from.len() as u64) as usize;
        from.get(position).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::IdKind;
    use crate::validate;
    use std::collections::HashSet;

    fn rows(seed: u64, bytes: usize, timestamps: TimeFormat) -> Vec<Row> {
        let object = Object::Leads;
        let sower = Sower {
            seed,
            object,
            bytes,
            timestamps,
        };
        (1..=500).map(|n| sower.row(IdKind::Int.make(object, n), n)).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_rows() {
        assert_eq!(rows(1, 400, TimeFormat::Rfc3339), rows(1, 400, TimeFormat::Rfc3339));
        assert_ne!(rows(1, 400, TimeFormat::Rfc3339), rows(2, 400, TimeFormat::Rfc3339));
        let different: HashSet<_> = rows(1, 400, TimeFormat::Rfc3339)
            .into_iter()
            .map(|row| row.json)
            .collect();
        assert_eq!(different.len(), 500);
    }

    #[test]
    fn sizes_are_about_what_was_asked() {
        for bytes in [400, 2_000] {
            for row in rows(1, bytes, TimeFormat::Rfc3339) {
                assert!(row.json.len().abs_diff(bytes) < 40, "{}", row.json.len());
            }
        }
    }

    #[test]
    fn rows_are_valid_past_and_carry_their_time() {
        for format in [
            TimeFormat::Rfc3339,
            TimeFormat::Naive,
            TimeFormat::Epoch,
            TimeFormat::EpochMs,
        ] {
            for row in rows(3, 400, format) {
                let mut fields = row.fields().unwrap();
                assert_eq!(format.read(fields.get("updated_at")), row.time);
                assert!(format.read(fields.get("created_at")) <= row.time);
                assert!(row.time < Some(Timestamp::from_second(1_767_225_600).unwrap()));
                for field in validate::READ_ONLY {
                    fields.remove(field);
                }
                assert!(validate::check(&fields, true, true).is_ok());
            }
        }
    }
}
