//! Reports about messages that were accepted but did not arrive: raises a notice if only the operator can fix the
//! cause.

use telephony_domain::delivery::{Advance, StatusReport};
use telephony_domain::notice::Notice;
use telephony_domain::time::Timestamp;
use telephony_providers::provider::Provider;
use telephony_store::outbox::Reported;
use telephony_store::{Store, StoreError};

/// Stores a report by the provider named `source`. A code about the account or the sender is one notice, however many
/// messages have it.
pub async fn store(
    store: &dyn Store,
    provider: &dyn Provider,
    source: &str,
    report: StatusReport,
    now: Timestamp,
) -> Result<Reported, StoreError> {
    let code = report.error_code.filter(|_| report.status.is_failure());
    let reported = store.report(source, report, now).await?;
    let is_news = matches!(reported, Reported::Known(_, Advance::Forward));
    if let Some(code) = code.filter(|code| is_news && provider.calls_for_operator(*code)) {
        store.raise_notice(Notice::Undelivered { code, explanation: provider.explain(code) }, now).await?;
    }
    Ok(reported)
}
