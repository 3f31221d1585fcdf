//! Where walks on the I/O thread leave what they have to say to the caller's thread. A walk that falls silent is heard as well.

use std::sync::mpsc::{self, Receiver, Sender};

use tokio::sync::oneshot;

use crate::crm::request::Connection;
use crate::error::{Error, Kind, Result};
use crate::sync::pull::Batch;

/// Which walk of a mailbox it is.
pub type Tag = u64;

/// What the I/O thread says to the caller's.
pub enum Message {
    /// The next batch, or why there is none.
    Batch(Box<Result<Batch>>),
    /// The access token has run out: only the caller's thread can get another.
    Renew(oneshot::Sender<Result<Connection>>),
    /// The walk has ended before its last batch; what it said before tells more, if it said anything.
    Gone,
}

/// Where walks leave what they have to say.
#[derive(Debug)]
pub struct Mailbox {
    receiver: Option<Receiver<(Tag, Message)>>,
    sender: Sender<(Tag, Message)>,
    pid: u32,
}

impl Mailbox {
    /// An empty one, of this process.
    #[must_use]
    pub fn new() -> Self {
        let (sender, receiver) = mpsc::channel();
        Self {
            receiver: Some(receiver),
            sender,
            pid: std::process::id(),
        }
    }

    /// The end for one walk.
    #[must_use]
    pub fn outlet(&self, tag: Tag) -> Outlet {
        Outlet {
            tag,
            sender: self.sender.clone(),
            is_open: true,
        }
    }

    /// What is read from; an error in a forked process.
    pub fn receiver(&self) -> Result<&Receiver<(Tag, Message)>> {
        self.receiver
            .as_ref()
            .filter(|_| self.pid == std::process::id())
            .ok_or_else(|| {
                Error::new(
                    Kind::Config,
                    "a pull cannot be continued in a forked process: start a new one from the last watermark",
                )
            })
    }
}

impl Default for Mailbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        // The parent's I/O thread may have been in the middle of a message when this process was forked off: nobody will end it
        // here, and whoever empties the mailbox would wait for that.
        if self.pid != std::process::id() {
            std::mem::forget(self.receiver.take());
        }
    }
}

/// The walk's end of the mailbox.
pub struct Outlet {
    tag: Tag,
    sender: Sender<(Tag, Message)>,
    is_open: bool,
}

impl Outlet {
    /// False if nobody listens any more.
    pub fn say(&mut self, message: Message) -> bool {
        self.is_open &= match &message {
            Message::Batch(batch) => batch.as_ref().as_ref().is_ok_and(|batch| !batch.is_last),
            Message::Renew(_) | Message::Gone => true,
        };
        self.sender.send((self.tag, message)).is_ok()
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        if self.is_open {
            // Whoever waits in a mailbox of many would not see that this one is silent for ever.
            let _ = self.sender.send((self.tag, Message::Gone));
        }
    }
}
