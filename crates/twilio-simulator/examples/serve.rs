//! Serves a simulator until it is interrupted: `cargo run -p twilio-simulator --example serve -- 4010`.
#![allow(missing_docs)]

use std::error::Error;

use twilio_simulator::{ApiKey, Simulator, SimulatorConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(4010), |port| port.parse())?;
    let key = ApiKey { sid: "SK0123456789abcdef0123456789abcdef".to_owned(), secret: "simulated-secret".to_owned() };
    let config = SimulatorConfig { port, api_keys: vec![key], ..SimulatorConfig::default() };
    let twilio = Simulator::start(config).await?;
    println!("{}", twilio.base_url());
    std::future::pending::<()>().await;
    Ok(())
}
