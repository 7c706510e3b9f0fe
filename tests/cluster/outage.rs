//! An outage of the API server.

use std::time::Duration;

use cluster::wait::{SOON, until};
use cluster::{Cluster, Controller, Namespace};
use tokio::time::{Instant, sleep_until};

use crate::sealed::Sealer;

#[test]
fn ten_seconds_without_api_server_are_survived_by_the_same_process() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let mut controller = Controller::named("one").start(&cluster).await;
        controller.until_ready().await;
        let sealer = Sealer::create(&namespace).await;
        sealer.unseal("before", &[("A", b"1")]).await;

        let stopped = Instant::now();
        cluster.api_server.stop();
        until("the failure is logged", SOON, async || {
            let log = controller.log();
            if log.contains("a watch failed") {
                Ok(())
            } else {
                Err(String::new())
            }
        })
        .await;
        assert!(controller.get("/healthz").await.is_ok());
        // The outage itself takes this time. No condition is waited for.
        sleep_until(stopped + Duration::from_secs(10)).await;
        cluster.api_server.resume().await;

        sealer.unseal("after", &[("A", b"2")]).await;
        sealer
            .patch_secret(
                "before",
                &serde_json::json!({"stringData": {"A": "by hand"}}),
            )
            .await;
        sealer.until_items("before", &[("A", b"1")]).await;
        assert!(controller.process().ended().is_none());
    });
}
