//! The resources of `sceau.dev/v1alpha1`, and the original's SealedSecret, as the API server and
//! manifests carry them.
//!
//! Their fields are what was written, not what was checked: [`crate::envelope`] checks.

pub mod bitnami;
mod environment;
pub mod key_secret;
mod request;
mod reseal_request;
mod sealed_secret;
mod value_review;

pub use environment::{
    Environment, EnvironmentSpec, EnvironmentStatus, SealingKeySettings, SealingKeyState,
    SealingKeyStatus,
};
pub use request::RequestStatus;
pub use reseal_request::{
    ResealOutcome, ResealRequest, ResealRequestSpec, ResealRequestStatus, ResealResult, SealHeader,
};
pub use sealed_secret::{
    Seal, SealStatus, SealedSecret, SealedSecretSpec, SealedSecretStatus, SecretTemplate,
    TemplateMetadata, UnchangedItem, WrappedFileKey, WrittenSecret,
};
pub use value_review::{
    ReuseQuestion, SealedValue, TraceQuestion, ValueReview, ValueReviewSpec, ValueReviewStatus,
};

/// The API group of sceau's own resources.
pub const GROUP: &str = "sceau.dev";
/// The annotation by which an existing Secret may be taken over; its value is `true`.
pub const ADOPT_ANNOTATION: &str = "sceau.dev/adopt";
/// The annotation of a Secret that holds the fingerprints of its items.
pub const FINGERPRINTS_ANNOTATION: &str = "sceau.dev/fingerprints";
/// Labels and annotations of this prefix are the controller's.
pub const RESERVED_PREFIX: &str = "sceau.dev/";
