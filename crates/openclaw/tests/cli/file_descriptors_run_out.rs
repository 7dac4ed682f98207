use std::time::Instant;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::Value;

use crate::bench::{ALICE, Bench, PATIENCE, Ran, off_thread};
use crate::diagnosis::{diagnosis, doctor, store};

const TEXTS: usize = 60;

#[tokio::test]
async fn every_turn_is_answered_with_few_descriptors() {
    for most in [64, 56] {
        let mut bench = Bench::new().await;
        let program = "sleep 0.2; cat >/dev/null; echo here";
        bench.configure(&format!(
            "inboundPolicy: 'open', maxConcurrentSessions: 100,\n  agent: {{ kind: 'command', command: '{program}' }}"
        ));
        bench.start_gateway_with_descriptors(most).await;
        let contact = |number: usize| format!("+155500{:05}", 60_000 + number);
        let mut taken = 0;
        for number in 0..TEXTS {
            let delivery = bench.twilio.text(&contact(number), bench.twilio.number(), "hello").await.unwrap();
            taken += usize::from(delivery.status == Some(200));
        }
        let handled = |status: &serde_json::Value| status["inbox"]["receivedToday"].as_u64() == Some(taken as u64);
        bench.wait_for(handled).await;
        let status = bench.rests().await;
        assert_eq!(status["inbox"]["dead"], 0, "{}", bench.gateway_log());
        let answers = bench.twilio.messages().into_iter().filter(|message| message.is_outbound()).count();
        assert_eq!(answers, taken, "{}", bench.gateway_log());
        assert_eq!(bench.stop_gateway().await, 0);
    }
}

#[tokio::test]
async fn doctor_names_the_limit_of_the_running_gateway() {
    for (most, connections, agents) in [(64, 12, 1), (500, 230, 28)] {
        let mut bench = Bench::new().await;
        bench.start_gateway_with_descriptors(most).await;
        let found = doctor(&bench).await;
        let detail = found.detail("few-descriptors");
        let expected = format!("the running gateway may open {most}, but needs 2088");
        assert!(detail.starts_with(&expected), "{detail}");
        assert!(detail.contains(&format!("{connections} connections and runs {agents} agents")), "{detail}");
        assert_eq!(bench.stop_gateway().await, 0);
        // Doctor itself may open more files, and so may a gateway started from here.
        doctor(&bench).await.has_not("few-descriptors");
    }
}

#[tokio::test]
async fn doctor_names_its_own_limit_without_a_gateway() {
    let bench = Bench::new().await;
    let doctor_with = async |most| {
        let mut command = bench.command_with_descriptors(most);
        command.args(["telephony", "doctor", "--json"]);
        diagnosis(off_thread(move || command.output().unwrap()).await.into())
    };
    let detail = doctor_with(128).await.detail("few-descriptors").to_owned();
    assert!(detail.starts_with("a gateway started from here may open 128, but needs 2088"), "{detail}");
    doctor_with(2088).await.has_not("few-descriptors");
}

#[tokio::test]
async fn command_without_descriptors_does_not_blame_the_store() {
    let bench = Bench::new().await;
    drop(store(&bench));
    let mut exhausted = 0;
    for most in 5..16 {
        let mut command = bench.command_with_descriptors(most);
        command.args(["telephony", "messages"]);
        let ran: Ran = off_thread(move || command.output().unwrap()).await.into();
        assert!(!ran.stderr.contains("cannot be written"), "{most}: {ran:?}");
        exhausted += usize::from(ran.stderr.contains("no file descriptors or memory left"));
    }
    assert!(exhausted > 0, "no limit was too low for the store alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_configuration_is_read_again_once_there_are_descriptors() {
    let mut bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open', agent: { kind: 'echo' },");
    bench.start_gateway().await;
    let status = bench.json(&["telephony", "status", "--json"]).await;
    let gateway = Pid::from_raw(i32::try_from(status["gateway"]["pid"].as_i64().unwrap()).unwrap());
    let usual = getrlimit(Resource::Nofile);
    let none_more = Rlimit { current: Some(1), maximum: usual.maximum };

    prlimit(gateway, Resource::Nofile, none_more).unwrap();
    bench.configure("inboundPolicy: 'open', agent: { kind: 'command', command: 'echo other' },");
    let deadline = Instant::now() + PATIENCE;
    while !bench.gateway_log().contains("is invalid, the previous one stays in effect") {
        assert!(Instant::now() < deadline, "{}", bench.gateway_log());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    prlimit(gateway, Resource::Nofile, Rlimit { current: usual.maximum, ..usual }).unwrap();

    let is_read = |gateway: &Value| gateway["agent"] == "command" && gateway["config"]["problems"].is_null();
    bench.wait_for(|status| is_read(&status["gateway"])).await;
    bench.text(ALICE, "hello").await;
    assert_eq!(bench.texts(ALICE, 1).await, ["other"]);
    assert_eq!(bench.stop_gateway().await, 0);
}
