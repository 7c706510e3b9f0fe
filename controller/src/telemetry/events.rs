//! Kubernetes events about objects.
//!
//! A failure to store an event is logged. The status has the same content.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client,
    runtime::events::{Event, EventType, Recorder, Reporter},
};

use crate::{
    error::describe,
    telemetry::metrics::{Metrics, WrittenResource},
};

/// The content of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventMessage {
    kind: EventType,
    reason: &'static str,
    message: String,
}

/// The API server rejects longer notes.
const LONGEST_NOTE: usize = 1024;

impl EventMessage {
    /// An event that needs no attention.
    pub(crate) fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: EventType::Normal,
            reason,
            message: message.into(),
        }
    }

    /// An event that needs attention.
    pub(crate) fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: EventType::Warning,
            reason,
            message: message.into(),
        }
    }

    fn event(&self) -> Event {
        let end = self.message.floor_char_boundary(LONGEST_NOTE);
        Event {
            type_: self.kind,
            reason: self.reason.to_owned(),
            note: Some(self.message[..end].to_owned()),
            action: "Reconcile".to_owned(),
            secondary: None,
        }
    }
}

/// Stores events as this replica.
#[derive(Clone)]
pub(crate) struct Events {
    recorder: Recorder,
    metrics: Arc<Metrics>,
}

impl Events {
    pub(crate) fn new(client: Client, identity: &str, metrics: Arc<Metrics>) -> Self {
        let reporter = Reporter {
            controller: "sceau-controller".to_owned(),
            instance: Some(identity.to_owned()),
        };
        Self {
            recorder: Recorder::new(client, reporter),
            metrics,
        }
    }

    /// Stores an event about an object.
    pub(crate) async fn publish(&self, event_message: &EventMessage, about: ObjectReference) {
        match self.recorder.publish(&event_message.event(), &about).await {
            Ok(()) => self.metrics.count_write(WrittenResource::Event),
            Err(error) => tracing::warn!(
                kind = about.kind,
                namespace = about.namespace,
                name = about.name,
                reason = event_message.reason,
                error = describe(&error),
                "event not stored"
            ),
        }
    }
}
