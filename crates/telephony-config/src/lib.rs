//! OpenClaw's configuration file, read and validated.
//!
//! [`load`] finds the files, substitutes variables and secrets, and returns a [`TelephonyConfig`] or every problem at
//! once. Nothing here reads the process's own environment, which is passed in as an [`Environment`].

mod document;
mod dotenv;
mod entry;
mod environment;
mod excerpt;
mod form;
mod keys;
mod load;
mod location;
mod openclaw;
mod outline;
mod place;
mod presets;
mod problem;
mod public_url;
mod required;
mod rewrite;
mod schema;
mod secret;
mod secret_keys;
mod sections;
mod sources;
pub mod spelling;
mod substitute;
mod unbuilt;
mod web_address;

pub use entry::{ShownKey, ValueOrigin};
pub use environment::Environment;
pub use form::secrets::bare_secret;
pub use load::{Loaded, load, load_agent, load_as_if, load_with_files};
pub use location::{ChosenBy, Location, locate};
pub use outline::outline;
pub use place::Place;
pub use presets::{PRESETS, Preset};
pub use problem::{Problem, Problems};
pub use public_url::PublicUrl;
pub use rewrite::{KeyChange, RewriteError, rewrite, rewrite_dotenv};
pub use schema::{reference_markdown, schema};
pub use secret_keys::{is_secret, without_secrets};
pub use sections::agent::{
    AgentConfig, AgentKind, CommandAgentConfig, CommandLine, OpenAiAgentConfig, OpenClawAgentConfig,
};
pub use sections::limits::LimitsConfig;
pub use sections::operator::OperatorConfig;
pub use sections::serve::ServeConfig;
pub use sections::sms::Sms;
pub use sections::store::StoreConfig;
pub use sections::tunnel::{TunnelConfig, TunnelProvider};
pub use sections::twilio::{ApiBaseUrl, ApiKeyConfig, TwilioConfig};
pub use sections::voice::{VoiceConfig, VoiceMode};
pub use sections::webhook_security::WebhookSecurity;
pub use sections::{ProviderName, TelephonyConfig};
