//! The form of a key Secret, the Kubernetes Secret that keeps a sealing key: written by the
//! controller, read by it and by `sceau`.

/// Its type.
pub const SECRET_TYPE: &str = "kubernetes.io/tls";
/// The item that holds the certificate, in PEM.
pub const CERTIFICATE_ITEM: &str = "tls.crt";
/// The item that holds the private key, in PEM.
pub const PRIVATE_KEY_ITEM: &str = "tls.key";
/// The label on a key Secret that names its environment.
pub const ENVIRONMENT_LABEL: &str = "sceau.dev/environment";
/// The label on a key Secret; its value is `active`, whatever the key's state is.
pub const SEALING_KEY_LABEL: &str = "sceau.dev/sealing-key";
/// The label on a key Secret whose key still opens SealedSecrets; its value is `true`.
pub const IN_USE_LABEL: &str = "sceau.dev/in-use";
/// The annotation on a key Secret with the `cutoffTime` that its key was made for, if there was one.
pub const CUTOFF_TIME_ANNOTATION: &str = "sceau.dev/cutoff-time";
/// The annotation on a key Secret in a backup whose key was revoked then; its value is `true`.
pub const REVOKED_ANNOTATION: &str = "sceau.dev/revoked";
