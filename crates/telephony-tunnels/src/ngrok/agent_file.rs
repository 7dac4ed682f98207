//! The configuration of ngrok's own agent; only three lines of it are read.

use std::path::PathBuf;

use secrecy::SecretString;
use telephony_config::Environment;

/// The account and server in `ngrok.yml`. `Debug` hides the token.
#[derive(Debug, Default)]
pub(super) struct AgentFile {
    /// `authtoken`.
    pub(super) token: Option<SecretString>,
    /// `connect_url` (`server_addr` in older files): a custom ngrok server, which some companies have.
    pub(super) server: Option<String>,
    /// `connect_cas` (`root_cas`): its certificate authorities: `trusted`, `host`, or a file.
    pub(super) authorities: Option<String>,
}

/// Returns the paths where the agent looks for its configuration, in its order.
pub fn agent_files(environment: &Environment) -> Vec<PathBuf> {
    let in_folder =
        |variable: &str, path: &str| environment.get(variable).map(|folder| PathBuf::from(folder).join(path));
    [
        in_folder("XDG_CONFIG_HOME", "ngrok/ngrok.yml"),
        in_folder("HOME", ".config/ngrok/ngrok.yml"),
        in_folder("HOME", "Library/Application Support/ngrok/ngrok.yml"),
        in_folder("HOME", ".ngrok2/ngrok.yml"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl AgentFile {
    /// Reads the first readable one of `files`.
    pub(super) fn read(files: &[PathBuf]) -> Self {
        let text = files.iter().find_map(|file| std::fs::read_to_string(file).ok());
        Self::parse(&text.unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let value = |names: [&str; 2]| names.iter().find_map(|name| text.lines().find_map(|line| value_of(line, name)));
        Self {
            token: value(["authtoken", "authtoken"]).map(Into::into),
            server: value(["connect_url", "server_addr"]),
            authorities: value(["connect_cas", "root_cas"]),
        }
    }
}

/// Returns the value in `line` if it has the key `name`. These keys occur once in a file, at the top or under `agent:`.
fn value_of(line: &str, name: &str) -> Option<String> {
    let value = line.trim_start().strip_prefix(name)?.trim_start().strip_prefix(':')?.trim();
    let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.split(*quote).next());
    let value = quoted.unwrap_or_else(|| value.split(" #").next().unwrap_or_default().trim());
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn token(text: &str) -> Option<String> {
        AgentFile::parse(text).token.map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn the_token_is_found_in_files_of_either_version() {
        assert_eq!(token("version: \"2\"\nauthtoken: 2abc_DEF\ntunnels:\n"), Some("2abc_DEF".into()));
        assert_eq!(token("version: 3\nagent:\n    authtoken: '2abc_DEF' # mine\n"), Some("2abc_DEF".into()));
        assert_eq!(token("agent:\n  authtoken : \"2abc\"\n"), Some("2abc".into()));
        assert_eq!(token("authtoken: 2abc # mine"), Some("2abc".into()));
        assert_eq!(token("# authtoken: 2abc\nauthtoken:\nmy_authtoken: 3\nauthtokens: 4\n"), None);
        assert_eq!(token(""), None);
    }

    #[test]
    fn a_custom_server_address_is_kept() {
        let file =
            AgentFile::parse("agent:\n  authtoken: x\n  connect_url: connect.example.com:443\n  connect_cas: host\n");
        assert_eq!(file.server.as_deref(), Some("connect.example.com:443"));
        assert_eq!(file.authorities.as_deref(), Some("host"));
        assert_eq!(AgentFile::parse("server_addr: a:1\nroot_cas: /b.pem").authorities.as_deref(), Some("/b.pem"));
    }

    #[test]
    fn the_token_is_not_in_debug() {
        assert!(!format!("{:?}", AgentFile::parse("authtoken: 2abc")).contains("2abc"));
    }
}
