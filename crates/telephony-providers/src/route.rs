//! Routes: the URLs where a provider delivers incoming messages and calls.

use std::fmt;

use async_trait::async_trait;
use telephony_domain::line::Sender;

use crate::provider::ProviderError;

/// The routes of an account.
#[async_trait]
pub trait Routes: Send + Sync {
    /// Returns the current routes of `sender`, and with `callbacks` also the wanted settings. Leaves out addresses that
    /// the account does not have.
    async fn routes(&self, sender: &Sender, callbacks: Option<&CallbackUrls>) -> Result<Vec<Route>, ProviderError>;

    /// Returns the current route with this id; none if the account does not have it.
    async fn route(&self, id: &str) -> Result<Option<Route>, ProviderError>;

    /// Changes settings of the route with this id, all or none. Safe to repeat if the outcome is unknown.
    async fn set_route(&self, id: &str, settings: &[(String, String)]) -> Result<(), ProviderError>;
}

/// Our URLs for the provider, with their query and without a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackUrls {
    /// URL for messages and calls.
    pub webhook: String,
    /// URL for reports on calls; messages bring a URL of their own.
    pub status: String,
}

/// One of our addresses at the provider, with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Id at the provider.
    pub id: String,
    /// Number or messaging service.
    pub address: String,
    /// Settings, in the order of the provider's console.
    pub settings: Vec<Setting>,
    /// Overrides that make settings ineffective.
    pub diversions: Vec<Diversion>,
}

/// A setting of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Name at the provider.
    pub name: &'static str,
    /// Traffic that it applies to.
    pub traffic: Traffic,
    /// Meaning of its value.
    pub role: SettingRole,
    /// Current value; empty if not set.
    pub value: String,
    /// Wanted value; none if it is not ours to decide.
    pub wanted: Option<String>,
    /// True if the provider itself gives this value to new numbers, so that no one misses it.
    pub is_preset: bool,
}

/// The meaning of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingRole {
    /// The URL that the provider requests for the traffic.
    Url,
    /// The URL for reports on the traffic.
    StatusUrl,
    /// The HTTP method of a URL.
    Method,
    /// `true` if a messaging service uses the URLs of its numbers instead of its own.
    Deferral,
}

/// The traffic of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// Incoming messages of the address.
    Messages,
    /// Incoming calls, and reports on them.
    Calls,
    /// Traffic that the main URL did not accept.
    Fallback,
}

/// A setting at the provider that overrides a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diversion {
    /// An application at the provider, which has URLs of its own.
    Application {
        /// The traffic that the application gets.
        traffic: Traffic,
        /// Id at the provider.
        id: String,
    },
    /// A trunk, which gets the calls.
    Trunk {
        /// Id at the provider.
        id: String,
    },
    /// A messaging service, which gets the messages of a number.
    Service {
        /// Id at the provider.
        id: String,
        /// True if it is the one that we send with.
        is_ours: bool,
    },
    /// A messaging service without a URL that does not use those of its numbers either.
    Nowhere,
}

impl Route {
    /// Returns the setting with this name.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// Returns the setting with the URL for this traffic.
    pub fn url(&self, traffic: Traffic) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.traffic == traffic && setting.role == SettingRole::Url)
    }

    /// Returns true if it can use the URLs of other routes instead of its own.
    pub fn can_defer(&self) -> bool {
        self.settings.iter().any(|setting| setting.role == SettingRole::Deferral)
    }
}

impl Setting {
    /// Returns true if it differs from the wanted value. Extra or missing slashes at the end of a path do not count.
    pub fn is_wrong(&self) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| !is_same_url(wanted, &self.value))
    }
}

impl Diversion {
    /// Returns true if it keeps traffic from us: not for our own service, which has a route of its own.
    pub fn is_trouble(&self) -> bool {
        !matches!(self, Diversion::Service { is_ours: true, .. } | Diversion::Nowhere)
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
            Traffic::Fallback => "undelivered traffic",
        })
    }
}

impl fmt::Display for Diversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Diversion::Application { traffic, id } => write!(f, "{traffic} go to the application {id} instead"),
            Diversion::Trunk { id } => write!(f, "calls go to the trunk {id} instead"),
            Diversion::Service { id, .. } => write!(f, "messages go to the URL of the messaging service {id} instead"),
            Diversion::Nowhere => {
                f.write_str("messages are dropped: the service has no URL and does not use its numbers'")
            }
        }
    }
}
