//! The plan for each seal: decided from manifests and pinned certificates alone.

mod pins;
mod recipients;
mod survey;

use sealing::{
    Context, EnvironmentName, ItemName, Namespace, Recipient, Scope, SecretRef,
    envelope::{
        bitnami::{self as kubeseal, Label},
        native::{Envelope, ParsedSeal},
    },
    resource::{Seal, SealedSecret, WrappedFileKey, bitnami},
};

pub(crate) use self::{
    pins::Pin,
    survey::{FoundSeal, survey},
};
pub(super) use self::{pins::Pins, recipients::merged};
use super::{
    finding::{Finding, Problem},
    report::ResealRow,
};
use crate::{
    error::with_causes,
    manifest::{Located, Sealed},
    project::{
        FILE_NAME, Project,
        resolve::{self, EnvironmentHints},
    },
    repository::sealed_files::SealedFile,
};

/// The options of the command line.
pub(super) struct Request<'a> {
    /// The environment, if only one is resealed.
    pub(super) environment: Option<&'a EnvironmentName>,
    /// The namespace of SealedSecrets that name none.
    pub(super) namespace: Option<&'a Namespace>,
}

/// A file and the plan for its seals.
pub(super) struct PlannedFile<'a> {
    pub(super) file: &'a SealedFile,
    pub(super) subjects: Vec<Subject<'a>>,
}

/// A seal, or a whole SealedSecret if its seals are unknown.
pub(super) struct Subject<'a> {
    /// The row of the report, as far as it is known.
    pub(super) row: ResealRow,
    pub(super) state: State<'a>,
}

/// The state of a seal.
pub(super) enum State<'a> {
    /// It is wrapped for exactly the pinned recipients.
    Current,
    /// It cannot be resealed.
    Blocked(Problem),
    /// It is stale, or may be.
    Stale(Task<'a>),
}

/// A seal, or items in the kubeseal format, to wrap again.
pub(super) enum Task<'a> {
    Native(NativeTask<'a>),
    Bitnami(BitnamiTask<'a>),
}

/// A seal that is stale.
pub(super) struct NativeTask<'a> {
    pub(super) object: &'a Located,
    pub(super) environment: &'a EnvironmentName,
    pub(super) place: SecretRef,
    pub(super) scope: Scope,
    pub(super) context: Context,
    /// Its index among the manifest's seals.
    pub(super) index: usize,
    pub(super) seal: &'a Seal,
    pub(super) parsed: ParsedSeal,
    pub(super) pins: &'a [Pin],
}

/// The items of a SealedSecret in the kubeseal format, which may be stale.
pub(super) struct BitnamiTask<'a> {
    pub(super) object: &'a Located,
    pub(super) label: Label,
    pub(super) recipient: &'a Recipient,
    /// Each sealed text with its item's name. A whole sealed Secret has no name.
    pub(super) texts: Vec<(Option<ItemName>, &'a str)>,
}

/// The result of wrapping again.
pub(super) enum Rewrapped {
    /// Items in the kubeseal format with their new texts; none if all are current.
    Items(Vec<(Option<ItemName>, String)>),
    /// The file key for recipients that the seal did not have.
    Recipients(Vec<WrappedFileKey>),
    /// Wrapping was not tried.
    Untried,
}

impl PlannedFile<'_> {
    /// The seals to wrap, in the file's order.
    pub(super) fn stale(&self) -> impl Iterator<Item = &Task<'_>> {
        self.subjects
            .iter()
            .filter_map(|subject| match &subject.state {
                State::Stale(task) => Some(task),
                State::Current | State::Blocked(_) => None,
            })
    }

    /// The number of seals to wrap.
    pub(super) fn tasks(&self) -> usize {
        self.stale().count()
    }
}

impl Task<'_> {
    /// The result without keys and without a cluster.
    pub(super) fn untried(&self) -> Result<Rewrapped, Problem> {
        match self {
            Self::Native(_) => Ok(Rewrapped::Untried),
            Self::Bitnami(_) => Err(needs_keys()),
        }
    }
}

/// Items in the kubeseal format can be resealed with private keys only.
pub(super) fn needs_keys() -> Problem {
    Problem::new(
        Finding::NotThroughCluster,
        "items in the kubeseal format do not name their key: pass the private keys with `--keys`",
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

/// Plans every seal of a file.
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
                row: ResealRow::new(&unreadable.origin),
                state: State::Blocked(Problem::new(Finding::Unreadable, &unreadable.problem)),
            }),
        }
    }
    PlannedFile { file, subjects }
}

/// Whether an object is of the requested environment, or may be.
fn concerns(
    request: &Request<'_>,
    object: &Located,
    environment: &Result<&EnvironmentName, Problem>,
) -> bool {
    let Some(requested) = request.environment else {
        return true;
    };
    // An object of an unknown environment is reported rather than left out: it could be stale.
    match (environment, &object.sealed) {
        (Ok(environment), _) => *environment == requested,
        (Err(_), Sealed::Native(sealed)) => sealed.spec.environment == requested.as_str(),
        (Err(_), Sealed::Bitnami(_)) => true,
    }
}

/// The environment of an object. A native manifest names it. For the kubeseal format the path rules
/// do, else `--environment`.
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
                unknown(format!("{FILE_NAME} has no environment `{name}`"))
            }),
        Sealed::Bitnami(_) => {
            let by_path = EnvironmentHints {
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
    let mut row = ResealRow::of(object);
    let states = environment.and_then(|environment| {
        row.environment = Some(environment.to_string());
        let place = place(&object.sealed, request.namespace)?;
        row.location.namespace = Some(place.namespace.to_string());
        let pins = pins.of(environment);
        match &object.sealed {
            Sealed::Native(sealed) => native(object, sealed, (environment, place), pins),
            Sealed::Bitnami(sealed) => bitnami(object, sealed, &place, pins),
        }
    });
    // A malformed manifest gets one row: its seals are unknown, so they have no numbers.
    let numbered = matches!(object.sealed, Sealed::Native(_)) && states.is_ok();
    let states = states.unwrap_or_else(|problem| vec![State::Blocked(problem)]);
    (1..)
        .zip(states)
        .map(|(number, state)| Subject {
            row: ResealRow {
                seal: numbered.then_some(number),
                ..row.clone()
            },
            state,
        })
        .collect()
}

fn place(sealed: &Sealed, namespace: Option<&Namespace>) -> Result<SecretRef, Problem> {
    let place = sealed.place(namespace);
    place.map_err(|problem| Problem::new(Finding::Malformed, problem))
}

fn native<'a>(
    object: &'a Located,
    sealed: &'a SealedSecret,
    (environment, place): (&'a EnvironmentName, SecretRef),
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
        State::Stale(Task::Native(NativeTask {
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

fn bitnami<'a>(
    object: &'a Located,
    sealed: &'a bitnami::SealedSecret,
    place: &SecretRef,
    pins: &'a [Pin],
) -> Result<Vec<State<'a>>, Problem> {
    // The item format has room for one wrapped key. A second cluster could not decrypt it.
    let [only] = pins else {
        return Err(Problem::new(
            Finding::SeveralCertificates,
            "an item in the kubeseal format is sealed to one key, but the environment has several certificates",
        ));
    };
    let texts = texts(&sealed.spec)?;
    if texts.is_empty() {
        return Ok(vec![State::Current]);
    }
    Ok(vec![State::Stale(Task::Bitnami(BitnamiTask {
        object,
        label: kubeseal::Scope::of(&sealed.metadata).label(place),
        recipient: &only.recipient,
        texts,
    }))])
}

fn texts(spec: &bitnami::Spec) -> Result<Vec<(Option<ItemName>, &str)>, Problem> {
    let malformed = |message: String| Problem::new(Finding::Malformed, message);
    let items = spec.encrypted_data.iter().flatten();
    let mut texts = items
        .map(|(name, value)| {
            let item =
                ItemName::parse(name.as_str()).map_err(|error| malformed(error.to_string()))?;
            let text = value.as_str();
            let text = text.ok_or_else(|| malformed(format!("item `{name}` is not a string")))?;
            Ok((Some(item), text))
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    if let (true, Some(whole)) = (texts.is_empty(), &spec.data) {
        texts.push((None, whole));
    }
    Ok(texts)
}
