//! What users of the portal do. WordPress commits each step, and a process can die between them.

use tenant_crm_sync::sync::merge::Side;

use super::crm::Write;
use super::history::Change;
use super::sync::pause;
use super::value::{EMAIL, Edit};
use super::world::{Post, Row, Shared, Time, Without, World};

/// A change by a user of the portal.
pub async fn edit(shared: Shared) {
    let (post, field) = {
        let w = &mut *shared.borrow_mut();
        let alive: Vec<usize> = (0..w.posts.len()).filter(|post| !w.posts[*post].is_binned).collect();
        if alive.is_empty() {
            return;
        }
        let field = if w.dice.once_in(8) { None } else { Some(w.any_field()) };
        (w.dice.one(&alive), field)
    };
    edit_field(shared, post, field).await;
}

/// A new value for a field, or the post goes to the bin.
pub async fn edit_field(shared: Shared, post: usize, field: Option<usize>) {
    let (stamp, token) = {
        let w = &mut *shared.borrow_mut();
        // Until the write is done nobody knows when it was.
        w.tokens += 1;
        let token = w.tokens;
        if let Some(time) = w.mark(post, field) {
            *time = Time::Marked(token);
        }
        (w.now, token)
    };
    pause().await;
    {
        let w = &mut *shared.borrow_mut();
        if w.posts[post].is_binned {
            return;
        }
        let email = w.posts[post].fields[EMAIL].edit();
        match field {
            Some(field) => {
                let old = w.posts[post].fields[field].clone();
                let change = Change {
                    side: Side::Portal,
                    person: email,
                    field,
                    over: old.edit(),
                    also: 0,
                    at: stamp,
                    until: w.now,
                };
                let new = w.history.edit(change, &old, &mut w.dice, &[]);
                w.trace(|_| format!("portal: {post} {new:?}"));
                w.posts[post].fields[field] = new;
            }
            None => {
                w.trace(|_| format!("portal: {post} to the bin"));
                let fields = w.posts[post].fields.clone();
                let is_linked = w.row_of_post(post).is_some_and(|row| w.ledger[row].crm_id.is_some());
                // An own create that came through unnoticed, rewritten as nobody declared, looks like somebody else's.
                let is_create = |write: &Write| matches!(write, Write::Create(part) if part[EMAIL].as_ref().is_some_and(|value| value.edit() == email));
                let is_asked = w.row_of_post(post).is_some_and(|row| w.ledger[row].is_asked());
                let is_blind = is_asked
                    || w.ledger.iter().any(|row| {
                        row.intent
                            .as_ref()
                            .and_then(|intent| intent.sent.as_ref())
                            .is_some_and(is_create)
                    });
                w.history.deleted(Side::Portal, email, &fields, is_linked, is_blind);
                w.posts[post].is_binned = true;
            }
        }
    }
    pause().await;
    let w = &mut *shared.borrow_mut();
    if !w.lacks(Without::SecondMark) {
        // Unless another hook marked it in between.
        if let Some(time) = w.mark(post, field).filter(|time| **time == Time::Marked(token)) {
            *time = Time::At(stamp);
        }
    }
}

/// A user of the portal makes a post; the ledger's row comes behind it.
pub async fn create(shared: Shared, person: Edit) {
    let (post, made) = {
        let w = &mut *shared.borrow_mut();
        let known = w.posts.iter().any(|post| post.fields[EMAIL].edit() == person);
        if known {
            return;
        }
        let Some(fields) = w.new_person(Side::Portal, person) else {
            return;
        };
        w.trace(|_| format!("portal creates {person}"));
        w.posts.push(Post {
            fields,
            is_binned: false,
        });
        (w.posts.len() - 1, w.now)
    };
    pause().await;
    let w = &mut *shared.borrow_mut();
    match w.row_of_post(post) {
        Some(row) => w.ledger[row].dirty = true,
        None if !w.posts[post].is_binned => {
            w.new_row(Row {
                post: Some(post),
                dirty: true,
                times: [Time::At(made); 6],
                ..Row::default()
            });
        }
        None => {}
    }
}

impl World {
    /// The mark of a hook; gives the field's time.
    fn mark(&mut self, post: usize, field: Option<usize>) -> Option<&mut Time> {
        let row = match self.row_of_post(post) {
            Some(row) => row,
            None if self.posts[post].is_binned => return None,
            None => self.new_row(Row {
                post: Some(post),
                ..Row::default()
            }),
        };
        self.ledger[row].dirty = true;
        Some(&mut self.ledger[row].times[field?])
    }
}
