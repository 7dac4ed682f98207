//! Calls as Twilio drives them: each waits for a document and sends its next words to the address in it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::TryStreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep_until;

use crate::load::{Run, read_answer};
use crate::webhook::{PATH, call_request};

/// The words of every turn.
const WORDS: &str = "Will you be there at half past seven? Bring the blue folder, please.";

/// Longer than any document here, with its head.
const LONGEST_ANSWER: usize = 4096;

#[derive(Debug)]
pub struct Call {
    number: u64,
    stream: TcpStream,
    /// The path of its next document.
    path: String,
    document: String,
    requests: u64,
}

impl Call {
    /// Begins a call on a connection of its own.
    pub async fn begin(port: u16, number: u64) -> Result<Call> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mut call = Call { number, stream, path: PATH.to_owned(), document: String::new(), requests: 0 };
        call.request(None).await?;
        Ok(call)
    }

    /// Returns the same call at another server, which answers every request with the last document.
    pub async fn moved_to(&self, port: u16) -> Result<Call> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let (path, document) = (self.path.clone(), self.document.clone());
        Ok(Call { number: self.number, stream, path, document, requests: self.requests })
    }

    /// Returns the last document.
    pub fn document(&self) -> &str {
        &self.document
    }

    /// Makes one turn and returns the time until its document was there.
    pub async fn turn(&mut self) -> Result<Duration> {
        self.request(Some(WORDS)).await
    }

    async fn request(&mut self, words: Option<&str>) -> Result<Duration> {
        self.requests += 1;
        let request = call_request(&self.path, self.number, self.requests, words);
        let mut buffer = [0; LONGEST_ANSWER];
        let sent = Instant::now();
        self.stream.write_all(&request).await?;
        let length = read_answer(&mut self.stream, &mut buffer).await?;
        let took = sent.elapsed();
        let answer = String::from_utf8_lossy(&buffer[..length]);
        let document = answer.split_once("\r\n\r\n").context("an answer without a body")?.1;
        self.path = next_path(document).with_context(|| format!("a call ended: {document}"))?;
        self.document = document.to_owned();
        Ok(took)
    }

    /// Talks from `first` to `until`, with this time between the beginnings of two turns.
    async fn talk(&mut self, first: Instant, pause: Duration, until: Instant) -> Result<Vec<Duration>> {
        let (mut latencies, mut next) = (Vec::new(), first);
        while next < until && Instant::now() < until {
            sleep_until(next.into()).await;
            latencies.push(self.turn().await?);
            next += pause;
        }
        Ok(latencies)
    }
}

/// Lets all calls talk at the same time, as fast as they are answered, or together this many turns per second.
pub async fn talk(calls: &mut [Call], time: Duration, rate: Option<f64>) -> Result<Run> {
    let started = Instant::now();
    let apart = rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate));
    let pause = apart.mul_f64(calls.len() as f64);
    let talk =
        |(place, call): (usize, _)| Call::talk(call, started + apart.mul_f64(place as f64), pause, started + time);
    let talks: FuturesUnordered<_> = calls.iter_mut().enumerate().map(talk).collect();
    let latencies = talks.try_concat().await?;
    Ok(Run::new(started.elapsed(), latencies))
}

/// Returns the path of the next document that this one names.
fn next_path(document: &str) -> Option<String> {
    let start = document.find(&format!("{PATH}/v/"))?;
    let path = document[start..].split(['#', '"', '<', '?']).next()?;
    Some(path.to_owned())
}
