//! The CRDs under `schemas/` are what the resource types say.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;
use sealing::resource::{Environment, ResealRequest, SealedSecret, ValueReview};

const HEADER: &str =
    "# Generated from the types in sealing/src/resource by `UPDATE=1 cargo test -p repo`.\n";

fn check(path: &str, crd: &CustomResourceDefinition) {
    let yaml = serde_saphyr::to_string(crd).unwrap();
    repo::check_generated(path, &format!("{HEADER}{yaml}"));
}

#[test]
fn custom_resource_definitions_are_generated_from_the_types() {
    check("schemas/sealedsecrets.sceau.dev.yaml", &SealedSecret::crd());
    check("schemas/environments.sceau.dev.yaml", &Environment::crd());
    check("schemas/valuereviews.sceau.dev.yaml", &ValueReview::crd());
    check(
        "schemas/resealrequests.sceau.dev.yaml",
        &ResealRequest::crd(),
    );
}
