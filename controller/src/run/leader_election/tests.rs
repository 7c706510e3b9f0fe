use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use axum::{
    Router,
    http::StatusCode,
    routing::{get, post},
};
use serde_json::json;

use super::*;

const SLOWLY: Duration = Duration::from_millis(500);
const DEADLINE: Duration = Duration::from_millis(1200);

/// An API server that answers this many writes slowly, and then none.
fn election(answers: u32) -> Election {
    let left = std::sync::Arc::new(AtomicU32::new(answers));
    let write = move |lease: String| async move {
        if left.fetch_sub(1, Ordering::Relaxed) == 0 {
            std::future::pending::<()>().await;
        }
        sleep(SLOWLY).await;
        lease
    };
    let none = || async {
        let status =
            json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404});
        (StatusCode::NOT_FOUND, status.to_string())
    };
    let leases = "/apis/coordination.k8s.io/v1/namespaces/sceau-system/leases";
    let api_server = Router::new()
        .route(leases, post(write.clone()))
        .route(&format!("{leases}/it"), get(none).put(write));
    let settings = LeaseSettings {
        lease_name: "it".to_owned(),
        identity: "us".to_owned(),
        lease_duration: 2 * DEADLINE,
        lease_renew_deadline: DEADLINE,
        lease_retry_period: Duration::from_millis(10),
    };
    Election::new(Client::new(api_server, "default"), "sceau-system", settings)
}

#[tokio::test]
async fn a_term_ends_its_deadline_after_the_last_write_was_sent() {
    for answers in [1, 2] {
        let mut last_sent = Instant::now();
        let mut term = election(answers).acquire().await;
        if answers == 2 {
            last_sent = Instant::now();
        }
        term.renew().await;
        let kept = last_sent.elapsed();
        let late = DEADLINE + Duration::from_millis(300);
        assert!((DEADLINE..late).contains(&kept), "{answers}: {kept:?}");
    }
}
