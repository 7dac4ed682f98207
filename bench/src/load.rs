//! The load generator: keep-alive connections that each write a prepared request and wait for its answer.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::TryStreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::webhook::Requests;

/// The result of a run.
#[derive(Debug, Clone)]
pub struct Run {
    took: Duration,
    latencies: Vec<Duration>,
}

impl Run {
    /// Creates the result of a run that took this long.
    pub fn new(took: Duration, mut latencies: Vec<Duration>) -> Run {
        latencies.sort_unstable();
        Run { took, latencies }
    }

    /// The number of requests answered with 200.
    pub fn answered(&self) -> usize {
        self.latencies.len()
    }

    /// Returns the number of answers per second.
    pub fn rate(&self) -> f64 {
        self.answered() as f64 / self.took.as_secs_f64()
    }

    /// Returns the latency in milliseconds that this share of the requests did not exceed.
    pub fn percentile(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let latency = self.latencies.get((last as f64 * share).round() as usize);
        latency.map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
    }
}

/// The end of a run.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After this time; requests are repeated if there are too few.
    Time(Duration),
    /// Once each request was sent.
    Sent,
}

/// The state that connections share.
struct Plan<'a> {
    requests: &'a Requests,
    next: Cell<usize>,
    until: Until,
    started: Instant,
}

impl<'a> Plan<'a> {
    fn take(&self) -> Option<&'a [u8]> {
        let index = self.next.get();
        self.next.set(index + 1);
        let goes_on = match self.until {
            Until::Time(time) => self.started.elapsed() < time,
            Until::Sent => index < self.requests.len(),
        };
        goes_on.then(|| self.requests.get(index % self.requests.len()))
    }
}

/// Sends requests to a local port over this many keep-alive connections. Any answer but 200 is an error.
pub async fn run(port: u16, connections: usize, requests: &Requests, until: Until) -> Result<Run> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let plan = Plan { requests, next: Cell::new(0), until, started: Instant::now() };
    let connections: FuturesUnordered<_> = streams.into_iter().map(|stream| drive(stream, &plan)).collect();
    let latencies: Vec<Duration> = connections.try_concat().await?;
    Ok(Run::new(plan.started.elapsed(), latencies))
}

/// Runs one connection and returns the latency of each request.
async fn drive(mut stream: TcpStream, plan: &Plan<'_>) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut buffer = [0; 4096];
    while let Some(request) = plan.take() {
        let sent = Instant::now();
        stream.write_all(request).await?;
        read_answer(&mut stream, &mut buffer).await?;
        latencies.push(sent.elapsed());
    }
    Ok(latencies)
}

/// Reads an answer and returns its length. Any but 200 is an error.
pub async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            bail!("the server cut a connection off, or its answer is too long");
        }
        filled += read;
        if let Some(length) = answer_length(&buffer[..filled])
            && length <= filled
        {
            break;
        }
    }
    if buffer.starts_with(b"HTTP/1.1 200 ") {
        return Ok(filled);
    }
    bail!("the server answered {:?}", String::from_utf8_lossy(&buffer[..filled]))
}

/// Returns the length of an answer, head and body, once the head is complete.
fn answer_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(head + 4 + content_length(&bytes[..head]).unwrap_or(0))
}

/// Parses `Content-Length` from a message's head.
pub fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length: ";
    let start = head.windows(NAME.len()).position(|window| window.eq_ignore_ascii_case(NAME))? + NAME.len();
    let digits = head[start..].split(|byte| !byte.is_ascii_digit()).next().context("no length").ok()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
