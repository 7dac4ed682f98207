//! Agent selection, and the settings that each kind requires.

use std::time::Duration;

use secrecy::ExposeSecret;
use telephony_config::{AgentKind, CommandLine, Environment, OpenAiAgentConfig, OpenClawAgentConfig, load_agent};

use crate::desk::{Desk, shown};

fn kind(desk: &Desk) -> AgentKind {
    desk.load().telephony.agent.kind
}

fn openclaw(desk: &Desk) -> OpenClawAgentConfig {
    match kind(desk) {
        AgentKind::OpenClaw(agent) => agent,
        other => panic!("{other:?}"),
    }
}

fn openai(desk: &Desk) -> OpenAiAgentConfig {
    match kind(desk) {
        AgentKind::OpenAi(agent) => agent,
        other => panic!("{other:?}"),
    }
}

const OPENCLAW: &str = r#"{
    gateway: { port: 28789, auth: { token: "${TOKEN}" }, http: { endpoints: { chatCompletions: { enabled: true } } } },
    channels: { telephony: {} },
}"#;

#[test]
fn a_file_that_enables_chat_completions_has_openclaw_answer_with_its_own_port_and_token() {
    let desk =
        Desk::new().file("openclaw.json", OPENCLAW).variable("TOKEN", "file").variable("OPENCLAW_GATEWAY_TOKEN", "env");
    let agent = openclaw(&desk);
    assert_eq!((agent.base_url.as_str(), agent.agent_id.as_deref()), ("http://127.0.0.1:28789", None));
    assert_eq!(agent.token.unwrap().expose_secret(), "file");
    assert_eq!(agent.timeout, Duration::from_secs(120));
    assert_eq!(shown(&desk.load(), "agent.token"), ("\"••••••••\"".into(), "openclaw.json:2:44".into()));
    assert_eq!(shown(&desk.load(), "agent.kind"), ("\"openclaw\"".into(), "default".into()));
}

#[test]
fn a_port_or_token_of_the_environment_is_used_as_in_openclaw() {
    let desk = Desk::with_block("{ agent: { kind: 'openclaw', agentId: 'sms' } }")
        .variable("OPENCLAW_GATEWAY_PORT", "5000")
        .variable("OPENCLAW_GATEWAY_TOKEN", "env");
    let agent = openclaw(&desk);
    assert_eq!((agent.base_url.as_str(), agent.agent_id.as_deref()), ("http://127.0.0.1:5000", Some("sms")));
    assert_eq!(agent.token.unwrap().expose_secret(), "env");
}

#[test]
fn the_assistants_name_is_the_identity_of_the_agent_that_answers() {
    let name = |agents: &str, id: &str| {
        let file = OPENCLAW.replace("channels:", &format!("agents: {agents}, channels:"));
        let file = file.replace("telephony: {}", &format!("telephony: {{ agent: {{ kind: 'openclaw' {id} }} }}"));
        openclaw(&Desk::new().file("openclaw.json", &file).variable("NAME", "Molty").variable("TOKEN", "t"))
            .assistant_name
    };
    let entries = r#"{ entries: { main: { identity: { name: " ${NAME} " } }, phone: { identity: { name: "Ada" } } } }"#;
    assert_eq!(name(entries, "").as_deref(), Some("Molty"));
    assert_eq!(name(entries, ", agentId: 'Phone'").as_deref(), Some("Ada"));
    assert_eq!(name(entries, ", agentId: 'other'"), None);
    assert_eq!(name(&entries.replace("phone: {", "phone: { default: true,"), "").as_deref(), Some("Ada"));
    assert_eq!(name(r#"{ list: [{ id: "main", identity: { name: "Ada" } }] }"#, "").as_deref(), Some("Ada"));
    for nameless in
        ["{}", "7", "{ entries: { main: {} }, list: 7 }", r#"{ entries: { main: { identity: { name: "" } } } }"#]
    {
        assert_eq!(name(nameless, ""), None, "{nameless}");
    }
}

#[test]
fn the_token_of_openclaw_is_not_asked_for_when_another_agent_answers() {
    let file = OPENCLAW.replace("telephony: {}", "telephony: { agent: { kind: 'echo' } }");
    assert!(matches!(kind(&Desk::new().file("openclaw.json", &file)), AgentKind::Echo));
}

#[test]
fn without_chat_completions_echo_answers() {
    let file = OPENCLAW.replace("enabled: true", "enabled: false");
    assert!(matches!(kind(&Desk::new().file("openclaw.json", &file)), AgentKind::Echo));
}

#[test]
fn a_command_is_a_program_or_a_line_for_the_shell() {
    let program =
        kind(&Desk::with_block("{ agent: { kind: 'command', command: ['./a', '', '-x'], timeoutSeconds: 9 } }"));
    let AgentKind::Command(agent) = program else { panic!("{program:?}") };
    assert_eq!(agent.command, CommandLine::Program(vec!["./a".into(), String::new(), "-x".into()]));
    assert_eq!(agent.timeout, Duration::from_secs(9));
    let line = kind(&Desk::with_block("{ agent: { kind: 'command', command: './a | cat' } }"));
    let AgentKind::Command(agent) = line else { panic!("{line:?}") };
    assert_eq!(agent.command, CommandLine::Shell("./a | cat".into()));
}

#[test]
fn a_command_agent_without_a_command_is_a_problem() {
    let problems = Desk::with_block("{ agent: { kind: 'command' } }").problems();
    assert!(problems.contains("agent.command: missing key, expected the program to start"), "{problems}");
}

#[test]
fn openai_needs_a_model_and_a_key_and_other_servers_only_a_model() {
    let problems = Desk::with_block("{ agent: { kind: 'openai' } }").problems();
    assert!(problems.contains("agent.model: missing key") && problems.contains("OPENAI_API_KEY"), "{problems}");
    let agent = openai(&Desk::with_block("{ agent: { kind: 'openai', model: 'm' } }").variable("OPENAI_API_KEY", "k"));
    assert_eq!((agent.base_url.as_str(), agent.history_turns), ("https://api.openai.com/v1", 20));
    assert_eq!(agent.api_key.unwrap().expose_secret(), "k");
    let agent =
        openai(&Desk::with_block("{ agent: { kind: 'openai', model: 'm', baseUrl: 'http://127.0.0.1:1/v1/' } }"));
    assert_eq!((agent.base_url.as_str(), agent.api_key.is_none()), ("http://127.0.0.1:1/v1", true));
}

#[test]
fn an_openclaw_with_a_password_gets_the_password() {
    let with_auth = |auth: &str| {
        let auth = format!("auth: {auth}");
        Desk::new()
            .file("openclaw.json", &OPENCLAW.replace("auth: { token: \"${TOKEN}\" }", &auth))
            .variable("TOKEN", "t")
    };
    for (auth, expected) in [
        ("{ mode: 'password', password: 'secret', token: 'no' }", Some("secret")),
        ("{ mode: 'trusted-proxy', password: 'secret' }", Some("secret")),
        ("{ mode: 'token', password: 'no', token: 'secret' }", Some("secret")),
        ("{ password: 'secret' }", Some("secret")),
        ("{ mode: 'password' }", None),
    ] {
        let desk = with_auth(auth);
        let shown = openclaw(&desk).token.map(|token| token.expose_secret().to_owned());
        assert_eq!(shown.as_deref(), expected, "{auth}");
    }
    let desk = with_auth("{ mode: 'password' }").variable("OPENCLAW_GATEWAY_PASSWORD", "env");
    assert_eq!(openclaw(&desk).token.unwrap().expose_secret(), "env");
    let desk = with_auth("{}").variable("OPENCLAW_GATEWAY_PASSWORD", "env").variable("OPENCLAW_GATEWAY_TOKEN", "token");
    assert_eq!(openclaw(&desk).token.unwrap().expose_secret(), "token");
}

#[test]
fn an_unused_openclaw_is_named_in_a_warning() {
    let desk = Desk::new().file("openclaw.json", OPENCLAW).variable("TOKEN", "t");
    let warnings = desk.warnings().join("\n");
    assert!(warnings.contains("agent.kind: no agent is configured: OpenClaw answers, because"), "{warnings}");
    let chosen = OPENCLAW.replace("telephony: {}", "telephony: { agent: { kind: 'openclaw' } }");
    let desk = Desk::new().file("openclaw.json", &chosen).variable("TOKEN", "t");
    assert!(!desk.warnings().join("\n").contains("agent.kind"), "the operator chose it");
}

#[test]
fn an_agent_loads_despite_other_problems_of_the_channel() {
    let block = |agent: &str| {
        format!(
            "{{ enabled: true, provider: 'twilio', fromNumber: 'home', prot: 1, twilio: {{ authToken: '${{UNSET}}' }}, {agent} }}"
        )
    };
    let load = |desk: &Desk| load_agent(&Environment::new([], "/"), Some(&desk.path("openclaw.json")), None);
    let loaded = load(&Desk::with_block(&block("agent: { kind: 'openclaw', model: 'm' }"))).unwrap();
    assert!(matches!(loaded.telephony.agent.kind, AgentKind::OpenClaw(_)));
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    for (agent, problem) in [
        ("agent: { kind: 'openai', baseUrl: 'http://127.0.0.1:9' }", "channels.telephony.agent.model: missing key"),
        ("agent: { kind: 'echo', knid: 1 }", "channels.telephony.agent.knid: unknown key"),
        ("agent: 'echo'", "channels.telephony.agent: found"),
    ] {
        let problems = load(&Desk::with_block(&block(agent))).err().unwrap();
        assert_eq!(problems.iter().count(), 1, "{problems}");
        assert!(problems.to_string().contains(problem), "{problems}");
    }
}

#[test]
fn an_agent_needs_a_readable_file() {
    for text in ["{", "{ channels: {} }", "{ channels: { telephony: 7 } }"] {
        let desk = Desk::new().file("openclaw.json", text);
        let loaded = load_agent(&Environment::new([], "/"), Some(&desk.path("openclaw.json")), None);
        assert!(loaded.is_err(), "{text}");
    }
}
