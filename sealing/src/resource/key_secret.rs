//! The form of a key Secret, the Kubernetes Secret that holds a sealing key. The controller writes
//! it; the controller and `sceau` read it.

/// The type of a key Secret.
pub const SECRET_TYPE: &str = "kubernetes.io/tls";
/// The item that holds the certificate, in PEM.
pub const CERTIFICATE_ITEM: &str = "tls.crt";
/// The item that holds the private key, in PEM.
pub const PRIVATE_KEY_ITEM: &str = "tls.key";
/// The label on a key Secret that names its environment.
pub const ENVIRONMENT_LABEL: &str = "sceau.dev/environment";
/// The label on a key Secret. Its value is `active` in every state of the key.
pub const SEALING_KEY_LABEL: &str = "sceau.dev/sealing-key";
/// The label on a key Secret whose key SealedSecrets still need. Its value is `true`.
pub const IN_USE_LABEL: &str = "sceau.dev/in-use";
/// The annotation on a key Secret with the `cutoffTime` that caused its generation, if any.
pub const CUTOFF_TIME_ANNOTATION: &str = "sceau.dev/cutoff-time";
/// The annotation on a key Secret in a backup whose key was revoked at that time. Its value is
/// `true`.
pub const REVOKED_ANNOTATION: &str = "sceau.dev/revoked";
