//! ngrok's side of a session: TLS, muxado, login, bind, a public request, and the end of the session.
//!
//! It is written from what the crate sends and expects, on top of muxado's server side.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use muxado::heartbeat::{Heartbeat, HeartbeatConfig};
use muxado::typed::{StreamType, Typed, TypedAccept, TypedOpenClose, TypedSession, TypedStream};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

const AUTH: StreamType = StreamType::clamp(0);
const BIND: StreamType = StreamType::clamp(1);
const UNBIND: StreamType = StreamType::clamp(2);
const PROXY: StreamType = StreamType::clamp(3);
const STOP_TUNNEL: StreamType = StreamType::clamp(9);

pub struct Ngrok {
    pub address: SocketAddr,
    folder: tempfile::TempDir,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    asked: Vec<(&'static str, Value)>,
    answers: VecDeque<Value>,
    session: Option<mpsc::Sender<Command>>,
}

/// A command for the running session.
enum Command {
    Request(String, mpsc::Sender<String>),
    StopTunnel(Value),
    Disconnect,
}

impl Ngrok {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(folder.path().join("ca.pem"), certified.cert.pem()).unwrap();
        let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![certified.cert.der().clone()], key.into()).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let ngrok = Self { address: listener.local_addr().unwrap(), folder, state: state.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(session(acceptor.clone(), stream, state.clone()));
            }
        });
        ngrok
    }

    /// Returns a configuration of ngrok's agent that connects here.
    pub fn agent_file(&self, token: &str) -> PathBuf {
        let file = self.folder.path().join("ngrok.yml");
        let (port, ca) = (self.address.port(), self.folder.path().join("ca.pem"));
        let token = if token.is_empty() { String::new() } else { format!("  authtoken: {token}\n") };
        let text =
            format!("version: 3\nagent:\n{token}  connect_url: localhost:{port}\n  connect_cas: {}\n", ca.display());
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Sets the answer to the next login or bind; without it, the request succeeds.
    pub fn answer_next(&self, answer: Value) {
        self.state.lock().unwrap().answers.push_back(answer);
    }

    /// Returns the requests since the last call, in command.
    pub fn asked(&self) -> Vec<(&'static str, Value)> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    /// Sends a public request through the tunnel and returns the answer.
    pub async fn request(&self, request: &str) -> String {
        let (answer, mut answered) = mpsc::channel(1);
        self.command(Command::Request(request.to_owned(), answer)).await;
        answered.recv().await.unwrap()
    }

    /// Closes the tunnel, as ngrok's dashboard can.
    pub async fn stop_tunnel(&self, message: &str, code: &str) {
        let stop = json!({ "Id": "tunnel-1", "Message": message, "ErrorCode": code });
        self.command(Command::StopTunnel(stop)).await;
    }

    /// Cuts the session.
    pub async fn disconnect(&self) {
        self.command(Command::Disconnect).await;
    }

    async fn command(&self, command: Command) {
        let session = self.state.lock().unwrap().session.clone().expect("nobody is logged in");
        assert!(session.send(command).await.is_ok(), "the session ended");
    }
}

async fn session(acceptor: TlsAcceptor, stream: TcpStream, state: Arc<Mutex<State>>) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let muxed = Typed::new(muxado::SessionBuilder::new(stream).server().start());
    let (muxed, _heartbeat) = Heartbeat::start(muxed, HeartbeatConfig::default()).await.unwrap();
    let (mut opener, mut accepter) = muxed.split_typed();
    let (orders, mut commands) = mpsc::channel(1);
    state.lock().unwrap().session = Some(orders);
    loop {
        tokio::select! {
            stream = accepter.accept_typed() => match stream {
                Ok(stream) => answer(stream, &state).await,
                Err(_) => return,
            },
            command = commands.recv() => match command {
                Some(Command::Request(request, answered)) => {
                    let mut stream = opener.open_typed(PROXY).await.unwrap();
                    let header = json!({ "Id": "tunnel-1", "ClientAddr": "192.0.2.7:4711", "Proto": "https",
                        "EdgeType": "0", "PassthroughTLS": false }).to_string();
                    stream.write_all(&i64::try_from(header.len()).unwrap().to_le_bytes()).await.unwrap();
                    stream.write_all(header.as_bytes()).await.unwrap();
                    stream.write_all(request.as_bytes()).await.unwrap();
                    let mut text = String::new();
                    stream.read_to_string(&mut text).await.unwrap();
                    answered.send(text).await.unwrap();
                }
                Some(Command::StopTunnel(stop)) => {
                    let mut stream = opener.open_typed(STOP_TUNNEL).await.unwrap();
                    stream.write_all(stop.to_string().as_bytes()).await.unwrap();
                }
                Some(Command::Disconnect) | None => return,
            },
        }
    }
}

async fn answer(mut stream: TypedStream, state: &Mutex<State>) {
    let asked = read_json(&mut stream).await;
    let (kind, usual) = match stream.typ() {
        AUTH => ("auth", json!({ "Version": "3", "ClientId": "session-1", "Extra": { "Cookie": "" } })),
        BIND => {
            let domain = asked["Opts"]["Domain"].as_str().filter(|domain| !domain.is_empty());
            let url = format!("https://{}", domain.unwrap_or("a1b2c3.ngrok-free.app"));
            let usual = json!({ "Id": "tunnel-1", "URL": url, "Proto": "https", "Opts": asked["Opts"], "Extra": { "Token": "" } });
            ("bind", usual)
        }
        UNBIND => ("unbind", json!({})),
        _ => return,
    };
    let mut answer = usual;
    {
        let mut state = state.lock().unwrap();
        let is_at = |wanted: &Value| wanted["at"] == kind;
        if state.answers.front().is_some_and(is_at) {
            let given = state.answers.pop_front().unwrap();
            for (key, value) in given["with"].as_object().unwrap() {
                answer[key] = value.clone();
            }
        }
        state.asked.push((kind, asked));
    }
    stream.write_all(answer.to_string().as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
}

async fn read_json(stream: &mut TypedStream) -> Value {
    let mut bytes = Vec::new();
    loop {
        if let Ok(value) = serde_json::from_slice(&bytes) {
            return value;
        }
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "the request was cut off");
    }
}
