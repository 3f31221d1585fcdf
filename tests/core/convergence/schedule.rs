//! One random schedule: a while in which anything may happen, then quiet, then ten cycles in which nothing may.

use std::pin::Pin;
use std::task::{Context, Waker};

use super::value::Edit;
use super::world::{Shared, Without, World};
use super::{portal, sync};

pub type Task = Pin<Box<dyn Future<Output = ()>>>;

/// What a schedule shows.
pub struct Shown {
    pub faults: Vec<String>,
    pub trace: Vec<String>,
    /// Steps that were interleaved, writes, and edits that nobody could have kept.
    pub steps: usize,
    pub writes: usize,
    pub blind: usize,
}

/// Cycles after which all must be quiet.
const CYCLES: usize = 40;

/// One step; whether it was the last.
pub fn step(task: &mut Task) -> bool {
    task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

pub fn run(mut task: Task) {
    while !step(&mut task) {}
}

pub fn play(seed: u64, without: Option<Without>) -> Shown {
    let shared = World::shared(seed, without);
    let steps = storm(&shared);
    calm(&shared);
    let w = &mut *shared.borrow_mut();
    Shown {
        faults: w.judge(),
        trace: w.trace.take().unwrap_or_default(),
        steps,
        writes: (w.crm_writes + w.portal_writes) as usize,
        blind: w.history.blind.len(),
    }
}

/// Anything may happen.
fn storm(shared: &Shared) -> usize {
    let (people, length) = {
        let w = &mut *shared.borrow_mut();
        (1 + w.dice.below(2), 60 + w.dice.below(120))
    };
    let mut tasks: Vec<(Task, Whose)> = Vec::new();
    for _ in 0..length {
        let next = {
            let w = &mut *shared.borrow_mut();
            w.tick();
            w.dice.below(20)
        };
        match next {
            0 => shared.borrow_mut().crm_user(),
            1 => shared.borrow_mut().webhook(),
            2 if shared.borrow_mut().dice.once_in(2) => shared.borrow_mut().person_decides(),
            3 => {
                let w = &mut *shared.borrow_mut();
                let person = Edit::try_from(1 + w.dice.below(people)).unwrap();
                // Without a unique key two creates are two persons for a CRM.
                if w.crm.has_unique_email || person == 1 {
                    w.crm_user_creates(person);
                }
            }
            4..9 if tasks.len() < 6 => {
                if let Some(task) = start(shared, people) {
                    tasks.push(task);
                }
            }
            _ if tasks.is_empty() => {}
            _ => {
                let at = shared.borrow_mut().dice.below(tasks.len());
                let (task, whose) = &mut tasks[at];
                let is_killed =
                    shared.borrow_mut().dice.once_in(20) && (*whose == Whose::Sync || shared.borrow().kills_portal());
                if is_killed || step(task) {
                    drop(tasks.swap_remove(at));
                }
            }
        }
    }
    if !shared.borrow().kills_portal() {
        for (task, _) in tasks.into_iter().filter(|(_, whose)| *whose == Whose::Portal) {
            run(task);
        }
    }
    length
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Sync,
    Portal,
}

fn start(shared: &Shared, people: usize) -> Option<(Task, Whose)> {
    let w = &mut *shared.borrow_mut();
    let any = |w: &mut World, rows: Vec<usize>| (!rows.is_empty()).then(|| w.dice.one(&rows));
    let world = shared.clone();
    let mut whose = Whose::Sync;
    let task: Task = match w.dice.below(12) {
        0 => Box::pin(sync::pull(world)),
        1 => Box::pin(sync::pull_deleted(world)),
        2 if w.sweeps() => Box::pin(sync::sweep(world)),
        3 | 4 => {
            whose = Whose::Portal;
            Box::pin(portal::edit(world))
        }
        5 => {
            let person = Edit::try_from(1 + w.dice.below(people)).unwrap();
            let is_crms = !w.crm.has_unique_email && person == 1;
            if is_crms {
                return None;
            }
            whose = Whose::Portal;
            Box::pin(portal::create(world, person))
        }
        6 => {
            let rows = w.rows(|row| row.intent.is_some());
            Box::pin(sync::resolve(world, any(w, rows)?))
        }
        7 | 8 => {
            let rows = w.rows(|row| row.hint);
            Box::pin(sync::look(world, any(w, rows)?))
        }
        _ => {
            let rows = w.rows(|row| row.dirty);
            Box::pin(sync::push(world, any(w, rows)?))
        }
    };
    Some((task, whose))
}

/// Nobody changes anything any more, and nothing fails. Then ten cycles without a write or a read.
pub fn calm(shared: &Shared) {
    shared.borrow_mut().is_quiet = true;
    let counts = |w: &World| (w.crm_writes, w.portal_writes, w.reads);
    let mut silent = 0;
    for _ in 0..CYCLES {
        let before = counts(&shared.borrow());
        let was_open = shared.borrow().has_work();
        cycle(shared);
        let is_silent = before == counts(&shared.borrow()) && !was_open && !shared.borrow().has_work();
        if silent > 0 && !is_silent {
            shared
                .borrow_mut()
                .history
                .fault(format!("it was silent for {silent} cycles, and then not"));
        }
        silent = if is_silent { silent + 1 } else { 0 };
        if silent == 10 {
            return;
        }
    }
    shared
        .borrow_mut()
        .history
        .fault(format!("not quiet after {CYCLES} cycles"));
}

fn cycle(shared: &Shared) {
    for _ in 0..12 {
        shared.borrow_mut().tick();
    }
    while !shared.borrow().webhooks.is_empty() {
        shared.borrow_mut().webhook();
    }
    let all = |which: fn(&World) -> Vec<usize>| which(&shared.borrow());
    for row in all(|w| w.rows(|row| row.intent.is_some())) {
        run(Box::pin(sync::resolve(shared.clone(), row)));
    }
    run(Box::pin(sync::pull(shared.clone())));
    run(Box::pin(sync::pull_deleted(shared.clone())));
    for row in all(|w| w.rows(|row| row.hint)) {
        run(Box::pin(sync::look(shared.clone(), row)));
    }
    if shared.borrow().sweeps() {
        run(Box::pin(sync::sweep(shared.clone())));
    }
    for row in all(|w| w.rows(|row| row.dirty)) {
        run(Box::pin(sync::push(shared.clone(), row)));
    }
    shared.borrow_mut().person_decides();
}

impl World {
    /// Time goes on; what was late arrives.
    pub fn tick(&mut self) {
        self.now += 1;
        let now = self.now;
        if let Some(at) = self.late.iter().position(|(due, _)| *due <= now) {
            let (_, write) = self.late.swap_remove(at);
            self.arrive(&write);
        }
    }

    fn has_work(&self) -> bool {
        let is_open = |row: &super::world::Row| row.dirty || row.hint || row.intent.is_some() || row.is_asked();
        self.ledger.iter().any(|row| !row.is_gone && is_open(row)) || !self.webhooks.is_empty() || !self.late.is_empty()
    }
}
