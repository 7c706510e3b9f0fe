//! What the API server answers to a write, without the values in it.
//!
//! The client's own reading of an answer keeps all of it, and logs it when it is unreadable; an
//! answer about a Secret must be neither kept nor logged.

use std::collections::BTreeMap;

use kube::Client;
use serde::{Deserialize, de::IgnoredAny};
use zeroize::Zeroizing;

/// Under this name the controller owns what it writes.
pub(crate) const FIELD_MANAGER: &str = "sceau";

/// The object as it stands after a write: its identity, and the names of its items.
#[derive(Debug, Deserialize)]
pub(crate) struct WriteResponse {
    pub(crate) metadata: WrittenMetadata,
    /// Only Secrets have items, and not even all of them.
    #[serde(default, rename = "data")]
    #[expect(
        clippy::zero_sized_map_values,
        reason = "an object is read, and its values are not kept"
    )]
    items: Option<BTreeMap<String, IgnoredAny>>,
}

/// The identity of an object.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WrittenMetadata {
    pub(crate) uid: String,
    pub(crate) resource_version: String,
}

impl WriteResponse {
    /// The names of the Secret's items.
    pub(crate) fn item_names(&self) -> impl Iterator<Item = &str> {
        self.items.iter().flatten().map(|(name, _)| name.as_str())
    }
}

/// Sends a write.
pub(crate) async fn send(
    client: &Client,
    request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
) -> Result<WriteResponse, kube::Error> {
    let request = request.map_err(kube::Error::BuildRequest)?;
    let answer = Zeroizing::new(client.request_text(request).await?);
    serde_json::from_str(&answer).map_err(kube::Error::SerdeError)
}
