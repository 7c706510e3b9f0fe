//! Requests of kind `ValueReview`: sending one, and reporting its result.

use std::time::Duration;

use sealing::{
    EnvironmentName, ItemRef, Recipient,
    resource::{RequestStatus as _, ValueReviewSpec, ValueReviewStatus},
};
use serde::Serialize;

use crate::{
    cluster::{Cluster, ClusterError, login::ClusterArguments},
    error::{CommandError, Result},
    flags::ReportFormat,
    manifest::{self, Format},
    project::{self, Project, resolve},
    ui::{self, Io},
};

/// The cluster of a `ValueReview`, and the format of its report.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ValueReviewArguments {
    /// An environment of the cluster; the report covers all environments of that cluster
    #[arg(long, value_name = "NAME")]
    environment: EnvironmentName,

    #[command(flatten)]
    cluster: ClusterArguments,

    /// How many seconds to wait for the report
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,

    /// How to print the report
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ReportFormat,

    /// Exit with 3 if the report is not empty
    #[arg(long)]
    check: bool,
}

/// A connection to a cluster.
pub(crate) struct Connection<'a> {
    arguments: &'a ValueReviewArguments,
    cluster: Cluster,
}

impl ValueReviewArguments {
    /// Reads the project file and the kubeconfig. No request is sent yet.
    pub(crate) fn connect(&self, io: &Io<'_>) -> Result<Connection<'_>> {
        let project = Project::load(&io.directory)?;
        let (_, environment) = resolve::named(&project, &self.environment)?;
        let target = self.cluster.target(environment, &io.directory);
        Ok(Connection {
            arguments: self,
            cluster: Cluster::connect(&target).map_err(explain)?,
        })
    }

    /// Prints the findings. With `--check`, any finding is an error.
    pub(crate) fn report(&self, found: &Findings<'_>, io: &mut Io<'_>) -> Result<()> {
        ui::print(io, found.render(self.output)?)?;
        ui::note(io, found.message());
        if self.check && found.is_any() {
            return Err(
                CommandError::check("values were found").hint("rotate them: `sceau set FILE ITEM`")
            );
        }
        Ok(())
    }
}

impl Connection<'_> {
    /// The environment that a value is sealed for, and its active key in the cluster.
    pub(crate) fn recipient(&self, io: &Io<'_>) -> Result<(&EnvironmentName, Recipient)> {
        let name = &self.arguments.environment;
        let pem = self.cluster.certificate(name).map_err(explain)?;
        let certificate = project::parse_certificate(&pem).map_err(|error| {
            CommandError::cluster(error.message).at("the cluster's certificate")
        })?;
        certificate
            .check_validity(io.now)
            .map_err(|error| CommandError::cluster(error).at("the cluster's certificate"))?;
        Ok((name, certificate.recipient))
    }

    /// Sends the request, and waits for the result.
    pub(crate) fn ask(&self, spec: ValueReviewSpec) -> Result<ValueReviewStatus> {
        let deadline = Duration::from_secs(self.arguments.timeout);
        self.cluster.review_values(spec, deadline).map_err(explain)
    }
}

fn explain(error: ClusterError) -> CommandError {
    let hint = match &error {
        ClusterError::Refused(_) => "bind the ClusterRole `sceau-auditor` to your user",
        ClusterError::Unreachable(_) => "check `--context` and `--kubeconfig`",
        _ => return error.into(),
    };
    CommandError::cluster(error).hint(hint)
}

/// The result of a `ValueReview`.
pub(crate) enum Findings<'a> {
    /// Values that more than one Secret has.
    Reused(&'a ValueReviewStatus),
    /// The items that have one value.
    Traced(&'a ValueReviewStatus),
}

impl Findings<'_> {
    fn status(&self) -> &ValueReviewStatus {
        match self {
            Self::Reused(status) | Self::Traced(status) => status,
        }
    }

    fn is_any(&self) -> bool {
        let status = self.status();
        !status.found.is_empty() || !status.reused.is_empty()
    }

    /// The message of the controller, which says what it could not compare.
    fn message(&self) -> String {
        let complete = self.status().complete();
        complete
            .map(|condition| condition.message.clone())
            .unwrap_or_default()
    }

    fn render(&self, output: ReportFormat) -> Result<String> {
        match self {
            Self::Reused(status) => text(&status.reused, output, || reused_table(&status.reused)),
            Self::Traced(status) => text(&status.found, output, || traced_table(&status.found)),
        }
    }
}

fn text(
    places: &impl Serialize,
    output: ReportFormat,
    table: impl FnOnce() -> String,
) -> Result<String> {
    Ok(match output {
        ReportFormat::Json => manifest::to_text(places, Format::Json)?.to_string(),
        ReportFormat::Yaml => manifest::to_text(places, Format::Yaml)?.to_string(),
        ReportFormat::Table => table(),
    })
}

/// The values are numbered from 1.
fn reused_table(groups: &[Vec<ItemRef>]) -> String {
    let rows: Vec<Vec<String>> = (1..)
        .zip(groups)
        .flat_map(|(number, group): (usize, _)| {
            let places = group.iter().map(cells);
            places.map(move |cells| [vec![number.to_string()], cells].concat())
        })
        .collect();
    table(&["VALUE", "ENVIRONMENT", "SECRET", "ITEM"], rows)
}

fn traced_table(places: &[ItemRef]) -> String {
    let rows = places.iter().map(cells).collect();
    table(&["ENVIRONMENT", "SECRET", "ITEM"], rows)
}

fn cells(place: &ItemRef) -> Vec<String> {
    let secret = format!("{}/{}", place.namespace, place.name);
    vec![place.environment.clone(), secret, place.item.clone()]
}

/// A table; an empty one has no header.
fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    ui::table(header, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> ItemRef {
        ItemRef {
            environment: "prod".to_owned(),
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            item: "TOKEN".to_owned(),
        }
    }

    #[test]
    fn each_value_has_its_number_and_an_empty_report_has_no_header() {
        let status = ValueReviewStatus {
            reused: vec![vec![place("api"), place("web")], vec![place("one")]],
            found: vec![place("api")],
            ..ValueReviewStatus::default()
        };
        let shown = |findings: Findings<'_>| findings.render(ReportFormat::Table).unwrap();
        insta::assert_snapshot!(shown(Findings::Reused(&status)), @r"
        VALUE   ENVIRONMENT   SECRET     ITEM
        1       prod          shop/api   TOKEN
        1       prod          shop/web   TOKEN
        2       prod          shop/one   TOKEN
        ");
        insta::assert_snapshot!(shown(Findings::Traced(&status)), @r"
        ENVIRONMENT   SECRET     ITEM
        prod          shop/api   TOKEN
        ");
        let nothing = ValueReviewStatus::default();
        for findings in [Findings::Reused(&nothing), Findings::Traced(&nothing)] {
            assert!(!findings.is_any());
            assert_eq!(shown(findings), "");
        }
    }

    #[test]
    fn programs_get_the_items_as_the_controller_reports_them() {
        let status = ValueReviewStatus {
            reused: vec![vec![place("api"), place("web")]],
            ..ValueReviewStatus::default()
        };
        let json = Findings::Reused(&status)
            .render(ReportFormat::Json)
            .unwrap();
        let read: Vec<Vec<ItemRef>> = serde_json::from_str(&json).unwrap();
        assert_eq!(read, status.reused);
    }
}
