//! The reference page and the schema match the code.

use std::path::Path;

use serde_json::json;

#[test]
fn the_reference_page_is_what_the_code_generates() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/configuration.md");
    let generated = telephony_config::reference_markdown();
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &generated).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == generated,
        "docs/reference/configuration.md is stale: run UPDATE_REFERENCE=1 cargo test -p telephony-config"
    );
}

#[test]
fn the_schema_rejects_what_loading_rejects() {
    let schema = telephony_config::schema();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::draft7::new(&schema).unwrap();
    for good in [
        json!({"limits": {"segmentsPerDay": null}, "sms": {"segmentsPerSecond": 0.5}}),
        json!({"twilio": {"authToken": {"source": "env", "id": "T"}, "apiBaseUrl": {"api": "http://127.0.0.1:1"}}}),
        json!({"agent": {"kind": "command", "command": ["./a", ""]}, "allowFrom": ["*", "+15550005678"]}),
    ] {
        assert!(validator.is_valid(&good), "{good}");
    }
    for bad in [
        json!({"port": 1}),
        json!({"serve": {"port": 65536}}),
        json!({"serve": {"path": "/"}}),
        json!({"sms": {"maxLength": 19}}),
        json!({"sms": {"segmentsPerSecond": 0}}),
        json!({"fromNumber": "5550001"}),
        json!({"allowFrom": ["+72345"]}),
        json!({"twilio": {"accountSid": "AC123"}}),
        json!({"twilio": {"authToken": ""}}),
        json!({"provider": "telnyx"}),
        json!({"publicUrl": "your-domain.com"}),
        json!({"limits": {"segmentsPerDay": 0}}),
    ] {
        assert!(!validator.is_valid(&bad), "{bad}");
    }
}
