//! A stand-in for Twilio's API on loopback that returns prepared answers and records the requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use telephony_providers::twilio::Twilio;
use telephony_providers::twilio::account::TwilioAccount;
use telephony_providers::twilio::rest::Rest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The account in all tests.
pub const ACCOUNT: &str = "AC00000000000000000000000000000001";

/// The stand-in's reaction to one request.
pub enum Reaction {
    /// Answers with this status, further header lines and body.
    Answer(u16, &'static str, String),
    /// Closes the connection without an answer.
    Hangs,
    /// Keeps the connection open without an answer.
    Sleeps,
    /// Starts an answer, then keeps the connection open.
    Stalls,
    /// Answers with an endless body.
    NeverEnds,
}

/// A received request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Request line and headers.
    pub head: String,
    /// The body.
    pub body: String,
}

/// The stand-in. It accepts only as many requests as it has reactions.
pub struct Api {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Api {
    /// Starts a stand-in that reacts in this order, once per connection.
    pub async fn start(reactions: impl IntoIterator<Item = Reaction>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut reactions: VecDeque<_> = reactions.into_iter().collect();
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut asleep = Vec::new();
            while let Some(reaction) = reactions.pop_front() {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                seen.lock().unwrap().push(request);
                match reaction {
                    Reaction::Answer(status, headers, body) => answer(&mut stream, status, headers, &body).await,
                    Reaction::Hangs => {}
                    Reaction::Sleeps => asleep.push(stream),
                    Reaction::Stalls => {
                        stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
                        asleep.push(stream);
                    }
                    Reaction::NeverEnds => {
                        stream.write_all(b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\n").await.unwrap();
                        while stream.write_all(&[0xff; 64 * 1024]).await.is_ok() {}
                    }
                }
            }
            std::future::pending::<()>().await;
        });
        Self { url, asked }
    }

    /// Returns a Twilio client that uses the stand-in.
    pub fn twilio(&self) -> Twilio {
        twilio_at(&self.url)
    }

    /// Returns a client with a timeout of one second.
    pub fn impatient_twilio(&self) -> Twilio {
        Twilio::with_rest(Rest::new(account_at(&self.url)).answer_within(Duration::from_secs(1)))
    }

    /// Returns the base URL.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Returns the requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Returns an account whose API is at `url`.
pub fn account_at(url: &str) -> TwilioAccount {
    TwilioAccount {
        sid: ACCOUNT.to_owned(),
        auth_tokens: vec![SecretString::from("token")],
        shared_keys: Default::default(),
        api_key: None,
        api_url: url.to_owned(),
        product_urls: Default::default(),
        connection_overrides: "rc=3".to_owned(),
        skips_signatures: false,
    }
}

/// Returns a Twilio client whose API is at `url`.
pub fn twilio_at(url: &str) -> Twilio {
    Twilio::new(account_at(url))
}

async fn read(stream: &mut TcpStream) -> Asked {
    let mut received = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk).await.unwrap();
        assert_ne!(length, 0, "the client left in the middle of its request");
        received.extend_from_slice(&chunk[..length]);
        let text = String::from_utf8_lossy(&received).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if body.len() >= content_length(head) {
            return Asked { head: head.to_owned(), body: body.to_owned() };
        }
    }
}

fn content_length(head: &str) -> usize {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next().map_or(0, |(_, value)| value.parse().unwrap())
}

async fn answer(stream: &mut TcpStream, status: u16, headers: &str, body: &str) {
    let length = body.len();
    let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}");
    stream.write_all(text.as_bytes()).await.unwrap();
}
