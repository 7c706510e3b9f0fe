//! Probes and metrics over plain HTTP. They contain no secret.

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

/// The phases from the start of the program to leading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The watches of the store are listing.
    Syncing,
    /// The store is synced, and another replica leads.
    Standby,
    /// This replica leads, and SealedSecrets and Secrets are being listed.
    TakingOver,
    /// This replica leads, and all lists are complete.
    Leading,
}

impl Phase {
    /// Whether all watches of this replica are synced.
    pub(crate) fn is_ready(self) -> bool {
        matches!(self, Self::Standby | Self::Leading)
    }
}

/// The state of probes and metrics.
#[derive(Clone)]
pub(crate) struct Probes {
    pub(crate) phase: watch::Receiver<Phase>,
    pub(crate) metrics: Arc<Metrics>,
}

/// Binds the address.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|source| Error::Listen { address, source })
}

/// Serves until the program ends.
pub(crate) async fn serve(listener: TcpListener, probes: Probes) {
    let router = Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(probes);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "the server for probes and metrics failed");
    }
}

async fn ready(State(probes): State<Probes>) -> (StatusCode, &'static str) {
    if probes.phase.borrow().is_ready() {
        (StatusCode::OK, "ok")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "waiting for the first lists of the watches",
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
