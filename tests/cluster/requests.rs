//! The common part of the tests of requests.

use std::fmt::Debug;

use cluster::wait::{SOON, until};
use cluster::{Controller, Namespace};
use kube::api::PostParams;
use kube::core::object::HasStatus;
use kube::{Api, Resource};
use sealing::resource::RequestStatus;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Requests of one kind, for an administrator.
pub(crate) fn requests<R: Resource<DynamicType = ()>>(namespace: &Namespace) -> Api<R> {
    Api::all(namespace.client())
}

pub(crate) async fn create<R>(requests: &Api<R>, request: &Value) -> kube::Result<R>
where
    R: Resource + Clone + Debug + Serialize + DeserializeOwned,
{
    let request = serde_json::from_value(request.clone()).expect("it is a request");
    requests.create(&PostParams::default(), &request).await
}

pub(crate) async fn until_answered<R>(requests: &Api<R>, name: &str) -> R::Status
where
    R: HasStatus<Status: RequestStatus + Clone> + Clone + Debug + DeserializeOwned,
{
    until(&format!("{name} is answered"), SOON, async || {
        let request = requests.get(name).await;
        let request = request.map_err(|error| error.to_string())?;
        let status = request.status().cloned();
        status
            .filter(|status| status.complete().is_some())
            .ok_or_else(|| "no answer".to_owned())
    })
    .await
}

/// Status, reason and message of the condition.
pub(crate) fn reported(status: &impl RequestStatus) -> String {
    let complete = status.complete().expect("it is answered");
    format!(
        "{} {}: {}",
        complete.status, complete.reason, complete.message
    )
}

/// The status code with which the API server rejects a request.
pub(crate) fn code<T>(answer: kube::Result<T>) -> Option<u16> {
    match answer {
        Err(kube::Error::Api(status)) => Some(status.code),
        _ => None,
    }
}

/// Lines of the audit about a request.
pub(crate) fn audited(controller: &Controller, message: &str, about: &str) -> Vec<Value> {
    let log = controller.log();
    let lines = log
        .lines()
        .filter(|line| line.contains("\"target\":\"audit\""));
    lines
        .map(|line| serde_json::from_str::<Value>(line).expect("logs are JSON"))
        .filter(|line| line["message"] == message && line["request"] == about)
        .collect()
}
