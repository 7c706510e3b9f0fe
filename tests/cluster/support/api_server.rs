//! The control plane's three processes: etcd, kube-apiserver, kube-controller-manager.
//!
//! There is no scheduler and no node: Deployments are accepted, and nothing runs them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use k8s_openapi::api::core::v1::ServiceAccount;
use kube::{Api, Client};

use crate::Identity;
use crate::audit::AuditLog;
use crate::certificates::{Authority, token_signing_pair};
use crate::loopback::{free_addresses, http_get};
use crate::processes::Process;
use crate::scratch::Scratch;
use crate::tools::Tool;
use crate::wait::SOON;

/// Of the controllers that a cluster runs, those that the tests live on: ownership, deletion,
/// accounts and the composition of the built-in roles.
const CONTROLLERS: &str = "garbage-collector-controller,namespace-controller,\
    serviceaccount-controller,serviceaccount-token-controller,\
    root-ca-certificate-publisher-controller,clusterrole-aggregation-controller";

/// The API server and the processes that it needs. When it is dropped, its fields end in this
/// order.
pub struct ApiServer {
    controllers: Mutex<Option<Process>>,
    server: Mutex<Option<Process>>,
    _etcd: Process,
    etcd_address: SocketAddr,
    address: SocketAddr,
    authority: Authority,
    files: Files,
    audit: Option<AuditLog>,
    scratch: Scratch,
}

/// Whether the API server keeps an audit log, which costs it time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auditing {
    Off,
    On,
}

/// The files that the processes are started with.
struct Files {
    authority: PathBuf,
    serving_certificate: PathBuf,
    serving_private_key: PathBuf,
    token_signing_private_key: PathBuf,
    token_signing_public_key: PathBuf,
}

impl ApiServer {
    /// Starts etcd and the API server and waits until it is ready.
    pub(crate) async fn start(auditing: Auditing) -> Self {
        let scratch = Scratch::create();
        let [address, etcd_address, etcd_peer_address] = free_addresses();
        let authority = Authority::create();
        let server = Self {
            controllers: Mutex::default(),
            server: Mutex::default(),
            _etcd: start_etcd(&scratch, etcd_address, etcd_peer_address).await,
            etcd_address,
            address,
            files: Files::write(&scratch, &authority),
            authority,
            audit: (auditing == Auditing::On).then(|| AuditLog::create(&scratch)),
            scratch,
        };
        server.resume().await;
        server
    }

    /// Stops the API server at once, as a crash would. Its data and its address are kept, the other
    /// processes go on.
    pub fn stop(&self) {
        let running = self
            .server
            .lock()
            .expect("nothing panics while it is locked")
            .take();
        drop(running);
    }

    /// Starts a stopped API server again, at the same address, and waits until it is ready.
    pub async fn resume(&self) {
        let mut process = Process::start(&self.scratch, "kube-apiserver", &self.server_command());
        let probe = Identity::person(self, "probe", "system:masters")
            .client()
            .await;
        process.until_up(SOON, async || ready(&probe).await).await;
        *self
            .server
            .lock()
            .expect("nothing panics while it is locked") = Some(process);
    }

    /// Starts the controllers and waits for their first object.
    pub(crate) async fn start_controllers(&self, client: &Client) {
        let command = self.controllers_command();
        let mut process = Process::start(&self.scratch, "kube-controller-manager", &command);
        let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "default");
        let made = async || match accounts.get("default").await {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("no ServiceAccount default/default: {error}")),
        };
        process.until_up(SOON, made).await;
        *self
            .controllers
            .lock()
            .expect("nothing panics while it is locked") = Some(process);
    }

    /// The URL for a kubeconfig.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The authority that signs the API server's certificate and those of its clients.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The audit log of an API server that keeps one.
    pub fn audit(&self) -> &AuditLog {
        let audit = self.audit.as_ref();
        audit.expect("the cluster was started with an audit log")
    }

    /// Where this control plane's files are, for more of them.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    fn server_command(&self) -> Command {
        let mut command = Command::new(Tool::KubeApiserver.path());
        command
            .arg(format!("--etcd-servers=http://{}", self.etcd_address))
            .arg(format!("--bind-address={}", self.address.ip()))
            .arg(format!("--advertise-address={}", self.address.ip()))
            .arg(format!("--secure-port={}", self.address.port()))
            .arg(flag("--tls-cert-file", &self.files.serving_certificate))
            .arg(flag(
                "--tls-private-key-file",
                &self.files.serving_private_key,
            ))
            .arg(flag("--client-ca-file", &self.files.authority))
            .arg(flag(
                "--service-account-key-file",
                &self.files.token_signing_public_key,
            ))
            .arg(flag(
                "--service-account-signing-key-file",
                &self.files.token_signing_private_key,
            ))
            .arg("--service-account-issuer=https://kubernetes.default.svc")
            .arg("--service-cluster-ip-range=10.0.0.0/24")
            .arg("--endpoint-reconciler-type=none")
            .arg("--authorization-mode=RBAC")
            // Managed clusters have it on. The controller's roles must be enough there too.
            .arg("--enable-admission-plugins=OwnerReferencesPermissionEnforcement")
            .args(self.audit.iter().flat_map(AuditLog::flags));
        command
    }

    fn controllers_command(&self) -> Command {
        let user = "system:kube-controller-manager";
        let identity = Identity::person(self, user, user);
        let mut command = Command::new(Tool::KubeControllerManager.path());
        command
            .arg(format!("--kubeconfig={}", identity.kubeconfig().display()))
            .arg(format!("--controllers={CONTROLLERS}"))
            .arg(flag("--root-ca-file", &self.files.authority))
            .arg(flag(
                "--service-account-private-key-file",
                &self.files.token_signing_private_key,
            ))
            .arg("--use-service-account-credentials=true")
            .arg("--leader-elect=false")
            // It serves only metrics, which no test reads.
            .arg("--secure-port=0");
        command
    }
}

impl Files {
    fn write(scratch: &Scratch, authority: &Authority) -> Self {
        let names = [
            "127.0.0.1",
            "localhost",
            "kubernetes.default.svc",
            "10.0.0.1",
        ];
        let serving = authority.serving(&names);
        let (token_private_key, token_public_key) = token_signing_pair();
        Self {
            authority: scratch.write("authority.pem", &authority.certificate()),
            serving_certificate: scratch.write("serving.pem", &serving.certificate),
            serving_private_key: scratch.write("serving-private.pem", &serving.private_key),
            token_signing_private_key: scratch.write("token-private.pem", &token_private_key),
            token_signing_public_key: scratch.write("token-public.pem", &token_public_key),
        }
    }
}

async fn start_etcd(scratch: &Scratch, address: SocketAddr, peers: SocketAddr) -> Process {
    let mut command = Command::new(Tool::Etcd.path());
    command
        .arg(flag("--data-dir", &scratch.file("etcd")))
        .arg(format!("--listen-client-urls=http://{address}"))
        .arg(format!("--advertise-client-urls=http://{address}"))
        .arg(format!("--listen-peer-urls=http://{peers}"))
        .arg(format!("--initial-advertise-peer-urls=http://{peers}"))
        .arg(format!("--initial-cluster=default=http://{peers}"))
        .arg("--unsafe-no-fsync");
    let mut etcd = Process::start(scratch, "etcd", &command);
    let healthy = async || http_get(address, "/health").await.map(drop);
    etcd.until_up(SOON, healthy).await;
    etcd
}

async fn ready(client: &Client) -> Result<(), String> {
    let request = http::Request::get("/readyz")
        .body(Vec::new())
        .expect("the path is valid");
    let answer = client.request_text(request).await;
    answer.map(drop).map_err(|error| error.to_string())
}

fn flag(name: &str, file: &Path) -> String {
    format!("{name}={}", file.display())
}
