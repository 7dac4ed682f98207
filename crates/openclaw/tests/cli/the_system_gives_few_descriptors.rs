use crate::bench::Bench;

const TEXTS: usize = 60;

#[tokio::test]
async fn every_turn_is_answered_all_the_same() {
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
