//! The resources of `sceau.dev/v1alpha1`, and the Bitnami SealedSecret, as the API server and
//! manifests hold them.
//!
//! Their fields are unchecked: [`crate::envelope`] checks them.

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
/// The annotation that allows the controller to adopt an existing Secret. Its value is `true`.
pub const ADOPT_ANNOTATION: &str = "sceau.dev/adopt";
/// The annotation of a Secret that holds the fingerprints of its items.
pub const FINGERPRINTS_ANNOTATION: &str = "sceau.dev/fingerprints";
/// The prefix of labels and annotations that only the controller sets.
pub const RESERVED_PREFIX: &str = "sceau.dev/";
