//! Sends writes to the API server and reads its responses without the values in them.
//!
//! The client's own parser keeps the whole response and logs it when it cannot be parsed. A
//! response about a Secret must be neither kept nor logged.

use std::collections::BTreeMap;

use kube::Client;
use serde::{Deserialize, de::IgnoredAny};
use zeroize::Zeroizing;

/// The field manager of all writes.
pub(crate) const FIELD_MANAGER: &str = "sceau";

/// An object as a write left it: its metadata, and the names of its items.
#[derive(Debug, Deserialize)]
pub(crate) struct WriteResponse {
    pub(crate) metadata: WrittenMetadata,
    /// Only Secrets have items. A Secret without items has no `data`.
    #[serde(default, rename = "data")]
    #[expect(
        clippy::zero_sized_map_values,
        reason = "an object is read without its values"
    )]
    items: Option<BTreeMap<String, IgnoredAny>>,
}

/// The identity of a written object.
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
