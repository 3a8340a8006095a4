//! Requests for approval.

use keywright::model::id::ProjectId;
use keywright::model::time::DAY_MS;

use super::Work;

/// Requests that wait and that are over; one of those that wait.
pub(super) async fn requests(work: &Work<'_>, project: &ProjectId) -> String {
    let (org, owner, now) = (work.org, work.owner, work.now.ms());
    let proposal = format!(
        r#"{{"project":["{project}"],"environment":["live"],"name":["Asked for"],"scopes":["images:read"],"expiry":["90"]}}"#
    );
    for n in 0..300 {
        let state = if n % 3 == 0 { "waiting" } else { "declined" };
        work.run(format!(
            "INSERT INTO approvals (id, org_id, kind, state, project_id, environment, key_name, reasons, proposal, former, told,
            justification, requested_by, requested_at_ms, lapses_at_ms) VALUES ('apr_{n:012}', '{org}', 'create', '{state}', '{project}',
            'live', 'Asked for {n}', '[\"new_key\"]', '{proposal}', '', '{{\"said\":[],\"differences\":[]}}', 'Needed', '{owner}', {now}, {})",
            now + 7 * DAY_MS
        ))
        .await;
    }
    format!("apr_{:012}", 0)
}
