//! The API server's audit log: every request, in the order in which they ended.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::scratch::Scratch;

/// An audit log in a file.
pub struct AuditLog {
    policy: PathBuf,
    file: PathBuf,
}

impl AuditLog {
    /// Secrets are logged without their content, as is usual. Our own resources and events are
    /// logged with requests and responses.
    pub(crate) fn create(scratch: &Scratch) -> Self {
        let policy = json!({
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [
                {"level": "None", "verbs": ["watch"]},
                {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets"]}]},
                {"level": "RequestResponse", "resources": [
                    {"group": "sceau.dev"},
                    {"group": "events.k8s.io"},
                    {"group": "coordination.k8s.io"},
                ]},
                {"level": "None"},
            ],
        });
        Self {
            policy: scratch.write("audit-policy.json", &policy.to_string()),
            file: scratch.file("audit.log"),
        }
    }

    /// The flags with which an API server writes it.
    pub(crate) fn flags(&self) -> [String; 3] {
        [
            format!("--audit-policy-file={}", self.policy.display()),
            format!("--audit-log-path={}", self.file.display()),
            // In megabytes: it stays one file.
            "--audit-log-maxsize=10000".to_owned(),
        ]
    }

    /// Its whole text.
    pub fn text(&self) -> String {
        let bytes = std::fs::read(&self.file).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Its entries with this verb about this resource.
    pub fn requests(&self, verb: &str, resource: &str) -> Vec<Value> {
        let text = self.text();
        // The last line may still be being written.
        let complete = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
        complete
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON"))
            .filter(|event| event["verb"] == verb && event["objectRef"]["resource"] == resource)
            .collect()
    }
}
