//! `deploy/manifests` on a test cluster, exactly as people apply it.
//!
//! The Deployment is applied like the rest. Nothing runs it: tests start the controller themselves,
//! under the `ServiceAccount` and the roles that came with it.

use std::path::PathBuf;

use crate::Identity;
use crate::repository;

/// The namespace of the controller, its sealing keys and its Lease.
pub const NAMESPACE: &str = "sceau-system";

/// The `ServiceAccount` of the controller.
pub const SERVICE_ACCOUNT: &str = "sceau-controller";

/// The directory for `kubectl apply -k`.
pub fn directory() -> PathBuf {
    repository().join("deploy/manifests")
}

/// Applies all manifests and waits until the API server serves the resources. A warning of the API
/// server is a failure: our manifests must cause none.
pub async fn apply(admin: &Identity) {
    let directory = directory();
    let path = directory.to_str().expect("the repository's path is UTF-8");
    let applied = admin.kubectl(&["apply", "-k", path]).await;
    assert!(
        applied.stderr.is_empty(),
        "expected no warning in {applied:#?}"
    );
    let _ = applied.succeeded();
    let served = [
        "wait",
        "--for=condition=Established",
        "--timeout=30s",
        "crd",
        "--all",
    ];
    let _ = admin.kubectl(&served).await.succeeded();
}
