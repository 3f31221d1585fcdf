//! Two sides and a ledger become equal, whatever happens in between: the protocol of two-way sync as a model, run through random schedules.
//!
//! The merge is the real one. CRM, portal, network and clocks are models that do what real ones do (see their files). `judge.rs` says what must hold
//! once all is quiet. Rules of the protocol are taken away one by one (`Without`), to see that the judge finds what they prevent. `SEEDS=1000000
//! cargo test --release --no-default-features convergence` runs more schedules, `FROM=42 SEEDS=1 TRACE=1` that one with all its steps.
//!
//! # What the ledger keeps of a record
//! `crm_id` (unique; none before it is created), `post_id` (unique; none for a tombstone), `base` (the fields as both last agreed), `fingerprint` and
//! `revision` (of the CRM's row that was settled last), `dirty` (the portal may differ from the base), `hint` (the CRM may differ from that row),
//! `intent` (a write to the CRM that is not settled: token, verb, what is sent, since when) and `version`, which grows with every change of base,
//! intent, hint or link. A gone record stays as a tombstone: a `crm_id` with neither post nor base. Open conflicts are in the inbox, by record and
//! field.
//!
//! # Settle: the one way in which anything of the CRM gets in
//! One transaction, which locks the ledger row, then reads post and meta with locking reads: `merge( base, crm, portal )`; write `to_portal` to the
//! post, the merge's `base` to the ledger, the row's fingerprint and revision, `dirty` = (is there `to_crm`, or a delete there?); conflicts to the
//! inbox, where those of this record that are no more are closed; `version` + 1. Nothing is remembered outside of it. The new `base` is what the CRM
//! has, field by field, also where the portal's value counts: then it is one that only the portal changed, and what was decided once stays decided.
//! Only what waits for a person keeps its old base; its field has the policy `ask` (a record: `delete` is `ask`) until a person decides, or until the
//! sides agree. A decision is a transaction, too, while no intent is open: the `base` of the field becomes the CRM's value that the person saw, the
//! post gets the chosen value (a change of the portal, with its time), `dirty`; if either side has another value by now, the question is asked again
//! instead.
//!
//! # Portal: nothing is lost
//! A hook sets `dirty` before the write and once more behind it: between the two a worker may find nothing and clear it. A process that dies between
//! them leaves it to the sweep, which sets `dirty` wherever post and base differ (by `same()`, and what waits for a person left out) or a post has no
//! ledger row. A hook that finds no row makes one. Nobody clears `dirty` but settle, from what it read under the lock. The time of a field, for
//! `newest`: the first mark puts a token in its place, the second puts the time of the first there, if the token still is. Where there is no time, a
//! person is asked.
//!
//! # Pull
//! 1. Ask the list from the watermark less the overlap (longer than lists lag).
//! 2. Each row in its transaction: it is silent if its fingerprint is the ledger's and its revision not newer. It is settled if its revision is newer
//!    and no intent is open, or if the ledger does not know its id and no post has its unique key (see links: lists show what is gone). Every other
//!    row (not newer, yet different; of a tombstone; while an intent is open) sets `hint` and nothing else.
//! 3. The watermark, after all rows.
//!
//! Webhooks and the feed of deletes only set `hint`; an id that the ledger does not know gets a row with nothing but the hint.
//!
//! # Look: for a row with `hint` and without intent
//! 1. Note `version`. 2. Read the record itself by its id: lists lag, single records do not. A record that is not there is `crm: null`.
//! 3. Settle and clear `hint`, if `version` is still the noted one and no intent is open; else start again.
//!
//! # Push: for a row with `dirty` and without intent
//! 1. Transaction: claim it by an intent with a fresh token, which sends nothing yet.
//! 2. Look at the record; without `crm_id` find it by its unique key (see links).
//! 3. Transaction: still my token? Settle with what was seen. Is there `to_crm`, or a delete there? Then write it into the intent as `sent`, with the
//!    time: from here on the outcome is unknown. Nothing? Drop the intent: done.
//! 4. Send once, with a precondition on the revision seen where the CRM knows such. Never after the claim has run out.
//! 5. Transaction: still my token? Then by the outcome:
//!    - done, and the answer has the record: settle with `sent`, outcome `answered`; drop the intent;
//!    - done, without the record: read it by its id, then settle with `sent`, outcome `done`; drop the intent;
//!    - surely not done (429, refused, never connected, precondition failed): drop the intent; it stays dirty, try later;
//!    - an update of what is not there (404): not done; settle with `crm: null`, without `sent`; drop the intent;
//!    - a duplicate (409): drop the intent; the next push finds it in step 2;
//!    - unknown (cut, timeout, 5xx, worker killed): the intent stays.
//!
//! # Unknown outcomes: for a row whose intent's claim has run out
//! If nothing was sent yet, drop the intent. Else wait until the settle time behind the claim's end has passed (as long as a request can be late and
//! as lists lag, together), look (by id; a create by the unique key in `sent`), and in a transaction, if the token is still the same: settle with
//! `sent`, outcome `unknown`; drop the intent. If the write was done, merge finds both sides equal; if not, it stays dirty and push starts anew.
//! Nothing is ever sent again because its outcome is unknown.
//!
//! # Links: one person, one pair
//! A look whose record has no post gives it, in its transaction, to the post without `crm_id` that has the same unique key; `base` is none, so merge
//! decides. If an intent is open there (also with the post in the bin), the hint stays: the create will find the record. If there is no such post, it
//! gets a new one. A create that finds its record (in step 2, its answer, or an unknown outcome) takes id and hint over from such a row; if the id
//! has a post already, two posts are one person: that is for the inbox, and nothing is created.
//!
//! # Deletes
//! A post in the bin is `portal: null`. `delete` of the merge says where to delete: `crm` is what push sends (404 is done, too); `portal` bins the
//! post. Then a tombstone remains. If the edit counts, it is `to_portal` (out of the bin, and `dirty`: it may have kept what nobody sent) or
//! `to_crm`: then the post gets a new ledger row without `crm_id` and base, the old id is a tombstone, and push creates it anew.
//!
//! # What no protocol can do
//! Without preconditions a change of the same field in the CRM between steps 2 and 4 is overwritten. That is milliseconds; with preconditions it is
//! nothing. While the outcome of a write is unknown, what users of the CRM take away again of what it brought (an element of a set, the record
//! itself) looks as if the write had not been done, and is written again. A lead that is binned while the outcome of its create is unknown comes
//! back, if the server rewrites a value in a way that no equivalence declares. A value of a field that the CRM takes but never tells counts as
//! unsent, until a write of it is known to be done. The judge leaves out exactly these, and counts them.

mod crm;
mod dice;
mod directed;
mod history;
mod judge;
mod people;
mod portal;
mod schedule;
mod settle;
mod steps;
mod sync;
mod value;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use schedule::play;
use world::Without;

/// Seeds that fail are so many at most.
const SHOWN: usize = 20;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("SEEDS and FROM are numbers"))
}

#[test]
fn both_sides_and_the_ledger_become_equal() {
    let (from, seeds) = (number("FROM", 0), number("SEEDS", 100_000));
    let [steps, writes, blind] = [const { AtomicUsize::new(0) }; 3];
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get) as u64;
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (counts, found) = ([&steps, &writes, &blind], &found);
            scope.spawn(move || {
                for seed in (from + thread..from + seeds).step_by(usize::try_from(threads).unwrap()) {
                    let play = || play(seed, None);
                    let Ok(shown) = std::panic::catch_unwind(play) else {
                        panic!("FROM={seed} SEEDS=1 panics");
                    };
                    for (count, of) in counts.iter().zip([shown.steps, shown.writes, shown.blind]) {
                        count.fetch_add(of, Ordering::Relaxed);
                    }
                    if !shown.faults.is_empty() {
                        found.lock().unwrap().push((seed, shown));
                    }
                    if found.lock().unwrap().len() >= SHOWN {
                        return;
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(seed, _)| *seed);
    for (seed, shown) in &found {
        println!(
            "{}\nFROM={seed} SEEDS=1 (TRACE=1 tells all) shows: {:#?}",
            shown.trace.join("\n"),
            shown.faults
        );
    }
    let [steps, writes, blind] = [steps, writes, blind].map(AtomicUsize::into_inner);
    println!("{seeds} schedules, {steps} steps, {writes} writes, {blind} edits that nobody could have kept");
    assert!(found.is_empty(), "{} schedules end badly", found.len());
    assert!(writes as u64 > seeds, "the schedules do something");
}

/// Each rule is needed: without it the judge finds something.
#[test]
fn a_protocol_without_one_of_its_rules_is_caught() {
    let rules = [
        Without::EchoByValue,
        Without::BaseAfterWrite,
        Without::Sent,
        Without::Looking,
        Without::SettleTime,
        Without::Fence,
        Without::Newer,
        Without::DirtyUntilSettled,
        Without::SecondMark,
        Without::Sweep,
        Without::Tombstones,
        Without::Hints,
        Without::Waiting,
        Without::Rebase,
    ];
    for rule in rules {
        let caught = (0..20_000).find(|seed| !play(*seed, Some(rule)).faults.is_empty());
        println!("{rule:?}: {caught:?}");
        assert!(caught.is_some(), "without {rule:?} nothing is found");
    }
}
