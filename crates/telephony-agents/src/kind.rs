//! Creates the configured agent.

use std::sync::Arc;

use telephony_config::{AgentKind, Environment};

use crate::{Agent, CommandAgent, EchoAgent, OpenAiAgent, OpenClawAgent};

/// Returns the agent of this kind; `environment` is for the programs that it starts. Starts and connects nothing yet.
pub fn from_config(kind: &AgentKind, environment: &Environment) -> Arc<dyn Agent> {
    match kind {
        AgentKind::Echo => Arc::new(EchoAgent),
        AgentKind::Command(settings) => Arc::new(CommandAgent::new(settings.clone(), environment)),
        AgentKind::OpenAi(settings) => Arc::new(OpenAiAgent::new(settings.clone())),
        AgentKind::OpenClaw(settings) => Arc::new(OpenClawAgent::new(settings.clone())),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use telephony_config::{CommandAgentConfig, CommandLine, OpenAiAgentConfig, OpenClawAgentConfig};

    use super::*;

    #[test]
    fn every_kind_has_its_own_agent() {
        let timeout = Duration::from_secs(1);
        let base_url = "http://127.0.0.1:9".to_owned();
        let openai = OpenAiAgentConfig {
            base_url: base_url.clone(),
            api_key: None,
            model: String::new(),
            system_prompt: None,
            history_turns: 0,
            timeout,
        };
        let kinds = [
            (AgentKind::Echo, "echo"),
            (AgentKind::Command(CommandAgentConfig { command: CommandLine::Shell("true".into()), timeout }), "command"),
            (AgentKind::OpenAi(openai), "openai"),
            (
                AgentKind::OpenClaw(OpenClawAgentConfig {
                    base_url,
                    token: None,
                    agent_id: None,
                    assistant_name: None,
                    timeout,
                }),
                "openclaw",
            ),
        ];
        for (kind, name) in kinds {
            assert_eq!(from_config(&kind, &Environment::new([], "/")).name(), name);
        }
    }
}
