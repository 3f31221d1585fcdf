//! The body of an answer: whole, or fed piece by piece by a task (slow, huge, endless or cut ones).

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::listen::Conn;

/// Size of the pieces of huge and endless bodies.
const PIECE: usize = 64 * 1024;
/// What half a body needs at most to leave the machine before the connection is cut.
const FLUSH: Duration = Duration::from_millis(50);

pub enum Body {
    Whole(Option<Bytes>),
    /// `left`: bytes still to come, where that was promised by Content-Length.
    Fed {
        pieces: Receiver<Bytes>,
        left: Option<u64>,
    },
}

impl Body {
    pub fn whole(bytes: Bytes) -> Self {
        Self::Whole(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// The bytes in equal steps over `time`.
    pub fn spread(bytes: Bytes, time: Duration) -> Self {
        // At most one step each 5 ms, and no step without a byte.
        let steps = (time.as_millis() / 5).clamp(1, 200).min(bytes.len().max(1) as u128) as usize;
        let pause = time / steps as u32;
        let size = bytes.len().div_ceil(steps).max(1);
        Self::fed(Some(bytes.len() as u64), move |feed| async move {
            let mut rest = bytes;
            while !rest.is_empty() {
                tokio::time::sleep(pause).await;
                let piece = rest.split_to(size.min(rest.len()));
                if feed.send(piece).await.is_err() {
                    return;
                }
            }
        })
    }

    /// Promises all the bytes, sends half of them and cuts the connection.
    pub fn cut_in_the_middle(bytes: Bytes, conn: Arc<Conn>) -> Self {
        let length = bytes.len() as u64;
        Self::fed(Some(length), move |feed| async move {
            let half = bytes.slice(..bytes.len() / 2);
            if feed.send(half).await.is_ok() {
                tokio::time::sleep(FLUSH).await;
            }
            conn.cut(None);
            // Held until the connection is gone: ending the feed would end the body in an orderly way.
            feed.closed().await;
        })
    }

    /// A JSON document of exactly `length` bytes (at least 64), or one that never ends. Without `announced` there is no Content-Length.
    pub fn filler(length: Option<u64>, announced: bool) -> Self {
        const HEAD: &[u8] = br#"{"data":[{"id":1,"name":""#;
        const TAIL: &[u8] = br#""}]}"#;
        let length = length.map(|length| length.max(64));
        let promised = length.filter(|_| announced);
        Self::fed(promised, move |feed| async move {
            let filler = Bytes::from(vec![b'x'; PIECE]);
            let mut left = length.map(|length| length - (HEAD.len() + TAIL.len()) as u64);
            if feed.send(Bytes::from_static(HEAD)).await.is_err() {
                return;
            }
            while left != Some(0) {
                let size = left.map_or(PIECE, |left| left.min(PIECE as u64) as usize);
                if feed.send(filler.slice(..size)).await.is_err() {
                    return;
                }
                left = left.map(|left| left - size as u64);
            }
            // The receiver may be gone by now, which is no matter.
            let _last = feed.send(Bytes::from_static(TAIL)).await;
        })
    }

    fn fed<F, T>(left: Option<u64>, feed: F) -> Self
    where
        F: FnOnce(Sender<Bytes>) -> T,
        T: Future<Output = ()> + Send + 'static,
    {
        let (sender, pieces) = channel(2);
        tokio::spawn(feed(sender));
        Self::Fed { pieces, left }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Fed { pieces, left } => {
                let piece = ready!(pieces.poll_recv(context));
                if let (Some(piece), Some(left)) = (&piece, left) {
                    *left = left.saturating_sub(piece.len() as u64);
                }
                Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Fed { left: Some(left), .. } => SizeHint::with_exact(*left),
            Self::Fed { left: None, .. } => SizeHint::default(),
        }
    }
}
