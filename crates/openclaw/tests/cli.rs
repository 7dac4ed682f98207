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
#[path = "cli/a_contact_calls.rs"]
mod a_contact_calls;
#[path = "cli/a_contact_opts_out.rs"]
mod a_contact_opts_out;
#[path = "cli/a_failed_message_is_sent_again.rs"]
mod a_failed_message_is_sent_again;
#[path = "cli/a_line_is_no_number.rs"]
mod a_line_is_no_number;
#[path = "cli/a_message_is_sent.rs"]
mod a_message_is_sent;
#[path = "cli/a_picture_is_sent.rs"]
mod a_picture_is_sent;
#[path = "cli/a_stranger_is_paired.rs"]
mod a_stranger_is_paired;
#[path = "cli/a_text_comes_by_another_way.rs"]
mod a_text_comes_by_another_way;
#[path = "cli/an_agent_is_simulated.rs"]
mod an_agent_is_simulated;
#[path = "cli/commands_send_beside_each_other.rs"]
mod commands_send_beside_each_other;
#[path = "cli/doctor_calls_the_public_url.rs"]
mod doctor_calls_the_public_url;
#[path = "cli/doctor_is_asked.rs"]
mod doctor_is_asked;
#[path = "cli/doctor_looks_at_files.rs"]
mod doctor_looks_at_files;
#[path = "cli/doctor_looks_at_the_account.rs"]
mod doctor_looks_at_the_account;
#[path = "cli/doctor_looks_at_the_agent.rs"]
mod doctor_looks_at_the_agent;
#[path = "cli/it_costs_money.rs"]
mod it_costs_money;
#[path = "cli/it_has_another_name.rs"]
mod it_has_another_name;
#[path = "cli/it_is_set_up.rs"]
mod it_is_set_up;
#[path = "cli/it_is_used_wrongly.rs"]
mod it_is_used_wrongly;
#[path = "cli/misleading_characters_are_escaped.rs"]
mod misleading_characters_are_escaped;
#[path = "cli/secrets_are_set_up.rs"]
mod secrets_are_set_up;
#[path = "cli/signatures_are_explained.rs"]
mod signatures_are_explained;
#[path = "cli/somebody_wants_to_be_forgotten.rs"]
mod somebody_wants_to_be_forgotten;
#[path = "cli/the_account_is_stopped.rs"]
mod the_account_is_stopped;
#[path = "cli/the_configuration_changes.rs"]
mod the_configuration_changes;
#[path = "cli/the_documentation_is_right.rs"]
mod the_documentation_is_right;
#[path = "cli/the_gateway_is_a_service.rs"]
mod the_gateway_is_a_service;
#[path = "cli/the_log_is_read_by_people_and_programs.rs"]
mod the_log_is_read_by_people_and_programs;
#[path = "cli/the_service_is_installed.rs"]
mod the_service_is_installed;
#[path = "cli/the_system_gives_few_descriptors.rs"]
mod the_system_gives_few_descriptors;
#[path = "cli/the_tour.rs"]
mod the_tour;
#[path = "cli/the_webhook_has_a_slash.rs"]
mod the_webhook_has_a_slash;
#[path = "cli/the_webhook_is_set.rs"]
mod the_webhook_is_set;
#[path = "cli/what_happened_is_asked.rs"]
mod what_happened_is_asked;
