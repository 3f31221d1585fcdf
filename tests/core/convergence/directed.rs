//! Schedules that are not random: what an administrator would try first. They name the faults of the field that they are for.

use tenant_crm_sync::sync::merge::Side;

use super::portal;
use super::schedule::{Task, calm, run, step};
use super::sync;
use super::world::{Fate, Shared, Without, World};

const FATES: [Fate; 5] = [
    Fate::Done,
    Fate::NotDone,
    Fate::CutBefore,
    Fate::CutBehind,
    Fate::Late(5),
];

/// One person on both sides, in step.
fn pair(seed: u64) -> Shared {
    let shared = World::shared(seed, None);
    shared.borrow_mut().crm_user_creates(1);
    calm(&shared);
    let w = &mut *shared.borrow_mut();
    assert_eq!((w.posts.len(), w.crm.records.len()), (1, 1));
    (w.crm_writes, w.portal_writes) = (0, 0);
    w.webhooks.clear();
    w.is_quiet = false;
    w.never_fails = true;
    shared.clone()
}

fn edits(shared: &Shared, side: Side, field: usize) {
    match side {
        Side::Crm => shared.borrow_mut().crm_user_edits(0, field),
        Side::Portal => run(Box::pin(portal::edit_field(shared.clone(), 0, Some(field)))),
    }
}

/// Steps of a task, after which its process is killed.
fn steps(mut task: Task, most: usize) {
    for _ in 0..most {
        if step(&mut task) {
            return;
        }
    }
}

fn judged(shared: &Shared, what: &str) {
    let faults = shared.borrow_mut().judge();
    assert!(faults.is_empty(), "{what}: {faults:#?}");
}

/// FAULTS A8: one edit gives at most one write on each side, and then ten silent cycles; whatever comes of the request, and wherever the
/// worker is killed.
#[test]
fn one_edit_is_one_write() {
    for seed in 0..60 {
        for field in [0, 2, 3, 4, 5] {
            for killed in 1..9 {
                for fate in FATES {
                    let shared = pair(seed);
                    if shared.borrow().crm.hidden == Some(field) {
                        continue;
                    }
                    edits(&shared, Side::Portal, field);
                    shared.borrow_mut().fate = Some(fate);
                    steps(Box::pin(sync::push(shared.clone(), 0)), killed);
                    // It has ten silent cycles at its end.
                    calm(&shared);
                    let what = format!("seed {seed}, field {field}, killed behind {killed}, {fate:?}");
                    let writes = (shared.borrow().crm_writes, shared.borrow().portal_writes);
                    // What the server rewrites as nobody declared comes back once; and if its answer was lost as well, it looks like a change
                    // by somebody else: a person is asked.
                    let is_rewritten = u32::from(field == 3);
                    let is_lost = u32::from(matches!(fate, Fate::CutBehind | Fate::Late(_)) || killed < 8);
                    let most = (1 + is_rewritten * is_lost, is_rewritten);
                    assert!(
                        writes.0 >= 1 && writes.0 <= most.0 && writes.1 <= most.1,
                        "{what}: {writes:?}"
                    );
                    judged(&shared, &what);
                }
            }
            let shared = pair(seed);
            if shared.borrow().crm.hidden != Some(field) {
                edits(&shared, Side::Crm, field);
                calm(&shared);
                assert_eq!(
                    (shared.borrow().crm_writes, shared.borrow().portal_writes),
                    (0, 1),
                    "seed {seed}, field {field}"
                );
                judged(&shared, "an edit in the CRM");
            }
        }
    }
}

/// FAULTS A9: what is edited right behind our write, in another field or the same, on this side or that, still goes over.
#[test]
fn an_edit_right_behind_our_write_goes_over() {
    for seed in 0..60 {
        for side in [Side::Crm, Side::Portal] {
            for field in [0, 4] {
                for behind in 1..9 {
                    for fate in [Fate::Done, Fate::CutBehind] {
                        let shared = pair(seed);
                        if shared.borrow().crm.hidden == Some(field) || !shared.borrow().crm.has_preconditions {
                            continue;
                        }
                        edits(&shared, Side::Portal, 4);
                        shared.borrow_mut().fate = Some(fate);
                        let mut push: Task = Box::pin(sync::push(shared.clone(), 0));
                        let is_done = (0..behind).any(|_| step(&mut push));
                        edits(&shared, side, field);
                        let edited = shared.borrow().value(side, field);
                        if !is_done {
                            run(push);
                        }
                        calm(&shared);
                        let what = format!("seed {seed}, {side:?} edits {field} behind {behind}, {fate:?}");
                        judged(&shared, &what);
                        if field == 0 {
                            let w = shared.borrow();
                            assert!(
                                w.value(Side::Crm, 0).means(&edited) && w.value(Side::Portal, 0).means(&edited),
                                "{what}"
                            );
                        }
                    }
                }
            }
        }
    }
}

/// FAULTS A7: eight workers, and both sides create the same person: one pair.
#[test]
fn both_sides_create_the_same_person() {
    for seed in 0..3_000 {
        let shared = World::shared(seed, None);
        shared.borrow_mut().crm.has_unique_email = true;
        shared.borrow_mut().never_fails = seed % 2 == 0;
        let mut tasks: Vec<Task> = vec![Box::pin(portal::create(shared.clone(), 1))];
        let theirs = shared.borrow_mut().dice.below(30);
        for turn in 0..150 {
            if turn == theirs {
                shared.borrow_mut().crm_user_creates(1);
            }
            if tasks.len() < 9 {
                let rows = shared.borrow().ledger.len();
                tasks.push(match (turn % 3, rows) {
                    (0, _) | (_, 0) => Box::pin(sync::pull(shared.clone())),
                    (1, rows) => Box::pin(sync::push(shared.clone(), turn % rows)),
                    (_, rows) => Box::pin(sync::look(shared.clone(), turn % rows)),
                });
            }
            shared.borrow_mut().tick();
            let at = shared.borrow_mut().dice.below(tasks.len());
            if step(&mut tasks[at]) {
                drop(tasks.swap_remove(at));
            }
        }
        drop(tasks);
        calm(&shared);
        judged(&shared, &format!("seed {seed}"));
        let w = shared.borrow();
        assert_eq!(w.posts.iter().filter(|post| !post.is_binned).count(), 1, "seed {seed}");
        assert_eq!(w.crm.alive(1).count(), 1, "seed {seed}");
    }
}

/// FAULTS A11: an edit on each side, or an edit and a delete, in every order of what the workers do: nothing flips, nothing comes back.
#[test]
fn two_fast_edits_and_a_delete_against_an_edit() {
    for seed in 0..40 {
        for (first, second) in [(Some(2), Some(2)), (None, Some(2)), (Some(2), None), (None, None)] {
            for at in 0..12 {
                for at_crm in [false, true] {
                    let shared = pair(seed);
                    if !shared.borrow().crm.has_preconditions {
                        continue;
                    }
                    let theirs = || match first {
                        Some(field) => shared.borrow_mut().crm_user_edits(0, field),
                        None => shared.borrow_mut().crm_user_deletes(0),
                    };
                    let ours = || run(Box::pin(portal::edit_field(shared.clone(), 0, second)));
                    if at_crm {
                        theirs()
                    } else {
                        ours()
                    }
                    let mut tasks: [Task; 2] = [
                        Box::pin(sync::pull(shared.clone())),
                        Box::pin(sync::push(shared.clone(), 0)),
                    ];
                    let mut is_done = [false; 2];
                    for turn in 0..24 {
                        if turn == at {
                            if at_crm { ours() } else { theirs() }
                        }
                        let which = turn % 2;
                        is_done[which] = is_done[which] || step(&mut tasks[which]);
                    }
                    drop(tasks);
                    calm(&shared);
                    judged(
                        &shared,
                        &format!("seed {seed}, CRM {first:?}, portal {second:?}, at {at}, the CRM first {at_crm}"),
                    );
                }
            }
        }
    }
}

/// Without the waiting, an impatient look takes a request that is still under way for one that was not done.
#[test]
fn a_late_request_is_not_repeated() {
    let twice = |without| {
        (0..300).any(|seed| {
            let shared = World::shared(seed, without);
            shared.borrow_mut().crm.has_unique_email = false;
            shared.borrow_mut().never_fails = true;
            run(Box::pin(portal::create(shared.clone(), 1)));
            shared.borrow_mut().fate = Some(Fate::Late(8));
            run(Box::pin(sync::push(shared.clone(), 0)));
            let until = shared.borrow().now + 20;
            shared.borrow_mut().late.iter_mut().for_each(|late| late.0 = until + 7);
            shared.borrow_mut().now = until;
            run(Box::pin(sync::resolve(shared.clone(), 0)));
            calm(&shared);
            shared.borrow().crm.alive(1).count() != 1
        })
    };
    assert!(!twice(None));
    assert!(twice(Some(Without::SettleTime)));
}
