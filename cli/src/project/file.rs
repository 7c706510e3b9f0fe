//! The fields of the project file, and its JSON schema for editors.

use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use schemars::{JsonSchema, generate::SchemaSettings};
use sealing::EnvironmentName;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Unexpected, Visitor},
};

/// The project file of sceau: environments, their certificates, and the people who operate them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sceau.yaml")]
pub(super) struct ProjectFile {
    /// The environments by name, an RFC 1123 label such as `prod`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Environment>")]
    #[schemars(extend("propertyNames" = {"pattern": LABEL, "maxLength": 63}))]
    pub(super) environments: BTreeMap<EnvironmentName, Environment>,
    /// The people by name.
    #[serde(default)]
    pub(super) people: BTreeMap<String, Person>,
}

const LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

/// A set of namespaces with its own sealing keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Environment {
    /// The certificates that its secrets are sealed to, one for each cluster, relative to this
    /// file.
    #[serde(default)]
    pub(super) certificates: Vec<PathBuf>,
    /// The files that belong to it: globs relative to this file. `*` stops at `/`, `**` does not.
    #[serde(default)]
    pub(super) paths: Vec<String>,
    /// The kubeconfig context of its cluster, for commands that connect to it.
    #[serde(default)]
    pub(super) context: Option<String>,
}

/// A person who works on the project.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    /// Their own certificate, relative to this file. No environment's secrets are sealed to it.
    #[serde(default)]
    pub(super) certificate: Option<PathBuf>,
    /// The environments whose values they can read.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) operates: Vec<EnvironmentName>,
    /// The day they left, such as 2026-11-21. They operate nothing after it.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub(super) left: Option<Day>,
}

/// A day, quoted or not: YAML readers disagree whether it is a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(pub(crate) Date);

impl Day {
    /// The day of an instant, in UTC.
    pub(crate) fn of(instant: Timestamp) -> Self {
        Self(instant.to_zoned(TimeZone::UTC).date())
    }

    /// The instant at which it ends, in UTC.
    pub(crate) fn end(self) -> Timestamp {
        let midnight = self
            .0
            .tomorrow()
            .and_then(|day| day.to_zoned(TimeZone::UTC));
        midnight.map_or(Timestamp::MAX, |midnight| midnight.timestamp())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let date = text.parse().map(Self);
        date.map_err(|_| "a day such as 2026-11-21 is expected".to_owned())
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DayVisitor)
    }
}

struct DayVisitor;

impl Visitor<'_> for DayVisitor {
    type Value = Day;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a day such as 2026-11-21")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Day, E> {
        text.parse()
            .map_err(|_| E::invalid_value(Unexpected::Other("text"), &self))
    }
}

/// The JSON schema of the project file, as the text of `schemas/sceau.yaml.json`.
pub fn schema() -> String {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<ProjectFile>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
