//! Logs: one JSON object a line, on stderr.
//!
//! It sets the level of each source. Each call chooses its fields.

use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::EnvFilter;

/// Starts logging.
///
/// The controller logs from `level` on, the audit log always, and libraries from `warn` on. The
/// Kubernetes client logs from `error` on: below, it prints whole responses of the API server,
/// which may contain values of a Secret.
pub fn log_to_stderr(level: Level) {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(std::io::stderr)
        .with_env_filter(filter(level))
        .init();
}

fn filter(level: Level) -> EnvFilter {
    let others = level.min(Level::WARN);
    let directives = format!("{others},sceau_controller={level},audit=info,kube_client=error");
    EnvFilter::builder()
        .with_default_directive(LevelFilter::WARN.into())
        .parse_lossy(directives)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_level_lets_the_client_print_answers_or_silences_the_audit() {
        for (level, others) in [
            (Level::TRACE, "warn"),
            (Level::INFO, "warn"),
            (Level::ERROR, "error"),
        ] {
            let filter = filter(level).to_string();
            assert!(filter.contains("kube_client=error"), "{filter}");
            assert!(filter.contains("audit=info"), "{filter}");
            assert!(filter.split(',').any(|part| part == others), "{filter}");
        }
    }
}
