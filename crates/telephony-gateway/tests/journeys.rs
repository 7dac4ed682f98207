//! End-to-end journeys with a real gateway, a real store and the Twilio simulator, named after what goes wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "journeys/stage.rs"]
mod stage;

#[path = "journeys/a_burst_of_texts.rs"]
mod a_burst_of_texts;
#[path = "journeys/a_call_ends_with_a_text.rs"]
mod a_call_ends_with_a_text;
#[path = "journeys/a_call_is_attacked.rs"]
mod a_call_is_attacked;
#[path = "journeys/a_caller_is_checked.rs"]
mod a_caller_is_checked;
#[path = "journeys/a_command_sends_beside_the_gateway.rs"]
mod a_command_sends_beside_the_gateway;
#[path = "journeys/a_contact_calls.rs"]
mod a_contact_calls;
#[path = "journeys/a_contact_says_stop.rs"]
mod a_contact_says_stop;
#[path = "journeys/a_contact_sends_a_picture.rs"]
mod a_contact_sends_a_picture;
#[path = "journeys/a_limit_is_reached.rs"]
mod a_limit_is_reached;
#[path = "journeys/a_signed_request_is_tampered_with.rs"]
mod a_signed_request_is_tampered_with;
#[path = "journeys/a_stranger_texts.rs"]
mod a_stranger_texts;
#[path = "journeys/a_task_panics.rs"]
mod a_task_panics;
#[path = "journeys/a_text_arrives_by_another_channel.rs"]
mod a_text_arrives_by_another_channel;
#[path = "journeys/a_text_to_an_unknown_number.rs"]
mod a_text_to_an_unknown_number;
#[path = "journeys/a_webhook_comes_twice.rs"]
mod a_webhook_comes_twice;
#[path = "journeys/a_webhook_is_forged.rs"]
mod a_webhook_is_forged;
#[path = "journeys/a_webhook_is_lost.rs"]
mod a_webhook_is_lost;
#[path = "journeys/an_agent_sends_a_picture.rs"]
mod an_agent_sends_a_picture;
#[path = "journeys/an_unsupported_call_arrives.rs"]
mod an_unsupported_call_arrives;
#[path = "journeys/doctor_probes_the_webhook.rs"]
mod doctor_probes_the_webhook;
#[path = "journeys/messages_grow_old.rs"]
mod messages_grow_old;
#[path = "journeys/metrics_are_scraped.rs"]
mod metrics_are_scraped;
#[path = "journeys/prices_arrive_late.rs"]
mod prices_arrive_late;
#[path = "journeys/reports_arrive_in_any_order.rs"]
mod reports_arrive_in_any_order;
#[path = "journeys/something_hangs.rs"]
mod something_hangs;
#[path = "journeys/the_account_is_rejected.rs"]
mod the_account_is_rejected;
#[path = "journeys/the_agent_fails.rs"]
mod the_agent_fails;
#[path = "journeys/the_assistant_calls.rs"]
mod the_assistant_calls;
#[path = "journeys/the_clock_is_set_back.rs"]
mod the_clock_is_set_back;
#[path = "journeys/the_gateway_crashes.rs"]
mod the_gateway_crashes;
#[path = "journeys/the_journal_is_damaged.rs"]
mod the_journal_is_damaged;
#[path = "journeys/the_operator_is_away.rs"]
mod the_operator_is_away;
#[path = "journeys/the_store_is_gone.rs"]
mod the_store_is_gone;
#[path = "journeys/the_tunnel_breaks.rs"]
mod the_tunnel_breaks;
#[path = "journeys/twilio_drops_its_answer.rs"]
mod twilio_drops_its_answer;
#[path = "journeys/twilio_rejects_a_message.rs"]
mod twilio_rejects_a_message;
