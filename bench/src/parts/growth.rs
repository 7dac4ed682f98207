//! Memory and the cost of a message as messages and conversations grow in number.

use std::ops::Range;
use std::time::Instant;

use anyhow::Result;

use crate::fake_twilio::FakeTwilio;
use crate::gateway::Gateway;
use crate::load::{self, Until};
use crate::parts::accepts::CONNECTIONS;
use crate::process::Process;
use crate::report::Table;
use crate::webhook::Requests;

/// The number of messages when only their cost matters.
const A_FEW: u64 = 5000;

/// Contacts who send a few messages. Each phase has its own, because one who never pauses counts as a bot.
const TEN: [Range<u64>; 3] = [0..10, 10..20, 20..30];

/// The first of many contacts.
const FIRST_OF_MANY: u64 = 1000;

/// The gateway and the number of messages sent to it.
struct Stage {
    gateway: Process,
    twilio: FakeTwilio,
    sent: u64,
    table: Table,
}

/// The tolerance for constant values: on a shared machine they vary by a third between measurements.
const FLAT: f64 = 1.33;

/// The cost of one phase.
struct Act {
    memory: f64,
    cpu: f64,
}

/// Sends a growing number of messages to one gateway.
pub async fn measure(gateway: &Gateway, is_long: bool) -> Result<Table> {
    let many = if is_long { 100_000 } else { 10_000 };
    let note = "One gateway from its start on, row by row. Texts come as fast as they are taken; turns are counted \
                from the first text to the last answer handed over, CPU time is the gateway's for text, turn and \
                answer together. Memory is resident memory (VmRSS), code included.";
    let columns = ["", "conversations", "memory (MB)", "turns/s", "CPU each (µs)"];
    let twilio = FakeTwilio::start().await?;
    let state = gateway.new_state()?;
    let gateway = gateway.start(&state, &twilio.url())?;
    let mut stage = Stage { gateway, twilio, sent: 0, table: Table::new("Growth", note, &columns) };
    // The first phase is a warm-up.
    let [warm, ten, ten_more] = TEN;
    stage.act(A_FEW, warm).await?;
    let few = stage.act(A_FEW, ten).await?;
    let contacts = FIRST_OF_MANY..FIRST_OF_MANY + many;
    let many_new = stage.act(many, contacts.clone()).await?;
    let many_old = stage.act(many, contacts).await?;
    let few_again = stage.act(A_FEW, ten_more).await?;
    let memory = many_old.memory.max(few_again.memory) / many_new.memory;
    stage.table.aim(
        format!("memory does not grow with what is stored: at the end at most {FLAT} times what it was after {many} messages"),
        format!("{memory:.2}"),
        memory <= FLAT,
    );
    let cost = few_again.cpu / few.cpu;
    stage.table.aim(
        format!("the cost of a message does not grow with what is stored: at the end at most {FLAT} times the first"),
        format!("{cost:.2}"),
        cost <= FLAT,
    );
    let conversations = many_old.cpu / few_again.cpu;
    stage.table.aim(
        format!("nor with conversations: among {many} at most {FLAT} times what it is among 10"),
        format!("{conversations:.2}"),
        conversations <= FLAT,
    );
    Ok(stage.table)
}

impl Stage {
    /// Sends `messages` more from these contacts, waits for the answers and records the cost.
    async fn act(&mut self, messages: u64, contacts: Range<u64>) -> Result<Act> {
        let conversations = contacts.end - contacts.start;
        let requests = Requests::texts(self.sent..self.sent + messages, contacts);
        self.sent += messages;
        let (cpu_before, started) = (self.gateway.cpu()?, Instant::now());
        load::run(self.gateway.port, CONNECTIONS, &requests, Until::Sent).await?;
        self.twilio.has_taken(self.sent).await?;
        let (took, cpu) = (started.elapsed().as_secs_f64(), self.gateway.cpu()? - cpu_before);
        let act = Act { memory: self.gateway.memory()?, cpu: cpu * 1e6 / messages as f64 };
        self.table.row([
            format!("{messages} messages"),
            conversations.to_string(),
            format!("{:.1}", act.memory),
            format!("{:.0}", messages as f64 / took),
            format!("{:.0}", act.cpu),
        ]);
        Ok(act)
    }
}
