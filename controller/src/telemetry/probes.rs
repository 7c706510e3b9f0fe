//! Probes and metrics over plain HTTP. Nothing secret passes here.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use tokio::{net::TcpListener, sync::watch};

use crate::{Error, telemetry::metrics::Metrics};

/// From the start of the program to leading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Environments, Namespaces and sealing keys are being listed.
    Syncing,
    /// Everything that a standby watches is known; another replica leads.
    Standby,
    /// It leads, and SealedSecrets and their Secrets are being listed.
    TakingOver,
    /// It leads, and everything is known.
    Leading,
}

impl Phase {
    /// Whether all the watches that this replica runs are synced.
    pub(crate) fn is_ready(self) -> bool {
        matches!(self, Self::Standby | Self::Leading)
    }
}

/// What probes and metrics tell of.
#[derive(Clone)]
pub(crate) struct Probes {
    pub(crate) phase: watch::Receiver<Phase>,
    pub(crate) metrics: Arc<Metrics>,
}

/// Takes the address.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|source| Error::Listen { address, source })
}

/// Answers until the program ends.
pub(crate) async fn serve(listener: TcpListener, probes: Probes) {
    let router = Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(probes);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "probes and metrics ended");
    }
}

async fn ready(State(probes): State<Probes>) -> (StatusCode, &'static str) {
    if probes.phase.borrow().is_ready() {
        (StatusCode::OK, "ok")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "not everything has been listed yet",
        )
    }
}

async fn metrics(State(probes): State<Probes>) -> impl IntoResponse {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    probes
        .metrics
        .to_text()
        .map(|text| ([(CONTENT_TYPE, OPEN_METRICS)], text))
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
