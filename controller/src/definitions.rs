//! The custom resource definitions that this version works with.
//!
//! They are the files of `schemas/`, which the tests hold against the types.

const DEFINITIONS: [&str; 4] = [
    include_str!("../../schemas/environments.sceau.dev.yaml"),
    include_str!("../../schemas/resealrequests.sceau.dev.yaml"),
    include_str!("../../schemas/sealedsecrets.sceau.dev.yaml"),
    include_str!("../../schemas/valuereviews.sceau.dev.yaml"),
];

/// All of them, as one stream of YAML documents.
pub fn custom_resource_definitions() -> String {
    DEFINITIONS.join("---\n")
}
