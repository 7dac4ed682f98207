use std::io::Write;

use serde_json::Value;

use crate::bench::{program, run};

fn vectors() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../telephony-providers/tests/data/signature_vectors.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

/// Returns the exit code of `webhook verify` for a vector.
fn verdict(vector: &Value, body: &mut tempfile::NamedTempFile) -> i32 {
    let text = |name: &str| vector[name].as_str().unwrap_or_default().to_owned();
    let content = vector["body"].as_str().or(vector["form_body"].as_str()).unwrap_or_default();
    body.as_file().set_len(0).unwrap();
    body.as_file_mut().write_all(content.as_bytes()).unwrap();
    let mut command = program();
    command.args(["telephony", "webhook", "verify", "--url", &text("url"), "--signature", &text("signature")]);
    command.args(["--method", &text("method"), "--auth-token", &text("token")]);
    if let Some(content_type) = vector["content_type"].as_str() {
        command.args(["--content-type", content_type]);
    }
    command.args(["--settings", &format!("algorithm={}", text("algorithm"))]);
    command.args(["--body".as_ref(), body.path().as_os_str()]);
    command.output().unwrap().status.code().unwrap()
}

#[test]
fn every_vector_gets_the_recommended_verdict() {
    let mut count = 0;
    for vector in vectors() {
        let expected = match vector["recommended"] {
            Value::Bool(true) => 0,
            Value::Bool(false) => 1,
            _ => continue,
        };
        let mut body = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(verdict(&vector, &mut body), expected, "{}", vector["id"]);
        count += 1;
    }
    assert!(count > 150);
}

#[test]
fn the_signed_text_and_a_matching_variant_are_shown() {
    let signed_for = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let body = "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234";
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(body.as_bytes()).unwrap();
    let path = file.path().to_str().unwrap();
    let verify = |url: &str| {
        let signature = "IK+Dwps556ElfBT0I3Rgjkr1wJU=";
        run(&[
            "telephony",
            "webhook",
            "verify",
            "--url",
            url,
            "--signature",
            signature,
            "--auth-token",
            "12345",
            "--body",
            path,
        ])
    };
    assert_eq!(verify(signed_for).code, 0);
    let wrong_scheme = verify("http://mycompany.com/myapp.php?foo=1&bar=2");
    assert_eq!(wrong_scheme.code, 1);
    assert!(wrong_scheme.stdout.contains(&format!("would match: {signed_for}")), "{}", wrong_scheme.stdout);
    assert!(wrong_scheme.stdout.contains("Digits1234Digits5678"), "{}", wrong_scheme.stdout);
    assert!(!wrong_scheme.stdout.contains("12345 "), "the token is not shown: {}", wrong_scheme.stdout);
}

#[test]
fn an_empty_or_malformed_request_is_a_verdict() {
    for (url, signature) in [("", ""), ("nonsense", "%%%"), ("https://a.b/c", ""), ("-", "-")] {
        let ran = run(&["telephony", "webhook", "verify", "--url", url, "--signature", signature, "--auth-token", "t"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stdout.starts_with("verdict: "), "{ran:?}");
    }
}
