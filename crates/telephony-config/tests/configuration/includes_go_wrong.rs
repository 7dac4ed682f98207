//! `$include`: configurations from several files, and files that cannot be read.

use crate::desk::{Desk, shown};

#[test]
fn files_are_merged_in_order_and_keys_beside_them_win() {
    let desk = Desk::new()
        .file(
            "openclaw.json",
            r#"{ channels: { telephony: { $include: ["a/one.json5", "a/two.json5"], serve: { port: 3 } } } }"#,
        )
        .file("a/one.json5", "{ serve: { port: 1, bind: '0.0.0.0' }, allowFrom: ['+15550001111'] }")
        .file("a/two.json5", "{\n serve: { port: 2, path: '/two' }, allowFrom: { $include: './numbers.json5' } }")
        .file("a/numbers.json5", "['*']");
    let loaded = desk.load();
    assert_eq!(shown(&loaded, "serve.port"), ("3".into(), "openclaw.json:1:79".into()));
    assert_eq!(shown(&loaded, "serve.bind").0, "\"0.0.0.0\"");
    assert_eq!(shown(&loaded, "serve.path"), ("\"/two\"".into(), "two.json5:2:20".into()));
    assert_eq!(shown(&loaded, "allowFrom").0, r#"["+15550001111","*"]"#);
    assert_eq!(loaded.sources.len(), 4);
}

#[test]
fn a_single_file_may_be_the_whole_configuration() {
    let desk = Desk::new()
        .file("openclaw.json", "{ $include: './all.json5' }")
        .file("all.json5", "{ channels: { telephony: { serve: { port: 'x' } } } }");
    assert!(desk.problems().starts_with("~/.openclaw/all.json5:1:43: channels.telephony.serve.port: found \"x\""));
}

#[test]
fn unreadable_includes_are_problems_at_their_reference() {
    let desk = Desk::new()
        .file(
            "openclaw.json",
            r#"{ channels: { telephony: {
                twilio: { $include: "missing.json5" },
                sms: { $include: "../outside.json5" },
                voice: { $include: "loop.json5" },
                serve: { $include: 7 },
                tunnel: { $include: "list.json5", provider: "none" },
                limits: { $include: ["broken.json5", null] },
                store: { $include: "/etc/hostname" },
            } } }"#,
        )
        .file("../outside.json5", "{}")
        .file("loop.json5", "{ $include: './loop.json5' }")
        .file("list.json5", "[]")
        .file("broken.json5", "{\n");
    insta::assert_snapshot!(desk.problems());
}

#[test]
fn includes_that_nest_too_deep_are_a_problem() {
    let mut desk = Desk::with_block("{ serve: { $include: '0.json5' } }");
    for level in 0..10 {
        desk = desk.file(&format!("{level}.json5"), &format!("{{ $include: '{}.json5' }}", level + 1));
    }
    let desk = desk.file("10.json5", "{ port: 1 }");
    assert!(desk.problems().contains("includes nest deeper than 10 levels"), "{}", desk.problems());
    assert_eq!(desk.file("9.json5", "{ port: 1 }").load().telephony.serve.port, 1);
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_followed_only_if_that_folder_is_allowed() {
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("serve.json5"), "{ port: 7 }").unwrap();
    let desk = Desk::with_block("{ serve: { $include: 'link.json5' } }");
    std::os::unix::fs::symlink(elsewhere.path().join("serve.json5"), desk.path("link.json5")).unwrap();
    assert!(desk.problems().contains("\"link.json5\" is outside the configuration folder"));
    let desk = desk.variable("OPENCLAW_INCLUDE_ROOTS", elsewhere.path().to_str().unwrap());
    assert_eq!(desk.load().telephony.serve.port, 7);
}

#[test]
fn all_files_of_a_configuration_are_known_even_if_it_fails() {
    let desk = Desk::new()
        .file(
            "openclaw.json",
            "{ channels: { telephony: { $include: ['a.json5', 'missing.json5'] } }, secrets: { providers: { \
              vault: { source: 'file', path: '~/vault' } } } }",
        )
        .file("a.json5", "{ twilio: { authToken: { source: 'file', provider: 'vault', id: '/token' } } }");
    let (read, files) = desk.load_with_files();
    assert!(read.is_err(), "one file is missing, and so is the vault");
    let home = desk.path("").parent().unwrap().to_owned();
    let expected = [".env", "openclaw.json", "telephony/openclaw.json", "a.json5", "missing.json5"];
    let expected: Vec<_> = expected.map(|name| desk.path(name)).into_iter().chain([home.join("vault")]).collect();
    assert_eq!(files, expected);
}

#[test]
fn a_text_can_be_checked_before_it_is_written() {
    let desk = Desk::with_block("{ $include: './more.json5' }").file("more.json5", "{ serve: { port: 1 } }");
    let (more, text) = (desk.path("more.json5"), "{ serve: { port: 2 } }");
    let loaded = desk.load_as_if(&more, text).unwrap();
    assert_eq!(shown(&loaded, "serve.port").0, "2");
    assert_eq!(shown(&desk.load(), "serve.port").0, "1");
    let problems = desk.load_as_if(&more, "{ serve: { prot: 2 } }").unwrap_err().to_string();
    assert!(problems.contains("more.json5:1:12: channels.telephony.serve.prot: unknown key"), "{problems}");
    let new = Desk::new();
    let block = "{ channels: { telephony: { serve: { port: 3 } } } }";
    assert_eq!(shown(&new.load_as_if(&new.path("telephony/openclaw.json"), block).unwrap(), "serve.port").0, "3");
}
