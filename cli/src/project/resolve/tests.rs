use sealing::SecretName;

use super::*;

const ROOT: &str = "/repository";
const PROJECT: &str = "\
environments:
  dev: {paths: ['deploy/*/dev/**']}
  prod: {paths: ['deploy/*/prod/**', 'shared.yaml']}
  test: {paths: ['shared.*']}
";

/// Which environment these hints lead to, or the error.
#[track_caller]
fn check(requested: Option<&str>, input: Option<&str>, target: Option<&str>, expected: &str) {
    let project = Project::parse(ROOT.into(), PROJECT).unwrap();
    let requested = requested.map(|name| EnvironmentName::parse(name).unwrap());
    let path = |relative: Option<&str>| relative.map(|path| Path::new(ROOT).join(path));
    let (input, target) = (path(input), path(target));
    let decision = environment(
        &project,
        EnvironmentHints {
            requested: requested.as_ref(),
            input: input.as_deref(),
            target: target.as_deref(),
        },
    );
    let found = match decision {
        Ok(Decision {
            name,
            conflict: None,
        }) => name.to_string(),
        Ok(Decision {
            name,
            conflict: Some(conflict),
        }) => format!("{name}, although {conflict}"),
        Err(error) => error.message,
    };
    assert_eq!(found, expected);
}

#[test]
fn the_flag_decides_and_the_paths_may_doubt_it() {
    let dev = Some("deploy/api/dev/a.yaml");
    let conflict = "deploy/api/dev/a.yaml belongs to `dev` in sceau.yaml";
    check(Some("dev"), dev, None, "dev");
    check(Some("prod"), None, None, "prod");
    check(
        Some("prod"),
        dev,
        None,
        &format!("prod, although {conflict}"),
    );
    check(
        Some("prod"),
        None,
        dev,
        &format!("prod, although {conflict}"),
    );
    check(Some("dev"), Some("elsewhere"), dev, "dev");
    check(
        Some("live"),
        dev,
        None,
        "sceau.yaml has no environment `live`",
    );
}

#[test]
fn without_the_flag_the_input_decides_and_then_the_target() {
    let (dev, prod) = (Some("deploy/a/dev/x"), Some("deploy/a/prod/sub/x"));
    check(None, dev, None, "dev");
    check(None, None, prod, "prod");
    check(None, Some("elsewhere"), prod, "prod");
    check(None, prod, prod, "prod");
    check(
        None,
        dev,
        prod,
        "deploy/a/dev/x belongs to `dev` in sceau.yaml, but deploy/a/prod/sub/x belongs to `prod` in sceau.yaml",
    );
}

#[test]
fn undecided_paths_are_errors() {
    check(None, None, None, "the environment is unknown");
    check(
        None,
        Some("/elsewhere/x"),
        None,
        "the environment is unknown",
    );
    check(
        None,
        Some("deploy/dev/x"),
        None,
        "no path rule of sceau.yaml matches deploy/dev/x, so its environment is unknown",
    );
    check(
        None,
        Some("shared.yaml"),
        None,
        "`prod` and `test` both claim shared.yaml in sceau.yaml",
    );
}

#[test]
fn a_namespace_comes_from_the_manifest_or_the_flag_and_from_nowhere_else() {
    let namespace = |name: &str| Namespace::parse(name).unwrap();
    let place_of = |own: Option<&str>, given: Option<&str>| {
        let object = SecretObject {
            name: Some(SecretName::parse("api").unwrap()),
            namespace: own.map(namespace),
            template: sealing::resource::SecretTemplate::default(),
            items: BTreeMap::new(),
        };
        let given = given.map(namespace);
        let secret = secret(object, given.as_ref(), Empty::Allowed);
        secret
            .map(|secret| secret.place.to_string())
            .map_err(|error| error.message)
    };
    assert_eq!(place_of(Some("shop"), None).unwrap(), "shop/api");
    assert_eq!(place_of(None, Some("shop")).unwrap(), "shop/api");
    assert_eq!(place_of(Some("shop"), Some("shop")).unwrap(), "shop/api");
    assert!(place_of(Some("shop"), Some("other")).is_err());
    assert!(place_of(None, None).is_err());
}

#[test]
fn a_place_may_come_once_in_each_environment() {
    let [dev, prod] = ["dev", "prod"].map(|name| EnvironmentName::parse(name).unwrap());
    let [api, db] = ["api", "db"].map(|name| SecretRef::parse("shop", name).unwrap());
    assert_eq!(
        first_duplicate([(&dev, &api, 1), (&prod, &api, 2), (&dev, &db, 3)]),
        None
    );
    assert_eq!(
        first_duplicate([(&dev, &api, 1), (&dev, &db, 2), (&dev, &api, 3)]),
        Some((1, 3))
    );
}
