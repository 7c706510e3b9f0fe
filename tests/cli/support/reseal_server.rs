//! An API server with a controller behind it, as far as resealing needs them.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use sealing::{
    Context, EnvironmentName, KeyRing, Recipient, ResealError, SealingKey, SecretRef, UnsealError,
    envelope::native::ParsedSeal,
    reseal,
    resource::{ResealRequest, Seal, SealHeader},
};
use serde_json::{Value, json};

use super::{NOW, TestKey, kubeconfig};

/// What the server was asked.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// The number of seals in each request, in their order.
    pub(crate) requests: Vec<usize>,
    /// How many requests were deleted.
    pub(crate) deleted: usize,
    /// How often a new key was asked for.
    pub(crate) renewals: usize,
    /// The ids that each revocation named.
    pub(crate) revocations: Vec<Vec<String>>,
}

/// Answers ResealRequests for the environment `prod`, as long as the test runs.
pub(crate) struct ResealServer {
    address: String,
    asked: Arc<Mutex<Asked>>,
}

/// What the server answers from.
struct Controller {
    ring: KeyRing,
    active: Recipient,
    certificate: String,
    answers: Answers,
    asked: Arc<Mutex<Asked>>,
    /// The request that was created last, and how often it was read.
    request: Option<(Value, usize)>,
    keys: Vec<TestKey>,
    /// The key that a renewal makes, or the revocation of the active one.
    next: Option<TestKey>,
    /// What the Environment says of its sealing keys.
    sealing_keys: Value,
    /// How often the environment was read since a new key was due.
    reads_since_due: Option<usize>,
    cluster: Cluster,
}

/// What is different about a cluster.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cluster {
    /// How many SealedSecrets a key decrypts.
    pub(crate) opened: Option<(TestKey, u32)>,
    /// How many revocations come too late, since the Environment was changed.
    pub(crate) conflicts: usize,
    /// Whether the controller is behind what the Environment says.
    pub(crate) is_behind: bool,
}

/// How the controller behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// At the second time that it is asked.
    Late,
    /// Never.
    Never,
    /// With a refusal of the whole request.
    Refusal,
}

impl ResealServer {
    /// One whose controller holds these keys; the first is the active one.
    pub(crate) fn with_keys(keys: &[TestKey]) -> Self {
        Self::start(keys, None, Answers::Late, Cluster::default())
    }

    /// The same of a cluster where something is different.
    pub(crate) fn with_cluster(keys: &[TestKey], cluster: Cluster) -> Self {
        Self::start(keys, None, Answers::Late, cluster)
    }

    /// One whose controller makes the key `next` when a new one is asked for, or its active one revoked.
    pub(crate) fn renewing(keys: &[TestKey], next: TestKey) -> Self {
        Self::start(keys, Some(next), Answers::Late, Cluster::default())
    }

    /// One that answers no request.
    pub(crate) fn silent(keys: &[TestKey]) -> Self {
        Self::start(keys, None, Answers::Never, Cluster::default())
    }

    /// One whose controller refuses every request.
    pub(crate) fn refusing(keys: &[TestKey]) -> Self {
        Self::start(keys, None, Answers::Refusal, Cluster::default())
    }

    fn start(keys: &[TestKey], next: Option<TestKey>, answers: Answers, cluster: Cluster) -> Self {
        let asked = Arc::new(Mutex::new(Asked::default()));
        let mut controller = Controller {
            active: parse(keys[0]).recipient().clone(),
            certificate: String::new(),
            ring: KeyRing::default(),
            answers,
            asked: Arc::clone(&asked),
            request: None,
            keys: keys.to_vec(),
            next,
            sealing_keys: json!({}),
            reads_since_due: None,
            cluster,
        };
        controller.activate(keys[0]);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                controller.give(connection);
            }
        });
        Self { address, asked }
    }

    /// A kubeconfig whose current context is this server.
    pub(crate) fn kubeconfig(&self) -> String {
        kubeconfig(&self.address)
    }

    /// What it was asked until now.
    pub(crate) fn asked(&self) -> std::sync::MutexGuard<'_, Asked> {
        self.asked.lock().unwrap()
    }
}

impl Controller {
    fn give(&mut self, mut connection: TcpStream) {
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        let mut head = String::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or_default() == 0 || line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        // A client that gave up may have sent nothing, or a part.
        if head.is_empty() || reader.read_exact(&mut body).is_err() {
            return;
        }
        let answer = self.answer(&head, &body);
        let code = if answer["kind"] == "Status" {
            answer["code"].as_u64().unwrap_or(200)
        } else {
            200
        };
        let answer = answer.to_string();
        // A client that went away needs no answer.
        let _ = write!(
            connection,
            "HTTP/1.1 {code} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        );
    }

    fn answer(&mut self, head: &str, body: &[u8]) -> Value {
        match head.split(' ').next().unwrap_or_default() {
            "POST" => self.create(serde_json::from_slice(body).unwrap()),
            "DELETE" => {
                self.asked.lock().unwrap().deleted += 1;
                json!({"apiVersion": "v1", "kind": "Status", "status": "Success"})
            }
            "PATCH" => self.patch(&serde_json::from_slice(body).unwrap()),
            _ if head.contains("/environments/") => {
                if let (Some(reads), Some(next)) = (&mut self.reads_since_due, self.next) {
                    *reads += 1;
                    if *reads == 2 {
                        self.keys.insert(0, next);
                        self.activate(next);
                    }
                }
                self.environment()
            }
            _ => self.read(),
        }
    }

    fn patch(&mut self, order: &Value) -> Value {
        let wanted = &order["spec"]["sealingKeys"];
        if let Some(before) = wanted.get("cutoffTime") {
            self.asked.lock().unwrap().renewals += 1;
            self.sealing_keys["cutoffTime"] = before.clone();
            self.reads_since_due = Some(0);
            return self.environment();
        }
        assert_eq!(order["metadata"]["resourceVersion"], self.version());
        if self.cluster.conflicts > 0 {
            self.cluster.conflicts -= 1;
            return json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": 409, "reason": "Conflict", "message": "the object has been modified"});
        }
        let revoked: Vec<String> = serde_json::from_value(wanted["revokedKeyIds"].clone()).unwrap();
        if revoked.iter().any(|id| id == self.keys[0].id()) {
            self.reads_since_due = Some(0);
        }
        self.sealing_keys["revokedKeyIds"] = json!(revoked);
        self.assemble();
        self.asked.lock().unwrap().revocations.push(revoked);
        self.environment()
    }

    /// The version of the Environment, which every conflict and every revocation makes another.
    fn version(&self) -> String {
        let revocations = self.asked.lock().unwrap().revocations.len();
        format!("{revocations}-{}", self.cluster.conflicts)
    }

    fn activate(&mut self, key: TestKey) {
        self.active = parse(key).recipient().clone();
        self.certificate = key.certificate(NOW.parse().unwrap());
        self.assemble();
    }

    /// Puts the ring together: the keys that are not revoked.
    fn assemble(&mut self) {
        let keys = self.keys.iter().copied();
        self.ring = keys.filter(|it| !self.revokes(*it)).map(parse).collect();
    }

    fn revokes(&self, key: TestKey) -> bool {
        let revoked = self.sealing_keys["revokedKeyIds"].as_array();
        revoked.is_some_and(|ids| ids.contains(&json!(key.id())))
    }

    fn environment(&self) -> Value {
        let keys: Vec<Value> = self.keys.iter().map(|key| self.status(*key)).collect();
        let generation = if self.cluster.is_behind { 2 } else { 1 };
        json!({
            "apiVersion": "sceau.dev/v1alpha1",
            "kind": "Environment",
            "metadata": {"name": "prod", "generation": generation, "resourceVersion": self.version()},
            "spec": {"namespaceSelector": {}, "sealingKeys": self.sealing_keys},
            "status": {
                "observedGeneration": 1,
                "conditions": [{"type": "Ready", "status": "True", "reason": "R", "message": "", "lastTransitionTime": NOW}],
                "certificate": self.certificate,
                "sealingKeys": keys,
            },
        })
    }

    fn status(&self, key: TestKey) -> Value {
        let state = match () {
            () if self.revokes(key) => "Revoked",
            () if key == self.keys[0] => "Active",
            () => "Retired",
        };
        let made = if self.next == Some(key) {
            NOW
        } else {
            "2026-11-01T00:00:00Z"
        };
        let opened = self.cluster.opened.filter(|(opened, _)| *opened == key);
        let opened = opened.map_or(0, |(_, count)| count);
        json!({"keyId": key.id(), "state": state, "createdAt": made, "notAfter": NOW, "sealedSecrets": opened})
    }

    fn create(&mut self, mut request: Value) -> Value {
        let seals = request["spec"]["seals"].as_array().unwrap().len();
        assert!((1..=512).contains(&seals));
        self.asked.lock().unwrap().requests.push(seals);
        request["metadata"]["name"] = json!("sceau-reseal-x");
        self.request = Some((request.clone(), 0));
        request
    }

    fn read(&mut self) -> Value {
        let (request, reads) = self.request.as_mut().expect("it was created");
        *reads += 1;
        let (mut answered, reads) = (request.clone(), *reads);
        let condition = |status: &str, message: &str| json!([{"type": "Complete", "status": status, "reason": "R", "message": message, "lastTransitionTime": NOW}]);
        match self.answers {
            Answers::Never => {}
            Answers::Late if reads < 2 => {}
            Answers::Late => {
                let request: ResealRequest = serde_json::from_value(answered.clone()).unwrap();
                let environment = EnvironmentName::parse(request.spec.environment).unwrap();
                let seals: Vec<Value> = request
                    .spec
                    .seals
                    .iter()
                    .map(|seal| self.wrap(&environment, seal))
                    .collect();
                answered["status"] = json!({"conditions": condition("True", ""), "seals": seals});
            }
            Answers::Refusal => {
                answered["status"] =
                    json!({"conditions": condition("False", "there is no environment `prod`")});
            }
        }
        answered
    }

    fn wrap(&self, environment: &EnvironmentName, header: &SealHeader) -> Value {
        let seal = Seal {
            sealed_at: NOW.to_owned(),
            commitment: header.commitment.clone(),
            recipients: header.recipients.clone(),
            items: [].into(),
        };
        let place = SecretRef::parse(header.namespace.as_str(), header.name.as_str()).unwrap();
        let context = Context::new(header.scope, environment, &place);
        let parsed = ParsedSeal::parse(1, &seal).unwrap();
        match reseal(
            &parsed,
            &context,
            &self.ring,
            std::slice::from_ref(&self.active),
        ) {
            Ok(wrapped) => json!({"result": "Resealed", "recipient": wrapped[0]}),
            Err(ResealError::Unseal(UnsealError::Refused)) => {
                json!({"result": "Refused", "message": "a sealing key is named and does not open it"})
            }
            Err(_) => {
                json!({"result": "UnknownSealingKey", "message": "no sealing key decrypts it"})
            }
        }
    }
}

fn parse(key: TestKey) -> SealingKey {
    SealingKey::parse_pem(key.private_pem()).unwrap().remove(0)
}
