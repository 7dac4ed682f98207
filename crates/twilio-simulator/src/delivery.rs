//! Webhook delivery: posts a webhook, checks the answer and records an alert for a bad one.

use crate::alert::AlertRecord;
use crate::exchange::Exchange;
use crate::twiml::Complaint;
use crate::webhook::Posted;
use crate::webhook::request::{HttpAnswer, Webhook};

/// The result of a webhook about a text or a call.
#[derive(Clone, Default, serde::Serialize)]
pub struct Delivery {
    /// SID of the message or call.
    pub sid: String,
    /// The number of attempts; 0 if no URL is set.
    pub attempts: u32,
    /// HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// Body of the answer.
    pub body: String,
    /// Twilio's error code if the answer was bad or missing.
    pub alert: Option<u32>,
    /// SIDs of the messages that the answer created.
    pub replies: Vec<String>,
}

impl Exchange {
    /// Posts a webhook and parses its answer; `None` if the answer was bad or missing.
    pub(crate) async fn ask<T>(
        &self,
        webhook: &Webhook,
        read: impl Fn(&HttpAnswer) -> Result<T, Complaint>,
    ) -> (Delivery, Option<T>) {
        let Posted { attempts, outcome } = self.post(webhook).await;
        let mut delivery = Delivery { sid: webhook.subject.clone(), attempts, ..Delivery::default() };
        let result = match outcome {
            Ok(answer) => {
                let result = read(&answer);
                delivery.status = Some(answer.status);
                delivery.body = answer.body;
                result
            }
            Err(failure) => Err(Complaint { code: failure.code(), text: format!("failed to {failure}") }),
        };
        if let Err(complaint) = &result {
            self.complain_about(webhook, complaint.code, &complaint.text, &delivery.body);
            delivery.alert = Some(complaint.code);
        }
        (delivery, result.ok())
    }

    /// Posts a status callback and records an alert for a bad answer.
    pub(crate) async fn post_status(&self, callback: &Webhook) {
        match self.post(callback).await.outcome {
            Ok(answer) if answer.is_success() => {}
            Ok(answer) => {
                let text = format!("answered with HTTP status {}", answer.status);
                self.complain_about(callback, 15003, &text, &answer.body);
            }
            Err(failure) => self.complain_about(callback, failure.code(), &format!("failed to {failure}"), ""),
        }
    }

    /// Records an alert about a bad or missing answer.
    pub(crate) fn complain_about(&self, webhook: &Webhook, code: u32, text: &str, answer: &str) {
        let variables = form_urlencoded::Serializer::new(String::new()).extend_pairs(&webhook.parameters).finish();
        self.alert(AlertRecord {
            request_method: webhook.endpoint.method.to_string(),
            request_variables: variables,
            response_body: answer.to_owned(),
            resource_sid: webhook.subject.clone(),
            ..AlertRecord::new(code, text, webhook.endpoint.url_without_fragment())
        });
    }
}
