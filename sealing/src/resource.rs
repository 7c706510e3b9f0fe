//! The resources of `sceau.dev/v1alpha1`, and the original's SealedSecret, as the API server and
//! manifests carry them.
//!
//! Their fields are what was written, not what was checked: [`crate::envelope`] checks.

pub mod bitnami;
mod environment;
mod inquiry;
mod request;
mod reseal_request;
mod sealed_secret;
mod value_place;

pub use environment::{
    Environment, EnvironmentSpec, EnvironmentStatus, SealingKeySettings, SealingKeyState,
    SealingKeyStatus,
};
pub use inquiry::{Inquiry, InquirySpec, InquiryStatus, ReuseQuestion, SealedValue, TraceQuestion};
pub use request::RequestStatus;
pub use reseal_request::{
    ResealOutcome, ResealRequest, ResealRequestSpec, ResealRequestStatus, ResealResult, SealHeader,
};
pub use sealed_secret::{
    Seal, SealStatus, SealedSecret, SealedSecretSpec, SealedSecretStatus, SecretTemplate,
    TemplateMetadata, UnchangedItem, WrappedFileKey, WrittenSecret,
};
pub use value_place::ValuePlace;

/// The API group of sceau's own resources.
pub const GROUP: &str = "sceau.dev";
/// The label on a key Secret that names its environment.
pub const ENVIRONMENT_LABEL: &str = "sceau.dev/environment";
/// The label on a key Secret; its value is `active`, whatever the key's state is.
pub const SEALING_KEY_LABEL: &str = "sceau.dev/sealing-key";
/// The label on a key Secret whose key still opens SealedSecrets; its value is `true`.
pub const IN_USE_LABEL: &str = "sceau.dev/in-use";
/// The annotation on a key Secret with the `renewBefore` that its key was made for, if there was one.
pub const RENEW_BEFORE_ANNOTATION: &str = "sceau.dev/renew-before";
/// The annotation on a key Secret in a backup whose key was revoked then; its value is `true`.
pub const REVOKED_ANNOTATION: &str = "sceau.dev/revoked";
/// The annotation by which an existing Secret may be taken over; its value is `true`.
pub const ADOPT_ANNOTATION: &str = "sceau.dev/adopt";
/// The annotation of a Secret that holds the fingerprints of its items.
pub const FINGERPRINTS_ANNOTATION: &str = "sceau.dev/fingerprints";
/// Labels and annotations of this prefix are the controller's.
pub const RESERVED_PREFIX: &str = "sceau.dev/";
