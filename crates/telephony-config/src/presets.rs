//! Servers that speak OpenAI's chat completions, for people who know them by name.

/// A server that answers with `agent.kind: "openai"`.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// The name that people write: lower case, without spaces.
    pub name: &'static str,
    /// The name that people read.
    pub title: &'static str,
    /// Value for `agent.baseUrl`.
    pub base_url: &'static str,
    /// The environment variable that holds its key by custom; none for a server that wants no key.
    pub key_variable: Option<&'static str>,
}

/// The servers that setup offers and the guide describes.
pub const PRESETS: [Preset; 5] = [
    Preset {
        name: "openai",
        title: "OpenAI",
        base_url: "https://api.openai.com/v1",
        key_variable: Some("OPENAI_API_KEY"),
    },
    Preset {
        name: "anthropic",
        title: "Anthropic (Claude)",
        base_url: "https://api.anthropic.com/v1",
        key_variable: Some("ANTHROPIC_API_KEY"),
    },
    Preset {
        name: "gemini",
        title: "Google Gemini",
        base_url: "https://generativelanguage.googleapis.com/v1beta/openai",
        key_variable: Some("GEMINI_API_KEY"),
    },
    Preset { name: "ollama", title: "Ollama", base_url: "http://127.0.0.1:11434/v1", key_variable: None },
    Preset { name: "lmstudio", title: "LM Studio", base_url: "http://127.0.0.1:1234/v1", key_variable: None },
];

/// Other names of the same servers.
const ALIASES: [(&str, &str); 5] =
    [("claude", "anthropic"), ("google", "gemini"), ("gpt", "openai"), ("chatgpt", "openai"), ("lm", "lmstudio")];

impl Preset {
    /// Finds a server by what people call it: `LM Studio`, `claude`, `ollama`.
    pub fn called(name: &str) -> Option<&'static Preset> {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name.as_str(), |(_, name)| name);
        PRESETS.iter().find(|preset| preset.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_found_by_common_names() {
        for (called, name) in
            [("LM Studio", "lmstudio"), ("lm-studio", "lmstudio"), ("Claude", "anthropic"), ("ollama", "ollama")]
        {
            assert_eq!(Preset::called(called).unwrap().name, name);
        }
        assert!(Preset::called("echo").is_none());
    }
}
