use crate::bench::run;

#[test]
fn plays_to_its_end() {
    let ran = run(&["telephony", "simulate", "--tour"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.ends_with("The tour is over: every step worked.\n"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
}

#[test]
fn segments_are_counted_from_an_argument() {
    let ran = run(&["telephony", "segments", "Hello 😀", "--json"]);
    let counted: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&counted["encoding"], &counted["segments"], &counted["units"]),
        (&"UCS-2".into(), &1.into(), &8.into())
    );
}
