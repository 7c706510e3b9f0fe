//! A Kubernetes control plane of plain processes: for the tests, and to show a person sceau at work.
//!
//! ```text
//! cluster::test ── Cluster::shared ── ApiServer   etcd, kube-apiserver, kube-controller-manager
//!       │                │                └─ Process      ended with its owner, log in a file
//!       │                ├─ Identity      admin, a person, a ServiceAccount: kubeconfig, client, kubectl
//!       │                ├─ manifests     deploy/manifests, as people apply it
//!       │                └─ Controller    the real program, under its own ServiceAccount and roles
//!       └─ Namespace                      one for each test
//! ```
//! It holds no assertions about sceau: those are the tests'. It expects things loudly: whatever does
//! not come up within its deadline is a panic that shows what was last seen.

#![expect(clippy::panic, reason = "a harness says what it expected by panicking")]

use std::future::Future;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

pub mod audit;
pub mod certificates;
pub mod clock;
pub mod commands;
pub mod controller;
pub mod identity;
pub mod manifests;
pub mod namespace;
pub mod processes;
pub mod programs;
pub mod scratch;
pub mod tools;
pub mod wait;

mod api_server;
mod loopback;

pub use api_server::ApiServer;
use api_server::Auditing;
pub use controller::Controller;
pub use identity::Identity;
pub use namespace::Namespace;

/// Runs one test against the shared cluster, in a namespace that is named after the test.
pub fn test(body: impl AsyncFnOnce(&'static Cluster, &Namespace)) {
    run(async {
        let cluster = Cluster::shared().await;
        let namespace = Namespace::create(cluster).await;
        body(cluster, &namespace).await;
    });
}

/// Runs a future on the runtime that every client of this crate lives on.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Runtime::new().expect("the system allows threads"));
    RUNTIME.block_on(future)
}

/// A control plane with sceau's manifests applied. Its processes and files are removed when it is
/// dropped, and also when the process that owns it ends in any way.
pub struct Cluster {
    controller: OnceCell<Controller>,
    admin: Identity,
    /// Can be stopped and started again.
    pub api_server: ApiServer,
}

impl Cluster {
    /// The one cluster that the tests of this process share. The first call starts it.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Cluster> = OnceCell::const_new();
        static TRIED: AtomicBool = AtomicBool::new(false);
        let start_once = async || {
            let again = TRIED.swap(true, Ordering::Relaxed);
            assert!(
                !again,
                "the shared cluster did not start; the first failed test says why"
            );
            Self::start().await
        };
        SHARED.get_or_init(start_once).await
    }

    /// Starts a cluster for one test that would disturb all others.
    pub async fn start() -> Self {
        Self::start_on(ApiServer::start(Auditing::Off).await).await
    }

    /// Starts a cluster with an audit log.
    pub async fn start_audited() -> Self {
        Self::start_on(ApiServer::start(Auditing::On).await).await
    }

    async fn start_on(api_server: ApiServer) -> Self {
        let admin = Identity::person(&api_server, "admin", "system:masters");
        // The garbage collector looks for resources when it starts and then every 30 s: so first
        // the resources, then the controllers.
        manifests::apply(&admin).await;
        api_server.start_controllers(&admin.client().await).await;
        Self {
            controller: OnceCell::new(),
            admin,
            api_server,
        }
    }

    /// The identity with all permissions.
    pub fn admin(&self) -> &Identity {
        &self.admin
    }

    /// An identity with a certificate for this name and group, and only their permissions.
    pub fn person(&self, name: &str, group: &str) -> Identity {
        Identity::person(&self.api_server, name, group)
    }

    /// A `ServiceAccount`, by a token that the API server issues for it.
    pub async fn service_account(&self, namespace: &str, name: &str) -> Identity {
        Identity::service_account(&self.api_server, &self.admin, namespace, name).await
    }

    /// The controller's `ServiceAccount`, with the permissions of `deploy/manifests`.
    pub async fn controller_account(&self) -> Identity {
        self.service_account(manifests::NAMESPACE, manifests::SERVICE_ACCOUNT)
            .await
    }

    /// The one controller that the tests of a shared cluster use, ready.
    pub async fn shared_controller(&self) -> &Controller {
        self.controller
            .get_or_init(async || {
                let mut controller = Controller::named("shared").start(self).await;
                controller.until_ready().await;
                controller
            })
            .await
    }
}

/// The root of the repository.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
