//! An API server that knows one answer.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

/// Gives every request the same answer, as long as the test runs.
pub(crate) struct ApiServer {
    address: String,
}

impl ApiServer {
    /// An API server that answers with an Environment of this status.
    pub(crate) fn with_status(status: &serde_json::Value) -> Self {
        let environment = serde_json::json!({
            "apiVersion": "sceau.dev/v1alpha1",
            "kind": "Environment",
            "metadata": {"name": "prod"},
            "spec": {"namespaceSelector": {}},
            "status": status,
        });
        Self::with_answer("200 OK", &environment)
    }

    /// An API server that answers with this object.
    pub(crate) fn with_object(object: &serde_json::Value) -> Self {
        Self::with_answer("200 OK", object)
    }

    /// An API server that refuses with a code, a reason and a message.
    pub(crate) fn with_refusal(code: u16, reason: &str, message: &str) -> Self {
        let status = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Status",
            "status": "Failure",
            "code": code,
            "reason": reason,
            "message": message,
        });
        Self::with_answer(&format!("{code} {reason}"), &status)
    }

    fn with_answer(status: &str, body: &serde_json::Value) -> Self {
        let body = body.to_string();
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                give(connection, &answer);
            }
        });
        Self { address }
    }

    /// A kubeconfig whose current context is this server.
    pub(crate) fn kubeconfig(&self) -> String {
        kubeconfig(&self.address)
    }
}

/// A kubeconfig whose current context `here` is the server at `address`.
pub(crate) fn kubeconfig(address: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
current-context: here
contexts: [{{name: here, context: {{cluster: here, user: me}}}}]
clusters: [{{name: here, cluster: {{server: \"http://{address}\"}}}}]
users: [{{name: me, user: {{}}}}]
"
    )
}

/// Reads a request up to its empty line and answers it.
fn give(mut connection: TcpStream, answer: &str) {
    let request = BufReader::new(connection.try_clone().unwrap());
    for line in request.lines().map_while(Result::ok) {
        if line.is_empty() {
            break;
        }
    }
    // A client that went away needs no answer.
    let _ = connection.write_all(answer.as_bytes());
}
