//! What is to be done with each seal: decided from manifests and pinned certificates alone.

mod pins;
mod recipients;
mod survey;

use sealing::{
    Context, EnvironmentName, ItemName, Namespace, Place, Recipient, Scope,
    envelope::{
        bitnami::{self as original, Label},
        native::{Envelope, ParsedSeal},
    },
    resource::{Seal, SealedSecret, WrappedFileKey, bitnami},
};

pub(crate) use self::{
    pins::Pin,
    survey::{FoundSeal, survey},
};
pub(super) use self::{pins::Pins, recipients::merged};
use super::report::{Finding, Row};
use crate::{
    error::with_causes,
    manifest::{Located, Sealed},
    project::{FILE_NAME, Project},
    resolve::{self, Clues},
    sealed_files::SealedFile,
};

/// What the command line asks for.
pub(super) struct Request<'a> {
    /// The only environment that is meant.
    pub(super) environment: Option<&'a EnvironmentName>,
    /// The namespace of SealedSecrets that name none.
    pub(super) namespace: Option<&'a Namespace>,
}

/// A file and what is to be done in it.
pub(super) struct PlannedFile<'a> {
    pub(super) file: &'a SealedFile,
    pub(super) subjects: Vec<Subject<'a>>,
}

/// A seal, or a SealedSecret of which no single seal can be spoken of.
pub(super) struct Subject<'a> {
    /// What will be reported, as far as it is known.
    pub(super) row: Row,
    pub(super) state: State<'a>,
}

/// How a seal stands.
pub(super) enum State<'a> {
    /// It is wrapped for exactly the pinned recipients.
    Current,
    /// Nothing can be done.
    Hopeless(Problem),
    /// It is stale, or may be.
    Open(Task<'a>),
}

/// Why a seal cannot be resealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) finding: Finding,
    pub(super) message: String,
}

impl Problem {
    pub(super) fn new(finding: Finding, message: impl Into<String>) -> Self {
        Self {
            finding,
            message: message.into(),
        }
    }
}

/// Something to wrap anew.
pub(super) enum Task<'a> {
    Native(NativeTask<'a>),
    Original(OriginalTask<'a>),
}

/// A seal that is stale.
pub(super) struct NativeTask<'a> {
    pub(super) object: &'a Located,
    pub(super) environment: &'a EnvironmentName,
    pub(super) place: Place,
    pub(super) scope: Scope,
    pub(super) context: Context,
    /// Its index among the manifest's seals.
    pub(super) index: usize,
    pub(super) seal: &'a Seal,
    pub(super) parsed: ParsedSeal,
    pub(super) pins: &'a [Pin],
}

/// The items of a SealedSecret of the original, which do not tell whether they are stale.
pub(super) struct OriginalTask<'a> {
    pub(super) object: &'a Located,
    pub(super) label: Label,
    pub(super) recipient: &'a Recipient,
    /// Each sealed text with its item's name; what its first version sealed as one has none.
    pub(super) texts: Vec<(Option<ItemName>, &'a str)>,
}

/// What was wrapped anew.
pub(super) enum Fresh {
    /// Items of the original's format with their new texts; none when all are current.
    Items(Vec<(Option<ItemName>, String)>),
    /// The file key for recipients that the seal did not have.
    Recipients(Vec<WrappedFileKey>),
    /// Nobody tried.
    Untried,
}

impl PlannedFile<'_> {
    /// What is to be wrapped, in the file's order.
    pub(super) fn open(&self) -> impl Iterator<Item = &Task<'_>> {
        self.subjects.iter().filter_map(|it| match &it.state {
            State::Open(task) => Some(task),
            State::Current | State::Hopeless(_) => None,
        })
    }

    /// The number of these.
    pub(super) fn tasks(&self) -> usize {
        self.open().count()
    }
}

impl Task<'_> {
    /// What can be said without keys and without a cluster.
    pub(super) fn untried(&self) -> Result<Fresh, Problem> {
        match self {
            Self::Native(_) => Ok(Fresh::Untried),
            Self::Original(_) => Err(needs_keys()),
        }
    }
}

/// The original's items can be resealed with private keys only.
pub(super) fn needs_keys() -> Problem {
    Problem::new(
        Finding::NotThroughCluster,
        "the original's items do not say which key they are sealed to: give the private keys with `--keys`",
    )
}

impl NativeTask<'_> {
    /// The pinned recipients that the seal is not wrapped for.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Pin> {
        self.pins
            .iter()
            .filter(|pin| !pin.is_among(&self.seal.recipients))
    }
}

/// Decides about every seal of a file.
pub(super) fn plan<'a>(
    file: &'a SealedFile,
    request: &Request<'_>,
    project: &'a Project,
    pins: &'a Pins,
) -> PlannedFile<'a> {
    let mut subjects = Vec::new();
    for object in &file.objects {
        match object {
            Ok(object) => {
                let environment = environment(object, file, request, project);
                if concerns(request, object, &environment) {
                    subjects.extend(plan_object(object, environment, request, pins));
                }
            }
            Err(unreadable) => subjects.push(Subject {
                row: Row::new(&unreadable.origin),
                state: State::Hopeless(Problem::new(Finding::Unreadable, &unreadable.problem)),
            }),
        }
    }
    PlannedFile { file, subjects }
}

/// Whether an object is of the environment that was asked for, or may be.
fn concerns(
    request: &Request<'_>,
    object: &Located,
    environment: &Result<&EnvironmentName, Problem>,
) -> bool {
    let Some(requested) = request.environment else {
        return true;
    };
    match (environment, &object.sealed) {
        (Ok(environment), _) => *environment == requested,
        (Err(_), Sealed::Native(sealed)) => sealed.spec.environment == requested.as_str(),
        (Err(_), Sealed::Bitnami(_)) => true,
    }
}

/// A native manifest names its environment; for one of the original the path rules do, and
/// `--environment` where there is none.
fn environment<'a>(
    object: &Located,
    file: &SealedFile,
    request: &Request<'_>,
    project: &'a Project,
) -> Result<&'a EnvironmentName, Problem> {
    let unknown = |message| Problem::new(Finding::UnknownEnvironment, message);
    match &object.sealed {
        Sealed::Native(sealed) => project
            .environments
            .keys()
            .find(|name| name.as_str() == sealed.spec.environment)
            .ok_or_else(|| {
                let name = &sealed.spec.environment;
                unknown(format!("there is no environment `{name}` in {FILE_NAME}"))
            }),
        Sealed::Bitnami(_) => {
            let by_path = Clues {
                requested: None,
                input: file.path.as_deref(),
                target: None,
            };
            let requested = request.environment;
            resolve::environment(project, by_path)
                .map(|decision| decision.name)
                .or_else(|error| {
                    let named = requested.and_then(|name| resolve::named(project, name).ok());
                    named
                        .map(|(name, _)| name)
                        .ok_or_else(|| unknown(error.message))
                })
        }
    }
}

fn plan_object<'a>(
    object: &'a Located,
    environment: Result<&'a EnvironmentName, Problem>,
    request: &Request<'_>,
    pins: &'a Pins,
) -> Vec<Subject<'a>> {
    let mut row = Row::of(object);
    let states = environment.and_then(|environment| {
        row.environment = Some(environment.to_string());
        let place = place(&object.sealed, request.namespace)?;
        row.location.namespace = Some(place.namespace.to_string());
        let pins = pins.of(environment);
        match &object.sealed {
            Sealed::Native(sealed) => native(object, sealed, (environment, place), pins),
            Sealed::Bitnami(sealed) => original(object, sealed, &place, pins),
        }
    });
    let numbered = matches!(object.sealed, Sealed::Native(_)) && states.is_ok();
    let states = states.unwrap_or_else(|problem| vec![State::Hopeless(problem)]);
    (1..)
        .zip(states)
        .map(|(number, state)| Subject {
            row: Row {
                seal: numbered.then_some(number),
                ..row.clone()
            },
            state,
        })
        .collect()
}

fn place(sealed: &Sealed, namespace: Option<&Namespace>) -> Result<Place, Problem> {
    let place = sealed.place(namespace);
    place.map_err(|problem| Problem::new(Finding::Malformed, problem))
}

fn native<'a>(
    object: &'a Located,
    sealed: &'a SealedSecret,
    (environment, place): (&'a EnvironmentName, Place),
    pins: &'a [Pin],
) -> Result<Vec<State<'a>>, Problem> {
    let envelope = Envelope::parse(&sealed.spec)
        .map_err(|error| Problem::new(Finding::Malformed, with_causes(&error)))?;
    let context = Context::new(envelope.scope, &envelope.environment, &place);
    let seals = envelope.seals.into_iter().zip(&sealed.spec.seals);
    let states = seals.enumerate().map(|(index, (parsed, seal))| {
        if recipients::are_current(&seal.recipients, pins) {
            return State::Current;
        }
        State::Open(Task::Native(NativeTask {
            object,
            environment,
            place: place.clone(),
            scope: sealed.spec.scope,
            context: context.clone(),
            index,
            seal,
            parsed,
            pins,
        }))
    });
    Ok(states.collect())
}

fn original<'a>(
    object: &'a Located,
    sealed: &'a bitnami::SealedSecret,
    place: &Place,
    pins: &'a [Pin],
) -> Result<Vec<State<'a>>, Problem> {
    let [only] = pins else {
        return Err(Problem::new(
            Finding::SeveralCertificates,
            "an item of the original is sealed to one key, and the environment has several certificates",
        ));
    };
    let texts = texts(&sealed.spec)?;
    if texts.is_empty() {
        return Ok(vec![State::Current]);
    }
    Ok(vec![State::Open(Task::Original(OriginalTask {
        object,
        label: original::Scope::of(&sealed.metadata).label(place),
        recipient: &only.recipient,
        texts,
    }))])
}

fn texts(spec: &bitnami::Spec) -> Result<Vec<(Option<ItemName>, &str)>, Problem> {
    let malformed = |message: String| Problem::new(Finding::Malformed, message);
    let items = spec.encrypted_data.iter().flatten();
    let mut texts = items
        .map(|(name, value)| {
            let item = ItemName::parse(name.as_str()).map_err(|it| malformed(it.to_string()))?;
            let text = value.as_str();
            let text = text.ok_or_else(|| malformed(format!("item `{name}` is no text")))?;
            Ok((Some(item), text))
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    if let (true, Some(whole)) = (texts.is_empty(), &spec.data) {
        texts.push((None, whole));
    }
    Ok(texts)
}
