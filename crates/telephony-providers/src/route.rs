//! Where a phone company delivers what comes to our numbers, and how that is changed.

use std::fmt;

use async_trait::async_trait;
use telephony_domain::line::Sender;

use crate::provider::ProviderError;

/// The routes of an account.
#[async_trait]
pub trait Routes: Send + Sync {
    /// The routes of `sender` as they are now, and with `told` also as they should be. An address that the account does
    /// not have is not among them.
    async fn routes(&self, sender: &Sender, told: Option<&CallbackUrls>) -> Result<Vec<Route>, ProviderError>;

    /// The route with this id as it is now; none where the account does not have it.
    async fn route(&self, id: &str) -> Result<Option<Route>, ProviderError>;

    /// Changes settings of the route with this id, all or none of them. To be repeated where the outcome is unknown.
    async fn set_route(&self, id: &str, settings: &[(String, String)]) -> Result<(), ProviderError>;
}

/// What the provider is to be told of us: URLs with their query and without a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackUrls {
    /// Where messages and calls go.
    pub webhook: String,
    /// Where reports on calls go; messages bring an address of their own.
    pub status: String,
}

/// One of our addresses at the provider, and where what comes to it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The provider's id of it.
    pub id: String,
    /// The number, or the messaging service.
    pub address: String,
    /// Its settings, in the order in which the provider's console has them.
    pub settings: Vec<Setting>,
    /// What keeps settings from having any effect.
    pub diversions: Vec<Diversion>,
}

/// One setting of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name at the provider.
    pub name: &'static str,
    /// What it is for.
    pub traffic: Traffic,
    /// Its value now; empty where it is not set.
    pub value: String,
    /// Its value as it should be; none where that is not for us to say.
    pub wanted: Option<String>,
}

/// What goes where a setting says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// Messages that come in.
    Messages,
    /// Calls that come in, and reports on them.
    Calls,
    /// What nobody took where it should have gone.
    Fallback,
}

/// Something at the provider that has the traffic in place of a route's own settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diversion {
    /// An application.
    Application {
        /// What it has.
        traffic: Traffic,
        /// The provider's id of it.
        id: String,
    },
    /// A trunk, which has the calls.
    Trunk {
        /// The provider's id of it.
        id: String,
    },
    /// A messaging service, which has the messages of a number.
    Service {
        /// The provider's id of it.
        id: String,
        /// Whether it is the one that we send with.
        is_ours: bool,
    },
    /// Nobody: a messaging service without an address of its own that does not leave messages to its numbers either.
    Nowhere,
}

impl Route {
    /// The setting with this name.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }
}

impl Setting {
    /// Returns true if it is not as it should be. A slash more or less at the end of a path is as good.
    pub fn is_wrong(&self) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| !is_same_url(wanted, &self.value))
    }
}

/// Returns true if two URLs, with their queries and fragments, differ at most in slashes at the end of their paths.
pub fn is_same_url(one: &str, other: &str) -> bool {
    fn cut(url: &str) -> (&str, &str) {
        let (path, rest) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
        (path.trim_end_matches('/'), rest)
    }
    cut(one) == cut(other)
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Traffic::Messages => "messages",
            Traffic::Calls => "calls",
            Traffic::Fallback => "what nobody took",
        })
    }
}

impl fmt::Display for Diversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Diversion::Application { traffic, id } => write!(f, "{traffic} go to the application {id} instead"),
            Diversion::Trunk { id } => write!(f, "calls go to the trunk {id} instead"),
            Diversion::Service { id, .. } => write!(f, "messages go where the messaging service {id} says instead"),
            Diversion::Nowhere => {
                f.write_str("messages are dropped: the service has no URL and does not use its numbers'")
            }
        }
    }
}
