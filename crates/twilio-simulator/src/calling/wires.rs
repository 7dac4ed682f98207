//! The channels of an active call, and the input and documents that reach it through them.

use tokio::sync::mpsc::UnboundedSender;

use crate::webhook::request::{Webhook, WebhookTarget};
use crate::xml::Element;

/// The channels of an active call: input from its phone and the API, and outgoing status callbacks.
pub(crate) struct Wires {
    pub(crate) inputs: UnboundedSender<PhoneInput>,
    pub(super) callbacks: UnboundedSender<Webhook>,
}

/// Input to an active call.
pub(crate) enum PhoneInput {
    Answer,
    /// The phone's owner speaks; recognition has this confidence.
    Speech {
        text: String,
        confidence: f32,
    },
    /// The phone's owner presses keys.
    Keys(String),
    /// The phone hangs up.
    HangUp,
    /// The API replaces the current document.
    Replace(DocumentSource),
    /// The API sets a time limit in seconds.
    Limit(u32),
    /// The call is already over.
    Over,
}

/// The source of a call's next document.
pub(crate) enum DocumentSource {
    /// A URL, with request parameters in addition to the call's own.
    Url(WebhookTarget, Vec<(String, String)>),
    /// TwiML from the API request.
    Twiml(String),
    /// A document that was already fetched.
    Read(Box<RunningDocument>),
}

/// The document that a call is executing.
pub(crate) struct RunningDocument {
    pub(super) root: Element,
    /// The request that returned this document, and the response's body.
    pub(super) origin: Option<(Webhook, String)>,
}
