//! A reverse proxy in front of the gateway, or between it and Twilio, which can corrupt the traffic.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Change = dyn Fn(String) -> String + Send + Sync;

/// The proxy's behavior.
pub struct Habits {
    /// The target of requests; `None` answers every request with `answer`.
    pub target: Option<String>,
    /// Changes the head of a request.
    pub request: Box<Change>,
    /// Changes the head of an answer.
    pub answer: Box<Change>,
}

impl Default for Habits {
    fn default() -> Self {
        Self { target: None, request: Box::new(|head| head), answer: Box::new(|head| head) }
    }
}

/// A running proxy, which stops with the test's runtime.
pub struct Proxy {
    pub address: String,
    habits: Arc<Mutex<Arc<Habits>>>,
}

impl Proxy {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let habits = Arc::new(Mutex::new(Arc::new(Habits::default())));
        let shared = habits.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let habits = shared.lock().unwrap().clone();
                tokio::spawn(pass(stream, habits));
            }
        });
        Self { address, habits }
    }

    pub fn does(&self, habits: Habits) {
        *self.habits.lock().unwrap() = Arc::new(habits);
    }

    /// Forwards everything to `target` unchanged.
    pub fn leads_to(&self, target: &str) {
        self.does(Habits { target: Some(target.to_owned()), ..Habits::default() });
    }
}

/// Handles one request and its answer, then closes both connections.
async fn pass(mut client: TcpStream, habits: Arc<Habits>) -> Option<()> {
    let (head, body) = read(&mut client).await?;
    let head = (habits.request)(head.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
    let answer = match &habits.target {
        None => "HTTP/1.1 200 OK\r\nserver: somebody\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
        Some(target) => {
            let mut server = TcpStream::connect(target).await.ok()?;
            server.write_all(&[head.as_bytes(), &body].concat()).await.ok()?;
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).await.ok()?;
            String::from_utf8(answer).ok()?
        }
    };
    let (head, body) = answer.split_once("\r\n\r\n")?;
    client.write_all(format!("{}\r\n\r\n{body}", (habits.answer)(head.to_owned())).as_bytes()).await.ok()
}

async fn read(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut received = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let length = client.read(&mut chunk).await.ok().filter(|length| *length > 0)?;
        received.extend_from_slice(&chunk[..length]);
        let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(received[..end + 4].to_vec()).ok()?;
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let wanted: usize = lengths.next().map_or(0, |(_, value)| value.trim().parse().unwrap());
        if received.len() >= end + 4 + wanted {
            return Some((head, received[end + 4..].to_vec()));
        }
    }
}
