//! What workers do, step by step as the protocol says. Between any two steps anything else may happen, or the worker may be killed.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use tenant_crm_sync::sync::merge::Outcome;

use super::crm::{Answer, LAG, Version, Write};
use super::settle::Todo;
use super::steps::Sending;
use super::value::{EMAIL, NOTHING};
use super::world::{Intent, Row, Shared, Without};

/// A worker's claim.
const CLAIM: u32 = 20;
/// After it, until no request can be late and then not be listed yet.
const SETTLE_TIME: u32 = 2 * LAG + 1;
/// How far a pull goes back behind its watermark.
const OVERLAP: u32 = LAG + 2;

/// Between two steps.
pub async fn pause() {
    let mut is_first = true;
    poll_fn(|_| {
        if std::mem::take(&mut is_first) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

pub async fn pull(shared: Shared) {
    let rows = {
        let w = &mut *shared.borrow_mut();
        if w.read_fails() {
            return;
        }
        let since = w.watermarks[0].saturating_sub(OVERLAP);
        let mut rows = w.crm.list(w.now, &mut w.dice);
        rows.retain(|(_, version)| version.at >= since && !version.is_deleted);
        rows
    };
    for (id, version) in &rows {
        pause().await;
        shared.borrow_mut().listed(*id, version);
    }
    pause().await;
    let w = &mut *shared.borrow_mut();
    let last = rows.iter().map(|(_, version)| version.at).max().unwrap_or_default();
    w.watermarks[0] = w.watermarks[0].max(last);
}

pub async fn pull_deleted(shared: Shared) {
    let rows = {
        let w = &mut *shared.borrow_mut();
        if w.read_fails() {
            return;
        }
        let since = w.watermarks[1].saturating_sub(OVERLAP);
        let mut rows = w.crm.list(w.now, &mut w.dice);
        rows.retain(|(_, version)| version.at >= since && version.is_deleted);
        rows
    };
    for (id, _) in &rows {
        pause().await;
        let w = &mut *shared.borrow_mut();
        // A tombstone knows already.
        if !w
            .row_of(*id)
            .is_some_and(|row| w.ledger[row].post.is_none() && w.ledger[row].base.is_none() && !w.ledger[row].hint)
        {
            w.hint(*id);
        }
    }
    pause().await;
    let w = &mut *shared.borrow_mut();
    let last = rows.iter().map(|(_, version)| version.at).max().unwrap_or_default();
    w.watermarks[1] = w.watermarks[1].max(last);
}

pub async fn look(shared: Shared, row: usize) {
    let (id, noted) = {
        let w = &*shared.borrow();
        let row = &w.ledger[row];
        match row.crm_id {
            Some(id) if row.hint && row.intent.is_none() && !row.is_gone => (id, row.version),
            _ => return,
        }
    };
    pause().await;
    let Some(seen) = shared.borrow_mut().read(id) else {
        return;
    };
    pause().await;
    let w = &mut *shared.borrow_mut();
    let known = &w.ledger[row];
    if known.is_gone || known.intent.is_some() || (known.version != noted && !w.lacks(Without::Fence)) {
        return;
    }
    match &seen {
        Some(version) if known.post.is_none() && known.base.is_none() => w.unknown(row, version),
        _ => {
            w.ledger[row].hint = false;
            w.settle(row, seen.as_ref(), None);
        }
    }
}

pub async fn push(shared: Shared, row: usize) {
    let token = {
        let w = &mut *shared.borrow_mut();
        if w.ledger[row].is_gone || !w.ledger[row].dirty || w.ledger[row].intent.is_some() {
            return;
        }
        w.tokens += 1;
        let until = w.now + CLAIM;
        w.ledger[row].version += 1;
        w.ledger[row].intent = Some(Intent {
            token: w.tokens,
            until,
            sent: None,
        });
        w.tokens
    };
    pause().await;
    let Some(found) = find(&shared, row, None).await else {
        shared.borrow_mut().drop_intent(row, token);
        return;
    };
    pause().await;
    {
        let w = &mut *shared.borrow_mut();
        if !w.holds(row, token) {
            return;
        }
        let todo = w.settle_found(row, found.as_ref(), None);
        let write = match (todo, &found) {
            (Todo::Nothing, _) => None,
            (Todo::Delete, Some((id, seen))) => Some(Write::Delete(*id, seen.clone())),
            (Todo::Delete, None) => None,
            (Todo::Write(part), Some((id, seen))) => Some(Write::Update(*id, part, seen.clone())),
            (Todo::Write(part), None) => Some(Write::Create(part)),
        };
        let Some(write) = write else {
            w.drop_intent(row, token);
            return;
        };
        w.trace(|_| format!("push {row} is to send {write:?}"));
        w.ledger[row].version += 1;
        w.ledger[row].intent.as_mut().unwrap().sent = Some(write);
    }
    pause().await;
    send(shared, row, token).await;
}

/// Steps 4 and 5 of a push.
async fn send(shared: Shared, row: usize, token: u32) {
    let (write, outcome) = {
        let w = &mut *shared.borrow_mut();
        let intent = w.ledger[row]
            .intent
            .as_ref()
            .filter(|intent| intent.token == token && w.now < intent.until);
        let Some(write) = intent.and_then(|intent| intent.sent.clone()) else {
            return;
        };
        let outcome = w.send(&write);
        w.trace(|_| format!("sent for {row}: {outcome:?}"));
        (write, outcome)
    };
    pause().await;
    let sent = match &write {
        Write::Create(part) | Write::Update(_, part, _) => Some(part),
        Write::Delete(..) => None,
    };
    let (seen, came) = match outcome {
        Sending::Unknown => {
            if shared.borrow().lacks(Without::Looking) {
                Box::pin(send(shared, row, token)).await;
            }
            return;
        }
        Sending::NotDone | Sending::Answered(Answer::Duplicate | Answer::Changed) => {
            shared.borrow_mut().drop_intent(row, token);
            return;
        }
        Sending::Answered(Answer::Deleted) => (None, None),
        // The write was not done.
        Sending::Answered(Answer::Missing) => (None, None),
        Sending::Answered(Answer::Done(id, version)) if shared.borrow().crm.answers_record => {
            (Some((id, version)), Some(Outcome::Answered))
        }
        Sending::Answered(Answer::Done(id, _)) => {
            let Some(seen) = shared.borrow_mut().read(id) else {
                return;
            };
            pause().await;
            (seen.map(|version| (id, version)), Some(Outcome::Done))
        }
    };
    let w = &mut *shared.borrow_mut();
    if w.holds(row, token) {
        w.settle_found(row, seen.as_ref(), sent.zip(came));
        w.ledger[row].written_at = w.now;
        w.ledger[row].dirty &= !w.lacks(Without::DirtyUntilSettled);
        w.drop_intent(row, token);
    }
}

/// Settles an intent that its worker left behind.
pub async fn resolve(shared: Shared, row: usize) {
    let (token, sent) = {
        let w = &mut *shared.borrow_mut();
        let is_patient = !w.lacks(Without::SettleTime);
        let Some(intent) = w.ledger[row]
            .intent
            .as_ref()
            .filter(|intent| intent.until <= w.now || !is_patient)
        else {
            return;
        };
        let token = intent.token;
        let Some(sent) = intent.sent.clone() else {
            w.drop_intent(row, token);
            return;
        };
        if w.now < intent.until + SETTLE_TIME && is_patient {
            return;
        }
        (token, sent)
    };
    pause().await;
    let Some(found) = find(&shared, row, Some(&sent)).await else {
        return;
    };
    pause().await;
    let w = &mut *shared.borrow_mut();
    if w.holds(row, token) {
        let sent = match &sent {
            Write::Create(part) | Write::Update(_, part, _) => Some((part, Outcome::Unknown)),
            Write::Delete(..) => None,
        };
        w.settle_found(row, found.as_ref(), sent);
        w.drop_intent(row, token);
    }
}

type Found = Option<(usize, Rc<Version>)>;

/// The record of a row: by its id, or by its unique key and then by its id. `None` if nobody answers.
async fn find(shared: &Shared, row: usize, sent: Option<&Write>) -> Option<Found> {
    let id = {
        let w = &mut *shared.borrow_mut();
        let known = match sent {
            Some(Write::Update(id, ..) | Write::Delete(id, _)) => Some(*id),
            _ => w.ledger[row].crm_id,
        };
        let email = match sent {
            Some(Write::Create(part)) => part[EMAIL].clone(),
            _ => w.portal(row).map(|fields| fields[EMAIL].clone()),
        };
        match (known, email) {
            (Some(id), _) => id,
            (None, None) => return Some(None),
            (None, Some(email)) => {
                if w.read_fails() {
                    return None;
                }
                w.reads += 1;
                let is_it = |(_, version): &(usize, Rc<Version>)| {
                    !version.is_deleted && version.fields[EMAIL].edit() == email.edit()
                };
                let found = w.crm.list(w.now, &mut w.dice).into_iter().rev().find(is_it);
                match found {
                    Some((id, _)) => id,
                    None => return Some(None),
                }
            }
        }
    };
    pause().await;
    let seen = shared.borrow_mut().read(id)?;
    Some(seen.map(|version| (id, version)))
}

/// Sets the mark of what differs and of posts without a row.
pub async fn sweep(shared: Shared) {
    let (rows, posts) = {
        let w = shared.borrow();
        (w.ledger.len(), w.posts.len())
    };
    for row in 0..rows {
        pause().await;
        let w = &mut *shared.borrow_mut();
        let known = &w.ledger[row];
        let differs = match (&known.base, w.portal(row)) {
            (Some(base), Some(fields)) => (0..6).any(|field| {
                !known.waits[field] && !w.means(field, base[field].as_ref().unwrap_or(&NOTHING), &fields[field])
            }),
            (Some(_), None) => !known.waits_whole,
            (None, Some(_)) => true,
            (None, None) => false,
        };
        if differs && !known.is_gone && !known.waits_whole {
            w.ledger[row].dirty = true;
        }
    }
    for post in 0..posts {
        let w = &mut *shared.borrow_mut();
        if !w.posts[post].is_binned && w.row_of_post(post).is_none() {
            w.new_row(Row {
                post: Some(post),
                dirty: true,
                ..Row::default()
            });
        }
    }
}
