//! SecretRefs: the places of secrets, and secrets that cannot be read.

use secrecy::ExposeSecret;

use crate::desk::Desk;

/// Returns an environment whose auth token is `reference`, with `providers` under `secrets.providers`.
fn desk(providers: &str, reference: &str) -> Desk {
    Desk::new().file(
        "openclaw.json",
        &format!(
            "{{ secrets: {{ providers: {{ {providers} }} }},
               channels: {{ telephony: {{ twilio: {{ authToken: {reference} }} }} }} }}"
        ),
    )
}

fn token(desk: &Desk) -> String {
    desk.load().telephony.twilio.auth_token.unwrap().expose_secret().to_owned()
}

fn refused(desk: &Desk, reason: &str) {
    let problems = desk.problems();
    assert!(problems.contains(reason), "expected {reason:?} in {problems}");
}

#[test]
fn a_variable_is_read_in_all_its_spellings() {
    for reference in [
        "{ source: 'env', provider: 'default', id: 'TOKEN' }",
        "{ source: 'env', id: 'TOKEN' }",
        "'${TOKEN}'",
        "'$TOKEN'",
    ] {
        assert_eq!(token(&desk("", reference).variable("TOKEN", "t0k")), "t0k", "{reference}");
        refused(&desk("", reference), "the environment variable TOKEN is not set");
    }
}

#[test]
fn a_provider_that_lists_its_variables_gives_out_no_others() {
    let reference = "{ source: 'env', provider: 'default', id: 'TOKEN' }";
    let listed = desk("default: { source: 'env', allowlist: ['TOKEN'] }", reference).variable("TOKEN", "t");
    assert_eq!(token(&listed), "t");
    let unlisted = desk("default: { source: 'env', allowlist: ['OTHER'] }", reference).variable("TOKEN", "t");
    refused(&unlisted, "secrets.providers.default.allowlist does not contain TOKEN");
}

#[test]
fn a_secret_source_that_only_openclaw_can_read_is_a_problem() {
    refused(&desk("", "{ source: 'store', provider: 'default', id: 'X' }"), "belongs to OpenClaw");
    refused(&desk("", "{ source: 'vault', id: 'X' }"), "source: expected \"env\", \"file\" or \"exec\"");
    refused(&desk("", "{ source: 'env', id: 'lower' }"), "expected the upper-case name of a variable");
    refused(&desk("", "{ source: 'env', provider: 'Bad', id: 'X' }"), "expected a name such as \"default\"");
    refused(&desk("", "{ source: 'file', id: '/x' }"), "secrets.providers.default with source \"file\" does not exist");
    refused(
        &desk("x: { source: 'exec', pluginIntegration: {} }", "{ source: 'exec', provider: 'x', id: 'a' }"),
        "not supported",
    );
}

#[cfg(unix)]
mod in_a_file {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(desk: Desk, name: &str, text: &str, mode: u32) -> Desk {
        let desk = desk.file(name, text);
        std::fs::set_permissions(desk.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
        desk
    }

    fn json(id: &str) -> Desk {
        desk(
            "f: { source: 'file', path: '~/.openclaw/s.json' }",
            &format!("{{ source: 'file', provider: 'f', id: '{id}' }}"),
        )
    }

    fn single(id: &str) -> Desk {
        let provider = "f: { source: 'file', path: '~/.openclaw/s.txt', mode: 'singleValue' }";
        desk(provider, &format!("{{ source: 'file', provider: 'f', id: '{id}' }}"))
    }

    const SECRETS: &str = r#"{ "a/b": { "c": "t0k", "n": 5, "e": "" } }"#;

    #[test]
    fn a_pointer_selects_one_of_many_secrets() {
        assert_eq!(token(&file(json("/a~1b/c"), "s.json", SECRETS, 0o600)), "t0k");
        refused(&file(json("/a/b"), "s.json", SECRETS, 0o600), "there is no value at /a/b");
        refused(&file(json("/a~1b/n"), "s.json", SECRETS, 0o600), "expected a text at /a~1b/n");
        refused(&file(json("/a~1b/e"), "s.json", SECRETS, 0o600), "the secret is empty");
        refused(&file(json("value"), "s.json", SECRETS, 0o600), "expected a JSON pointer");
        refused(&file(json("/a"), "s.json", "t0k", 0o600), "invalid JSON in line 1 of the file");
    }

    #[test]
    fn a_trailing_line_break_is_removed() {
        for text in ["t0k", "t0k\n", "t0k\r\n"] {
            let desk = file(single("value"), "s.txt", text, 0o600);
            assert_eq!(
                (token(&desk).as_str(), desk.warnings().concat().contains("authToken")),
                ("t0k", false),
                "{text:?}"
            );
        }
        refused(&file(single("/x"), "s.txt", "t0k", 0o600), "expected \"value\" for a file with a single value");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        refused(
            &file(single("value"), "s.txt", "t0k", 0o640),
            "other users can read the file: run `chmod 600 ~/.openclaw/s.txt`",
        );
    }

    #[test]
    fn a_file_by_another_name_is_refused() {
        let desk = file(single("value"), "real.txt", "t0k", 0o600);
        refused(&desk, "cannot read the file");
        std::os::unix::fs::symlink(desk.path("real.txt"), desk.path("s.txt")).unwrap();
        refused(&desk, "expected a regular file, not a link");
        std::fs::remove_file(desk.path("s.txt")).unwrap();
        std::fs::hard_link(desk.path("real.txt"), desk.path("s.txt")).unwrap();
        refused(&desk, "hard link");
    }

    #[test]
    fn a_file_over_the_limit_is_refused() {
        let provider = "f: { source: 'file', path: '~/.openclaw/s.txt', mode: 'singleValue', maxBytes: 3 }";
        let desk = desk(provider, "{ source: 'file', provider: 'f', id: 'value' }");
        refused(&file(desk, "s.txt", "t0ken", 0o600), "the file is larger than 3 bytes");
    }
}

#[cfg(unix)]
mod from_a_program {
    use super::*;

    /// Returns an environment whose secret comes from a shell command.
    fn shell(line: &str, settings: &str) -> Desk {
        let line = serde_json::to_string(line).unwrap();
        let provider =
            format!("vault: {{ source: 'exec', command: '/usr/bin/env', args: ['sh', '-c', {line}], {settings} }}");
        desk(&provider, "{ source: 'exec', provider: 'vault', id: 'twilio/token#v' }")
    }

    #[test]
    fn a_program_is_asked_by_protocol() {
        // Answers only a request that follows the protocol.
        let line = r#"grep -q '^{"ids":\["twilio/token#v"\],"protocolVersion":1,"provider":"vault"}$' &&
            printf '{"protocolVersion":1,"values":{"twilio/token#v":"%s"}}' "$A$B$SECRET""#;
        let desk = shell(line, "passEnv: ['A'], env: { B: '${B}y' }");
        assert_eq!(token(&desk.variable("A", "a").variable("B", "b").variable("SECRET", "leak")), "aby");
    }

    #[test]
    fn a_plain_answer_is_accepted_only_if_allowed() {
        assert_eq!(token(&shell("echo t0k", "jsonOnly: false")), "t0k");
        refused(&shell("echo t0k", ""), "its answer is not JSON");
    }

    #[test]
    fn a_missing_or_malformed_answer_is_a_problem() {
        let not_found = r#"echo '{"protocolVersion":1,"errors":{"twilio/token#v":{"code":"NOT_FOUND"}}}'"#;
        refused(&shell(not_found, ""), "it has no secret twilio/token#v");
        refused(&shell("echo '{}'", ""), "protocolVersion");
        refused(&shell("exit 3", "jsonOnly: false"), "it failed (exit status: 3)");
        refused(&shell("true", "jsonOnly: false"), "the secret is empty");
    }

    #[test]
    fn a_hanging_or_endless_program_is_stopped() {
        refused(&shell("exec sleep 60", "timeoutMs: 50"), "no answer in 50 ms");
        refused(&shell("yes", "maxOutputBytes: 1000"), "it answered more than 1000 bytes");
    }

    #[test]
    fn a_program_in_a_writable_folder_is_not_started() {
        use std::os::unix::fs::PermissionsExt;
        let reference = "{ source: 'exec', provider: 'v', id: 'x' }";
        let provider = |command: &str| format!("v: {{ source: 'exec', command: '{command}' }}");
        refused(&desk(&provider("vault"), reference), "expected an absolute path");
        let desk = desk(&provider("~/.openclaw/vault"), reference).file("vault", "#!/bin/sh\n");
        std::fs::set_permissions(desk.path("vault"), std::fs::Permissions::from_mode(0o722)).unwrap();
        refused(&desk, "other users can change it");
        std::fs::rename(desk.path("vault"), desk.path("real")).unwrap();
        std::os::unix::fs::symlink(desk.path("real"), desk.path("vault")).unwrap();
        refused(&desk, "not a link");
        let untrusted = "v: { source: 'exec', command: '/usr/bin/env', trustedDirs: ['/opt'] }";
        refused(&self::desk(untrusted, reference), "it is in none of trustedDirs");
    }
}

/// Characters that are often copied along with a secret.
const AROUND: [(&str, &str); 9] = [
    ("", "\n"),
    ("", "\r\n"),
    (" ", ""),
    ("\t", " \n\n"),
    ("\u{feff}", ""),
    ("\u{feff}", "\r\n"),
    ("\u{a0}", "\u{200b}"),
    ("\n", "\n"),
    ("", "\0"),
];

/// Every key that holds a secret: its form in a block, the other keys that the block requires, and the access to its
/// value.
const KEYS: [(&str, &str); 7] = [
    ("twilio.authToken", "twilio: { authToken: SECRET }"),
    ("twilio.previousAuthTokens[0]", "twilio: { previousAuthTokens: [SECRET] }"),
    ("twilio.sharedKeys.KEY", "twilio: { sharedKeys: { KEY: SECRET } }"),
    ("twilio.apiKeySecret", "twilio: { apiKeySid: 'SK0123456789abcdef0123456789abcdef', apiKeySecret: SECRET }"),
    ("tunnel.ngrokAuthToken", "tunnel: { ngrokAuthToken: SECRET }"),
    ("agent.apiKey", "agent: { kind: 'openai', model: 'm', apiKey: SECRET }"),
    ("agent.token", "agent: { kind: 'openclaw', token: SECRET }"),
];

fn with(key: &str, written: &str) -> Desk {
    Desk::with_block(&format!("{{ {} }}", key.replace("SECRET", written)))
}

/// Returns the only secret of a configuration.
fn secret(desk: &Desk) -> String {
    use telephony_config::AgentKind;
    let telephony = desk.load().telephony;
    let (twilio, agent) = (&telephony.twilio, &telephony.agent.kind);
    let of_agent = match agent {
        AgentKind::OpenAi(agent) => agent.api_key.clone(),
        AgentKind::OpenClaw(agent) => agent.token.clone(),
        _ => None,
    };
    let of_twilio = twilio.auth_token.clone().or_else(|| twilio.previous_auth_tokens.first().cloned());
    let of_twilio = of_twilio.or_else(|| twilio.shared_keys.values().next().cloned());
    let of_twilio = of_twilio.or_else(|| twilio.api_key.as_ref().map(|key| key.secret.clone()));
    let found = of_twilio.or_else(|| telephony.tunnel.ngrok_auth_token.clone()).or(of_agent);
    found.unwrap().expose_secret().to_owned()
}

/// Checks that the secret is right and that a warning about `key` names its source but not its value.
fn trimmed(desk: &Desk, key: &str, source: &str) {
    assert_eq!(secret(desk), "t0k", "{key} from {source}");
    let warnings = desk.warnings();
    let is_it = |warning: &&String| warning.contains(&format!("channels.telephony.{key}: ignored "));
    let warning = warnings.iter().find(is_it).unwrap_or_else(|| panic!("no warning about {key}: {warnings:?}"));
    assert!(warning.contains(source) && !warning.contains("t0k"), "{warning}");
}

#[test]
fn characters_around_a_secret_are_ignored_with_a_warning() {
    for (key, block) in KEYS {
        for (before, behind) in AROUND {
            let text = format!("{before}t0k{behind}");
            let json = serde_json::to_string(&text).unwrap();
            trimmed(&with(block, &json), key, "openclaw.json:1:");
            for reference in ["'$TOKEN'", "'${TOKEN}'", "{ source: 'env', id: 'TOKEN' }"] {
                trimmed(&with(block, reference).variable("TOKEN", &text), key, "env TOKEN");
            }
        }
        for quoted in ["\"t0k\"", "'t0k'", "`t0k`", "“t0k”", " \"t0k\"\n", "' t0k '"] {
            trimmed(&with(block, "'${TOKEN}'").variable("TOKEN", quoted), key, "env TOKEN");
        }
        let dotenv = with(block, "'${TOKEN}'").file(".env", "TOKEN=\"t0k\\n\"\n");
        trimmed(&dotenv, key, ".env:1:1");
        let clean = with(block, "'t0k'");
        assert_eq!(secret(&clean), "t0k");
        assert!(!clean.warnings().concat().contains("around the secret"), "{:?}", clean.warnings());
    }
}

#[test]
fn a_variable_in_place_of_a_key_is_trimmed() {
    let desk = Desk::with_block("{}").variable("TWILIO_AUTH_TOKEN", "\"t0k\"\n");
    trimmed(&desk, "twilio.authToken", "env TWILIO_AUTH_TOKEN");
}

#[test]
fn a_secret_of_ignored_characters_only_is_a_problem() {
    for (_, block) in KEYS {
        for nothing in [" ", "\n", "\r\n", "\u{feff}", "\t\n "] {
            let json = serde_json::to_string(nothing).unwrap();
            refused(&with(block, &json), "the secret contains nothing but blanks");
            refused(
                &with(block, "'${TOKEN}'").variable("TOKEN", nothing),
                "from env TOKEN contains nothing but blanks",
            );
        }
        refused(&with(block, "'$TOKEN'").variable("TOKEN", "\"\""), "from env TOKEN contains nothing but blanks");
    }
}

#[test]
fn quotes_in_the_configuration_belong_to_the_secret() {
    let desk = Desk::with_block("{ twilio: { authToken: '\"t0k\"' } }");
    assert_eq!(token(&desk), "\"t0k\"");
}

#[cfg(unix)]
#[test]
fn a_secret_of_a_file_or_a_program_is_trimmed_with_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let reference = |provider: &str, id: &str| format!("{{ source: '{provider}', provider: 'p', id: '{id}' }}");
    for (before, behind) in AROUND {
        let text = format!("{before}t0k{behind}");
        let json = serde_json::json!({"one": &text}).to_string();
        let provider = "p: { source: 'file', path: '~/.openclaw/s.json' }";
        let desk = desk(provider, &reference("file", "/one")).file("s.json", &json);
        std::fs::set_permissions(desk.path("s.json"), std::fs::Permissions::from_mode(0o600)).unwrap();
        trimmed(&desk, "twilio.authToken", "s.json");

        let provider = "p: { source: 'file', path: '~/.openclaw/s.txt', mode: 'singleValue' }";
        let single = self::desk(provider, &reference("file", "value")).file("s.txt", &format!("{text} \n"));
        std::fs::set_permissions(single.path("s.txt"), std::fs::Permissions::from_mode(0o600)).unwrap();
        trimmed(&single, "twilio.authToken", "s.txt");

        let answer = serde_json::json!({"protocolVersion": 1, "values": {"one": &text}}).to_string();
        let script = format!("#!/bin/sh\ncat <<'END'\n{answer}\nEND\n");
        let provider = "p: { source: 'exec', command: '~/.openclaw/p.sh' }";
        let program = self::desk(provider, &reference("exec", "one")).file("p.sh", &script);
        std::fs::set_permissions(program.path("p.sh"), std::fs::Permissions::from_mode(0o700)).unwrap();
        trimmed(&program, "twilio.authToken", "p.sh");
    }
}

#[test]
fn a_region_or_an_edge_alone_says_which_host_is_used() {
    let warnings = |more: &str| Desk::with_block(&format!("{{ twilio: {{ {more} }} }}")).warnings().join("\n");
    for (region, edge) in [("ie1", "dublin"), ("au1", "sydney"), ("jp1", "tokyo"), ("us1", "ashburn")] {
        let alone = warnings(&format!("region: '{region}'"));
        assert!(alone.contains(&format!("requests go to api.{edge}.{region}.twilio.com")), "{alone}");
        assert!(alone.contains(&format!("set twilio.edge to \"{edge}\"")), "{alone}");
        let only_edge = warnings(&format!("edge: '{edge}'"));
        assert!(only_edge.contains(&format!("requests go to api.{edge}.us1.twilio.com")), "{only_edge}");
        let both = warnings(&format!("region: '{region}', edge: '{edge}'"));
        assert!(!both.contains("requests go to"), "{both}");
        for more in [format!("region: '{region}'"), format!("edge: '{edge}'")] {
            let overridden = warnings(&format!("{more}, apiBaseUrl: 'https://api.example.com'"));
            assert!(overridden.contains("it has no effect: apiBaseUrl"), "{overridden}");
        }
    }
    assert!(warnings("region: 'xx9'").contains("api.xx9.twilio.com"));
}

#[test]
fn a_line_that_does_not_exist_in_the_region_is_warned_of() {
    let warnings = |line: &str, more: &str| {
        Desk::with_block(&format!("{{ fromNumber: '{line}', twilio: {{ {more} }} }}")).warnings().join("\n")
    };
    let ie1 = "region: 'ie1', edge: 'dublin'";
    for line in ["+15550001234", "sms:+15550001234", "72345"] {
        let found = warnings(line, ie1);
        assert!(found.contains("channels.telephony.fromNumber: Twilio has no") && found.contains("21663"), "{found}");
        for elsewhere in
            ["", "region: 'us1', edge: 'ashburn'", &format!("{ie1}, apiBaseUrl: 'https://api.example.com'")]
        {
            let found = warnings(line, elsewhere);
            assert!(!found.contains("fromNumber"), "{found}");
        }
    }
    for line in ["+3535550001", "+445550001", "ACME"] {
        let found = warnings(line, ie1);
        assert!(!found.contains("21663"), "{found}");
    }
}
