//! `openclaw telephony webhook verify`: explains why a signature is valid or not. Needs no configuration.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use secrecy::SecretString;
use serde::Serialize;
use telephony_providers::twilio::signature::{Explanation, Payload, SignedRequest, explain};

use crate::failure::{Failure, Outcome};
use crate::terminal;

const EXAMPLES: &str = "\
Example:
  openclaw telephony webhook verify --url https://your-domain.com/telephony/webhook \\
    --signature 'RSOYDt4T1cUTdK1PDd93/VVr8B8=' --body request.txt";

/// Explain whether a request has a valid Twilio signature
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLES).into_owned())]
pub struct VerifyArgs {
    /// URL exactly as configured at Twilio, with its query
    #[arg(long, allow_hyphen_values = true)]
    url: OsString,
    /// Value of the X-Twilio-Signature header
    #[arg(long, allow_hyphen_values = true)]
    signature: OsString,
    /// Auth token of the account (default: TWILIO_AUTH_TOKEN)
    #[arg(long, allow_hyphen_values = true)]
    auth_token: Option<String>,
    /// HTTP method of the request
    #[arg(long, default_value = "POST")]
    method: String,
    /// Content-Type of the request (default: a form for POST)
    #[arg(long)]
    content_type: Option<String>,
    /// Value of the X-Twilio-Webhooks-Signature-Settings header
    #[arg(long)]
    settings: Option<String>,
    /// Shared key, for a signature made with one
    #[arg(long, value_name = "ID=SECRET", value_parser = shared_key)]
    shared_key: Vec<(String, String)>,
    /// File with the exact bytes of the request's body, or `-` to read it from stdin
    #[arg(long, value_name = "FILE")]
    body: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Content-Type of Twilio's POST requests.
const FORM: &str = "application/x-www-form-urlencoded";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignatureVerdict<'a> {
    valid: bool,
    refusal: Option<&'a str>,
    signed_text: &'a str,
    tried: Vec<Tried<'a>>,
    would_have_matched: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Tried<'a> {
    url: &'a str,
    secret: &'a str,
    matched: bool,
}

impl VerifyArgs {
    pub fn run(self) -> Outcome {
        let body = self.body.as_deref().map_or(Ok(Vec::new()), read_body)?;
        let is_post = self.method.eq_ignore_ascii_case("POST");
        let content_type = self.content_type.as_deref().or(is_post.then_some(FORM));
        let explanation = explain(
            &[self.token()?],
            &self.shared_key.iter().map(|(id, key)| (id.clone(), SecretString::from(key.clone()))).collect(),
            &SignedRequest {
                // A URL that is not UTF-8 matches none of ours, and no URL contains the replacement character.
                urls: &[self.url.to_string_lossy().into_owned()],
                signature: self.signature.as_bytes(),
                settings: self.settings.as_deref(),
                payload: &Payload::read(content_type, &body),
            },
        );
        self.print(&explanation)?;
        Ok(if explanation.refusal.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn token(&self) -> Result<SecretString, Failure> {
        let token = self.auth_token.clone().or_else(|| std::env::var("TWILIO_AUTH_TOKEN").ok());
        token.or_else(|| (!self.shared_key.is_empty()).then(String::new)).map(SecretString::from).ok_or_else(|| {
            Failure::usage("no auth token to check the signature with")
                .hint("pass --auth-token or set TWILIO_AUTH_TOKEN")
        })
    }

    fn print(&self, explanation: &Explanation) -> Result<(), Failure> {
        if !self.json {
            explanation.lines().iter().for_each(terminal::print);
            return Ok(());
        }
        terminal::print_json(&SignatureVerdict {
            valid: explanation.refusal.is_none(),
            refusal: explanation.refusal.as_deref(),
            signed_text: &explanation.signed_text,
            tried: explanation.tried.iter().map(tried).collect(),
            would_have_matched: explanation.near_miss.as_ref().map(|near| near.lines()),
        })
    }
}

fn tried(tried: &telephony_providers::twilio::signature::TriedUrl) -> Tried<'_> {
    Tried { url: &tried.url, secret: &tried.secret, matched: tried.matched }
}

fn read_body(path: &str) -> Result<Vec<u8>, Failure> {
    if path == "-" {
        return terminal::bytes_from_stdin();
    }
    std::fs::read(Path::new(path)).map_err(|error| {
        Failure::usage(format!("cannot read the body from {path}: {error}"))
            .hint("--body accepts a file with the request's body, or `-` for stdin")
    })
}

fn shared_key(argument: &str) -> Result<(String, String), String> {
    argument
        .split_once('=')
        .map(|(id, key)| (id.to_owned(), key.to_owned()))
        .ok_or_else(|| "expected ID=SECRET".to_owned())
}
