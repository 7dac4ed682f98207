//! Every configuration block of the guide loads and matches the schema.

use secrecy::ExposeSecret;
use telephony_config::{ProviderName, TunnelProvider};

use crate::desk::Desk;

const BLOCKS: [(&str, &str); 7] = [
    ("step 3", include_str!("../data/guide_step_3.json5")),
    ("environment", include_str!("../data/guide_environment.json5")),
    ("messaging service", include_str!("../data/guide_messaging_service.json5")),
    ("ngrok", include_str!("../data/guide_ngrok.json5")),
    ("reverse proxy", include_str!("../data/guide_reverse_proxy.json5")),
    ("tailscale", include_str!("../data/guide_tailscale.json5")),
    ("full", include_str!("../data/guide_full.json5")),
];

fn desk(block: &str) -> Desk {
    Desk::new()
        .file("openclaw.json", block)
        .variable("TWILIO_ACCOUNT_SID", "ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
        .variable("TWILIO_AUTH_TOKEN", "your_auth_token_here")
}

#[test]
fn every_block_of_the_guide_loads() {
    for (name, block) in BLOCKS {
        if let Err(problems) = desk(block).try_load() {
            panic!("{name}: {problems}");
        }
    }
}

#[test]
fn every_block_of_the_guide_fits_the_schema() {
    let validator = jsonschema::draft7::new(&telephony_config::schema()).unwrap();
    for (name, block) in BLOCKS {
        let block: serde_json::Value = jsonc_parser::parse_to_serde_value(block, &Default::default()).unwrap();
        let errors: Vec<_> = validator.iter_errors(&block["channels"]["telephony"]).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn placeholders_of_the_guide_are_warned_about() {
    insta::assert_snapshot!(desk(BLOCKS[6].1).warnings().join("\n"));
    insta::assert_snapshot!(desk(BLOCKS[2].1).warnings().join("\n"));
    insta::assert_snapshot!(desk(BLOCKS[3].1).warnings().join("\n"));
}

#[test]
fn the_full_example_has_the_documented_values() {
    let telephony = desk(BLOCKS[6].1).load().telephony;
    assert!(telephony.enabled && !telephony.skip_signature_verification);
    assert_eq!(telephony.provider, Some(ProviderName::Twilio));
    assert_eq!(telephony.from_number.unwrap().as_str(), "+15550001234");
    assert_eq!(telephony.twilio.auth_token.unwrap().expose_secret(), "your_auth_token");
    assert_eq!(telephony.twilio.messaging_service_sid.unwrap(), "MGxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    assert_eq!((telephony.serve.port, telephony.serve.bind.to_string()), (3335, "0.0.0.0".to_owned()));
    assert_eq!(telephony.tunnel.provider, Some(TunnelProvider::Ngrok));
    let url = telephony.public_url.unwrap();
    assert_eq!(url.webhook(), "https://your-domain.com/telephony/webhook");
    assert_eq!(url.status_callback(), "https://your-domain.com/telephony/status");
}
