//! A long wire: ports of 127.0.0.1 that pass bytes on to another one, later, so that a round trip takes as long as was asked for.
//! The handshake of TCP takes its round trip as well. Knows nothing of what travels; bandwidth is not bounded.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// What is read at once.
const CHUNK: usize = 64 * 1024;
/// Chunks on their way in one direction.
const ON_THE_WAY: usize = 1024;

/// Opens a port that is a round trip away from the port `to`, for as long as the process lives.
pub fn open(to: u16, round_trip: Duration) -> io::Result<u16> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let listener = TcpListener::from_std(listener)?;
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((near, _)) => drop(tokio::spawn(connect(near, to, round_trip))),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    });
    Ok(port)
}

async fn connect(near: TcpStream, to: u16, round_trip: Duration) {
    // Before the answer to its SYN has come, a client cannot send.
    let established = Instant::now() + round_trip;
    let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else {
        return;
    };
    // Sockets that refuse the option still work.
    let _slower = near.set_nodelay(true);
    let _slower = far.set_nodelay(true);
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    tokio::spawn(pass(near_read, far_write, established, round_trip / 2));
    tokio::spawn(pass(far_read, near_write, established, round_trip / 2));
}

/// One direction, until its sender is done or its receiver has gone; that it ends travels as well.
async fn pass<R, W>(mut from: R, mut to: W, established: Instant, delay: Duration)
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin,
{
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    tokio::spawn(async move {
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            let read = from.read_buf(&mut chunk).await;
            let due = Instant::now().max(established) + delay;
            // An empty chunk is the end.
            let is_end = !matches!(read, Ok(1..));
            if sender.send((due, chunk)).await.is_err() || is_end {
                return;
            }
        }
    });
    while let Some((due, chunk)) = receiver.recv().await {
        sleep_until(due).await;
        if chunk.is_empty() || to.write_all(&chunk).await.is_err() {
            break;
        }
    }
    // It may be gone already.
    let _ended = to.shutdown().await;
}
