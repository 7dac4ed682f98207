//! OpenClaw's configuration file, read and validated.
//!
//! [`load`] finds the files, substitutes variables and secrets, and returns a [`Telephony`] or every problem at once.
//! Nothing here reads the process's own environment, which is passed in as an [`Environment`].

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

pub use entry::{Origin, Shown};
pub use environment::Environment;
pub use form::secrets::bare_secret;
pub use load::{Loaded, load, load_agent, load_as_if, load_with_files};
pub use location::{ChosenBy, Location, locate};
pub use outline::outline;
pub use place::Place;
pub use presets::{PRESETS, Preset};
pub use problem::{Problem, Problems};
pub use public_url::PublicUrl;
pub use rewrite::{Change, RewriteError, rewrite, rewrite_dotenv};
pub use schema::{reference_markdown, schema};
pub use secret_keys::{is_secret, without_secrets};
pub use sections::agent::{Agent, AgentKind, CommandAgent, CommandLine, OpenAiAgent, OpenClawAgent};
pub use sections::limits::Limits;
pub use sections::operator::Operator;
pub use sections::serve::Serve;
pub use sections::sms::Sms;
pub use sections::store::Store;
pub use sections::tunnel::{Tunnel, TunnelProvider};
pub use sections::twilio::{ApiBaseUrl, ApiKey, Twilio};
pub use sections::voice::{Voice, VoiceMode};
pub use sections::webhook_security::WebhookSecurity;
pub use sections::{ProviderName, Telephony};
