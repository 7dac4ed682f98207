//! The tunnel to the gateway opens late, breaks, and comes back with another address.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use telephony_gateway::control::status::{self, GatewayStatus};
use telephony_gateway::tunnel::Tunneling;
use telephony_tunnels::{Cause, Inside, OpenTunnel, Tunnel, TunnelError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use twilio_simulator::MessageRecord;

use super::stage::{ALICE, Plan, SOON, Stage};

/// A tunnel within this machine: each time it opens, another port leads to the gateway.
#[derive(Clone, Default)]
struct Local {
    breaks: Arc<Notify>,
    refuses: Arc<Mutex<Option<Cause>>>,
    closed: Arc<Mutex<u32>>,
    last: Arc<Mutex<Option<SocketAddr>>>,
    is_private: bool,
}

struct OpenLocal {
    url: String,
    listener: TcpListener,
    inside: Inside,
    tunnel: Local,
}

impl Local {
    /// Chooses a different port than last time, because the system may assign the same one again.
    async fn listen_elsewhere(&self) -> TcpListener {
        loop {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            if self.last.lock().unwrap().replace(address) != Some(address) {
                return listener;
            }
        }
    }
}

#[async_trait]
impl Tunnel for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn is_public(&self) -> bool {
        !self.is_private
    }

    async fn open(&self, inside: &Inside) -> Result<Box<dyn OpenTunnel>, TunnelError> {
        if let Some(cause) = *self.refuses.lock().unwrap() {
            return Err(TunnelError::new(cause, "told to"));
        }
        let listener = self.listen_elsewhere().await;
        let url = format!("http://{}", listener.local_addr().unwrap());
        Ok(Box::new(OpenLocal { url, listener, inside: inside.clone(), tunnel: self.clone() }))
    }
}

#[async_trait]
impl OpenTunnel for OpenLocal {
    fn url(&self) -> &str {
        &self.url
    }

    async fn broken(&mut self) -> TunnelError {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    let (mut outside, _) = accepted.unwrap();
                    let address = self.inside.address();
                    tokio::spawn(async move {
                        let mut inside = TcpStream::connect(address).await.unwrap();
                        tokio::io::copy_bidirectional(&mut outside, &mut inside).await.ok();
                    });
                }
                () = self.tunnel.breaks.notified() => return TunnelError::new(Cause::Broken, "told to"),
            }
        }
    }

    async fn close(self: Box<Self>) {
        *self.tunnel.closed.lock().unwrap() += 1;
    }
}

fn plan(tunnel: &Local, syncs_webhooks: bool) -> Plan {
    let tunneling = Tunneling { tunnel: Arc::new(tunnel.clone()), syncs_webhooks, takes_calls: false };
    Plan { tunnel: Some(tunneling), has_public_url: false, ..Plan::default() }
}

async fn alive(stage: &Stage, is_wanted: impl Fn(&GatewayStatus) -> bool) -> GatewayStatus {
    let mut last = None;
    let asked = async {
        loop {
            last = status::notify(stage.state.path()).await;
            match last.clone().filter(&is_wanted) {
                Some(alive) => return alive,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let asked = tokio::time::timeout(SOON, asked).await;
    asked.unwrap_or_else(|_| panic!("the gateway never says so; it said {last:?}"))
}

/// Returns the tunnel's URL once it differs from `before`.
async fn url(stage: &Stage, before: Option<&str>) -> String {
    let is_new = |alive: &GatewayStatus| {
        alive.tunnel.as_ref().and_then(|tunnel| tunnel.url.as_deref()).is_some_and(|url| Some(url) != before)
    };
    alive(stage, is_new).await.tunnel.unwrap().url.unwrap()
}

async fn expect_registered(stage: &Stage, url: &str) {
    let wanted = format!("{url}/telephony/webhook");
    let registered = async {
        while stage.sms_url().await.split('#').next() != Some(wanted.as_str()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, registered).await.expect("the URL was never registered at Twilio");
}

async fn expect_notice(stage: &Stage, name: &str, is_given: bool) -> String {
    let looked = async {
        loop {
            let notices = stage.store().notices(stage.now()).await.unwrap();
            let found =
                notices.into_iter().find(|notice| notice.name.starts_with(name)).map(|notice| notice.text("Twilio"));
            if found.is_some() == is_given {
                return found.unwrap_or_default();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, looked).await.expect("the notice does not change")
}

/// Returns the callback URLs of the messages to Alice, oldest first.
fn callbacks(stage: &Stage) -> Vec<Option<String>> {
    let messages: Vec<MessageRecord> = stage.twilio.messages();
    messages.into_iter().filter(|message| message.to == ALICE).map(|message| message.status_callback).collect()
}

#[tokio::test]
async fn texts_and_reports_follow_the_tunnel_to_its_new_address() {
    let tunnel = Local::default();
    let mut stage = plan(&tunnel, true).start().await;
    let first = url(&stage, None).await;
    expect_registered(&stage, &first).await;
    stage.text(ALICE, "one").await;
    stage.expect(ALICE, &["one"]).await;
    tunnel.breaks.notify_one();
    let second = url(&stage, Some(&first)).await;
    expect_registered(&stage, &second).await;
    stage.text(ALICE, "two").await;
    stage.expect(ALICE, &["one", "two"]).await;
    stage.expect_rest().await;
    for (callback, url) in callbacks(&stage).into_iter().zip([&first, &second]) {
        let callback = callback.unwrap();
        assert!(callback.starts_with(&format!("{url}/telephony/status?")), "{callback} {url}");
    }
    let alive = alive(&stage, |_| true).await;
    assert_eq!(alive.webhook_url, Some(format!("{second}/telephony/webhook")));
    stage.stop_gateway().await;
    assert_eq!(*tunnel.closed.lock().unwrap(), 2);
}

#[tokio::test]
async fn the_operator_gets_the_new_url_if_twilio_is_not_updated() {
    let tunnel = Local::default();
    let mut stage = plan(&tunnel, false).start().await;
    let first = url(&stage, None).await;
    let sms = expect_notice(&stage, "tunnel-url", true).await;
    assert!(sms.contains(&format!("{first}/telephony/webhook")) && sms.contains("webhook sync"), "{sms}");
    assert!(!stage.sms_url().await.starts_with(&first));
    stage.stop_gateway().await;
}

#[tokio::test]
async fn the_gateway_answers_while_the_tunnel_does_not_open_and_says_why() {
    let tunnel = Local::default();
    *tunnel.refuses.lock().unwrap() = Some(Cause::NoToken);
    let mut stage = plan(&tunnel, true).start().await;
    let sms = expect_notice(&stage, "tunnel", true).await;
    assert!(sms.contains("ngrok has no token") && sms.contains("NGROK_AUTHTOKEN"), "{sms}");
    let trouble = alive(&stage, |alive| alive.tunnel.as_ref().is_some_and(|tunnel| tunnel.trouble.is_some())).await;
    assert_eq!(trouble.tunnel.unwrap().url, None);
    stage.twilio.set_sms_url(stage.bot(), &stage.webhook_url()).unwrap();
    stage.text(ALICE, "meanwhile").await;
    stage.expect(ALICE, &["meanwhile"]).await;
    assert_eq!(callbacks(&stage), [None]);
    *tunnel.refuses.lock().unwrap() = None;
    expect_registered(&stage, &url(&stage, None).await).await;
    expect_notice(&stage, "tunnel", false).await;
    stage.stop_gateway().await;
}

#[tokio::test]
async fn a_private_tunnel_is_not_registered_at_twilio() {
    let tunnel = Local { is_private: true, ..Local::default() };
    let mut stage = plan(&tunnel, true).start().await;
    let url = url(&stage, None).await;
    stage.twilio.set_sms_url(stage.bot(), &format!("{url}/telephony/webhook")).unwrap();
    stage.text(ALICE, "by another way").await;
    stage.expect(ALICE, &["by another way"]).await;
    assert_eq!((callbacks(&stage), alive(&stage, |_| true).await.webhook_url), (vec![None], None));
    stage.stop_gateway().await;
}

#[tokio::test]
async fn a_tunnel_beside_a_public_url_is_a_second_route() {
    let tunnel = Local::default();
    let mut stage = Plan { has_public_url: true, ..plan(&tunnel, true) }.start().await;
    let (through, public) = (url(&stage, None).await, stage.webhook_url());
    for (url, body) in [(format!("{through}/telephony/webhook"), "through"), (public.clone(), "straight")] {
        stage.twilio.set_sms_url(stage.bot(), &url).unwrap();
        stage.text(ALICE, body).await;
    }
    stage.expect(ALICE, &["through", "straight"]).await;
    assert_eq!(alive(&stage, |_| true).await.webhook_url, Some(public));
    stage.stop_gateway().await;
}
