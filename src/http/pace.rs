//! A connection that must keep moving.
//!
//! [`Paced`] stands between the HTTP dispatcher and the stream (above TLS, where there is TLS) and knows what actix does
//! not: whether bytes wait for a reader that does not read, and whether the head of a request has been begun and never
//! ends. It is the only place that can know the first: a response body is not polled while the write buffer is full, and
//! its last part is dropped before it has been sent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::limits::Limits;

/// How the requests of one connection stand: written by the doors' middleware, read by its [`Paced`] stream.
#[derive(Debug, Default)]
pub struct Activity {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Activity {
    /// A request's head is whole. The request is under way until the answer is dropped.
    pub fn begin(self: &Arc<Self>) -> UnderWay {
        self.begun.fetch_add(1, Ordering::Relaxed);
        UnderWay(self.clone())
    }

    fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    fn idle(&self) -> bool {
        self.begun() == self.ended.load(Ordering::Relaxed)
    }
}

/// A request under way on a connection.
#[derive(Debug)]
pub struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// A stream that errs when its reader or the head of a request stalls.
#[derive(Debug)]
pub struct Paced<S> {
    stream: S,
    activity: Arc<Activity>,
    /// Bytes that a reader must take in one window; 0 switches the rule off.
    min_bytes: u64,
    window: Duration,
    head: Duration,
    idle: Duration,
    /// While bytes wait to be written: when the window ends, and what was written in it.
    waiting: Option<(Pin<Box<Sleep>>, u64)>,
    /// While no request is under way.
    quiet: Option<Quiet>,
}

/// A connection without a request under way.
#[derive(Debug)]
struct Quiet {
    /// When it is given up.
    timer: Pin<Box<Sleep>>,
    /// How many requests had begun before.
    begun: u64,
    /// Whether bytes came: the beginning of a head.
    head: bool,
}

impl<S> Paced<S> {
    /// Wraps a stream under these limits.
    pub fn new(stream: S, limits: &Limits) -> Self {
        Self {
            stream,
            activity: Arc::default(),
            min_bytes: (limits.min_bytes_per_second as f64 * limits.reader_window.as_secs_f64()) as u64,
            window: limits.reader_window,
            head: limits.head,
            idle: limits.idle,
            waiting: None,
            quiet: None,
        }
    }

    /// How the connection's requests stand.
    pub fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// The stream beneath.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Called when the stream takes no more bytes for now.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let window = self.window;
        let (timer, written) = self.waiting.get_or_insert_with(|| (Box::pin(tokio::time::sleep(window)), 0));
        ready!(timer.as_mut().poll(context));
        if *written < self.min_bytes {
            return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the reader does not read"));
        }
        *written = 0;
        timer.as_mut().reset(Instant::now() + window);
        // Polled once more so that the new window wakes this task as well.
        timer.as_mut().poll(context).map(|()| io::Error::from(io::ErrorKind::TimedOut))
    }

    fn wrote(&mut self, count: usize) {
        if let Some((_, written)) = &mut self.waiting {
            *written += count as u64;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if !this.activity.idle() {
            // The bytes are a body, or the next head in a pipeline; both have their own bounds.
            this.quiet = None;
            return read;
        }
        let begun = this.activity.begun();
        let came = buffer.filled().len() > before;
        let known = this.quiet.as_ref().is_some_and(|quiet| quiet.begun == begun && quiet.head >= came);
        if !known {
            // actix closes an idle connection itself, except one that sent half a head while a request was under way;
            // hence the generous bound where no byte came.
            let after = if came { this.head } else { this.idle + this.head };
            this.quiet = Some(Quiet { timer: Box::pin(tokio::time::sleep(after)), begun, head: came });
        }
        // Judged even when bytes came: a head that drips must not put off its end.
        if let Some(quiet) = &mut this.quiet
            && quiet.timer.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the head of a request never ended")));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write(context, bytes) {
            Poll::Ready(Ok(count)) => {
                this.wrote(count);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(error) => Poll::Ready(error),
            Poll::Pending if this.min_bytes == 0 => Poll::Pending,
            Poll::Pending => this.wait(context).map(Err),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_flush(context) {
            Poll::Ready(done) => {
                // Everything handed over was taken: nothing waits any longer.
                this.waiting = None;
                Poll::Ready(done)
            }
            Poll::Pending if this.min_bytes == 0 => Poll::Pending,
            Poll::Pending => this.wait(context).map(Err),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_shutdown(context) {
            Poll::Pending => this.wait(context).map(Err),
            done => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn a_reader_that_reads_too_little_is_given_up_after_a_window_and_a_fair_one_is_not() {
        let limits =
            Limits { min_bytes_per_second: 20_000, reader_window: Duration::from_millis(500), ..Limits::default() };
        for (chunk, fair) in [(10, false), (20_000, true)] {
            let (near, mut far) = tokio::io::duplex(1_000);
            let mut near = Paced::new(near, &limits);
            tokio::spawn(async move {
                let mut buffer = vec![0; chunk];
                while far.read_exact(&mut buffer).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
            let sent = near.write_all(&vec![0; 200_000]).await;
            assert_eq!(sent.is_ok(), fair, "{sent:?}");
        }
    }

    #[tokio::test]
    async fn a_head_that_drips_is_given_up_and_a_request_under_way_is_not() {
        let (near, mut far) = tokio::io::duplex(1_000);
        let mut near = Paced::new(near, &Limits { head: Duration::from_millis(300), ..Limits::default() });
        let activity = near.activity().clone();
        tokio::spawn(async move {
            while far.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let mut buffer = [0; 1];
        near.read_exact(&mut buffer).await.unwrap();
        let under_way = activity.begin();
        // A body may take longer than a head.
        for _ in 0..30 {
            near.read_exact(&mut buffer).await.unwrap();
        }
        drop(under_way);
        let error = loop {
            if let Err(error) = near.read_exact(&mut buffer).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_connection_that_waits_between_requests_is_not_hurried_by_the_limit_of_a_head() {
        let (near, far) = tokio::io::duplex(1_000);
        let limits = Limits { head: Duration::from_millis(50), idle: Duration::from_secs(60), ..Limits::default() };
        let mut near = Paced::new(near, &limits);
        let quiet = tokio::time::timeout(Duration::from_millis(300), near.read_u8()).await;
        assert!(quiet.is_err(), "{quiet:?}");
        drop(far);
    }
}
