//! The built program as a user runs it, with the Twilio simulator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/diagnosis.rs"]
mod diagnosis;
#[path = "cli/proxy.rs"]
mod proxy;

#[path = "cli/a_backup_is_restored.rs"]
mod a_backup_is_restored;
#[path = "cli/a_call_is_placed.rs"]
mod a_call_is_placed;
#[path = "cli/a_contact_calls.rs"]
mod a_contact_calls;
#[path = "cli/a_contact_is_purged.rs"]
mod a_contact_is_purged;
#[path = "cli/a_contact_opts_out.rs"]
mod a_contact_opts_out;
#[path = "cli/a_failed_message_is_sent_again.rs"]
mod a_failed_message_is_sent_again;
#[path = "cli/a_line_is_not_a_number.rs"]
mod a_line_is_not_a_number;
#[path = "cli/a_message_is_sent.rs"]
mod a_message_is_sent;
#[path = "cli/a_person_reads_at_a_terminal.rs"]
mod a_person_reads_at_a_terminal;
#[path = "cli/a_picture_is_sent.rs"]
mod a_picture_is_sent;
#[path = "cli/a_stranger_is_paired.rs"]
mod a_stranger_is_paired;
#[path = "cli/a_text_arrives_by_another_channel.rs"]
mod a_text_arrives_by_another_channel;
#[path = "cli/an_agent_is_simulated.rs"]
mod an_agent_is_simulated;
#[path = "cli/commands_send_at_the_same_time.rs"]
mod commands_send_at_the_same_time;
#[path = "cli/doctor_calls_the_public_url.rs"]
mod doctor_calls_the_public_url;
#[path = "cli/doctor_looks_at_files.rs"]
mod doctor_looks_at_files;
#[path = "cli/doctor_looks_at_the_account.rs"]
mod doctor_looks_at_the_account;
#[path = "cli/doctor_looks_at_the_agent.rs"]
mod doctor_looks_at_the_agent;
#[path = "cli/doctor_reports.rs"]
mod doctor_reports;
#[path = "cli/file_descriptors_run_out.rs"]
mod file_descriptors_run_out;
#[path = "cli/messages_are_listed.rs"]
mod messages_are_listed;
#[path = "cli/messages_cost_money.rs"]
mod messages_cost_money;
#[path = "cli/misleading_characters_are_escaped.rs"]
mod misleading_characters_are_escaped;
#[path = "cli/secrets_are_set_up.rs"]
mod secrets_are_set_up;
#[path = "cli/signatures_are_explained.rs"]
mod signatures_are_explained;
#[path = "cli/the_account_is_stopped.rs"]
mod the_account_is_stopped;
#[path = "cli/the_channel_is_set_up.rs"]
mod the_channel_is_set_up;
#[path = "cli/the_configuration_changes.rs"]
mod the_configuration_changes;
#[path = "cli/the_documentation_is_right.rs"]
mod the_documentation_is_right;
#[path = "cli/the_gateway_is_a_service.rs"]
mod the_gateway_is_a_service;
#[path = "cli/the_language_is_plain.rs"]
mod the_language_is_plain;
#[path = "cli/the_log_has_two_formats.rs"]
mod the_log_has_two_formats;
#[path = "cli/the_program_has_another_name.rs"]
mod the_program_has_another_name;
#[path = "cli/the_program_is_misused.rs"]
mod the_program_is_misused;
#[path = "cli/the_service_is_installed.rs"]
mod the_service_is_installed;
#[path = "cli/the_tour.rs"]
mod the_tour;
#[path = "cli/the_webhook_has_a_slash.rs"]
mod the_webhook_has_a_slash;
#[path = "cli/the_webhook_is_set.rs"]
mod the_webhook_is_set;
