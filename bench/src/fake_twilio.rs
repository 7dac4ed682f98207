//! A minimal Twilio REST API that accepts messages at almost no cost.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::spawn_local;

use crate::load::content_length;
use crate::webhook::sid;

/// The longest pause between two messages before the benchmark fails.
const SILENCE: Duration = Duration::from_secs(20);

/// Accepts and counts messages. Start it in a `LocalSet`.
#[derive(Debug, Clone)]
pub struct FakeTwilio {
    port: u16,
    taken: Rc<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    count: Cell<u64>,
    more: Notify,
}

impl FakeTwilio {
    /// Starts on a free port.
    pub async fn start() -> Result<FakeTwilio> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let twilio = FakeTwilio { port: listener.local_addr()?.port(), taken: Rc::default() };
        let taken = twilio.taken.clone();
        spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // The gateway closes connections when it is killed.
                spawn_local(serve(stream, taken.clone()));
            }
        });
        Ok(twilio)
    }

    /// Returns its base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the number of messages so far.
    pub fn taken(&self) -> u64 {
        self.taken.count.get()
    }

    /// Waits until this many messages have arrived in total.
    pub async fn has_taken(&self, count: u64) -> Result<()> {
        while self.taken() < count {
            if tokio::time::timeout(SILENCE, self.taken.more.notified()).await.is_err() {
                bail!("{} messages were handed over, {count} should have been", self.taken());
            }
        }
        Ok(())
    }
}

async fn serve(mut stream: TcpStream, taken: Rc<Taken>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut received = Vec::with_capacity(4096);
    while read_request(&mut stream, &mut received).await? {
        if received.starts_with(b"POST ") {
            let number = taken.count.get() + 1;
            // Incoming messages have smaller numbers.
            let sid = sid("SM", u64::MAX / 2 + number);
            let message = format!(r#"{{"sid":"{sid}","status":"queued","direction":"outbound-api"}}"#);
            answer(&mut stream, "201 CREATED", &message).await?;
            taken.count.set(number);
            taken.more.notify_one();
        } else {
            // The gateway looks for missed messages; there are none.
            answer(&mut stream, "200 OK", r#"{"messages":[],"next_page_uri":null}"#).await?;
        }
    }
    Ok(())
}

async fn answer(stream: &mut TcpStream, status: &str, body: &str) -> Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    Ok(stream.write_all((head + body).as_bytes()).await?)
}

/// Reads the next request into the buffer; returns false if there is none.
async fn read_request(stream: &mut TcpStream, received: &mut Vec<u8>) -> Result<bool> {
    received.clear();
    while stream.read_buf(received).await? > 0 {
        let Some(head) = received.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        if received.len() >= head + 4 + content_length(&received[..head]).unwrap_or(0) {
            return Ok(true);
        }
    }
    Ok(false)
}
