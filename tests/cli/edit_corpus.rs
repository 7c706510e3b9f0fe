//! Editing awkward files: beside each file of `corpus/` stands what every edit makes of it, as the
//! lines that go and come. `UPDATE=1 cargo test -p sceau --test cli corpus` writes those.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealing::{
    Context, EnvironmentName, Plaintext, Scope, SealingKey, SecretRef,
    envelope::bitnami::{Scope as BitnamiScope, seal_item},
    resource::bitnami::Metadata,
};

use crate::support::{Outcome, TestKey, TestProject};

/// The value that is set; nothing that is printed may hold it.
const NEW_VALUE: &str = "canary-77aa-value";
const EDITS: [&str; 6] = [
    "set FILE A --from-stdin",
    "set FILE NEW --from-stdin",
    "set FILE C --from-stdin",
    "unset FILE A",
    "unset FILE C",
    "rename FILE A Z --keys prod.key",
];

/// What stands for each mark of the corpus: seals of A=alpha and B=beta (1, environment-wide: e),
/// of C=gamma (2), and items of the original's (strict: o, namespace-wide: n, cluster-wide: c).
static MARKS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let key = SealingKey::parse_pem(TestKey::Prod.private_pem())
        .unwrap()
        .remove(0);
    let recipient = key.recipient().clone();
    let place = SecretRef::parse("shop", "api").unwrap();
    let prod = EnvironmentName::parse("prod").unwrap();
    let mut marks = BTreeMap::from([("@keyId".to_owned(), TestKey::Prod.id().to_owned())]);
    for (mark, scope, names) in [
        ("1", Scope::Strict, "AB"),
        ("2", Scope::Strict, "C"),
        ("e", Scope::EnvironmentWide, "AB"),
    ] {
        let items = names
            .chars()
            .map(|name| (name.to_string().parse().unwrap(), value(&name.to_string())))
            .collect();
        let context = Context::new(scope, &prod, &place);
        let recipients = [recipient.clone()];
        let now = jiff::Timestamp::UNIX_EPOCH;
        let seal = sealing::seal_items(&items, &context, &recipients, now).unwrap();
        marks.insert(format!("@{mark}.commitment"), seal.commitment);
        marks.insert(
            format!("@{mark}.wrapped"),
            seal.recipients[0].wrapped.clone(),
        );
        for (name, text) in seal.items {
            marks.insert(format!("@{mark}.{name}"), text);
        }
    }
    for (mark, annotation) in [("o", ""), ("n", "namespace-wide"), ("c", "cluster-wide")] {
        let name = format!("sealedsecrets.bitnami.com/{annotation}");
        let label = BitnamiScope::of(&Metadata {
            annotations: Some(BTreeMap::from([(name, "true".to_owned())])),
            ..Metadata::default()
        })
        .label(&place);
        for item in ["A", "B"] {
            let text = seal_item(&recipient, &label, &value(item)).unwrap();
            marks.insert(format!("@{mark}.{item}"), text);
        }
    }
    // One item over two lines.
    let (head, tail) = marks["@o.A"].split_at(76);
    let halves = [("@o.A1", head.to_owned()), ("@o.A2", tail.to_owned())];
    marks.extend(halves.map(|(mark, text)| (mark.to_owned(), text)));
    marks
});

fn value(item: &str) -> Plaintext {
    Plaintext::new(plain(item).as_bytes().to_vec())
}

fn plain(item: &str) -> &'static str {
    match item {
        "A" => "alpha",
        "B" => "beta",
        _ => "gamma",
    }
}

/// Longer marks come first: `@o.A1` begins with `@o.A`.
fn sealed(text: &str) -> String {
    let marks = MARKS.iter().rev();
    marks.fold(text.to_owned(), |text, (mark, it)| text.replace(mark, it))
}

/// The other way round; what is new is shown as such.
fn shown(text: &str) -> String {
    let mut marks: Vec<_> = MARKS.iter().collect();
    marks.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
    let text = marks
        .into_iter()
        .fold(text.to_owned(), |text, (mark, it)| text.replace(it, mark));
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+/=:".contains(c);
    let mut masked = String::new();
    for word in text.split_inclusive(|c| !is_part(c)) {
        let length = word.trim_end_matches(|c| !is_part(c)).len();
        let new = length > 100 || (length > 20 && word.starts_with("sceau:v1:"));
        masked.push_str(if new { "[SEALED]" } else { &word[..length] });
        masked.push_str(&word[length..]);
    }
    ["\r", "\t", "\u{feff}", "\u{2028}"]
        .into_iter()
        .fold(masked, |text, it| {
            text.replace(it, &it.escape_default().to_string())
        })
}

/// The lines that only one of two texts has, each with its number there.
fn difference(old: &str, new: &str) -> Vec<String> {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let mut common = vec![vec![0; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(line('-', i, old[i]));
            i += 1;
        } else {
            lines.push(line('+', j, new[j]));
            j += 1;
        }
    }
    lines
}

fn line(sign: char, index: usize, text: &str) -> String {
    let end = if text.ends_with('\n') {
        ""
    } else {
        "  (no line break)"
    };
    format!(
        "{sign}{:<3} {}{end}\n",
        index + 1,
        shown(text.trim_end_matches('\n'))
    )
}

/// The files of the corpus without what is expected of them.
fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cli/corpus");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|it| it != "expected"))
        .collect();
    files.sort();
    files
}

#[test]
fn each_edit_of_the_corpus_changes_what_it_must_and_nothing_else() {
    let files = corpus();
    assert!(files.len() >= 60, "{} files", files.len());
    let mut unsealed = 0;
    for path in files {
        let text = sealed(&fs::read_to_string(&path).unwrap());
        let mut project = TestProject::new()
            .private_key("prod.key", TestKey::Prod)
            .stdin(NEW_VALUE);
        let mut told = String::new();
        for edit in EDITS {
            project = project.file("deploy/api/prod/it", &text);
            let outcome = project.run(&edit.replace("FILE", "deploy/api/prod/it"));
            told.push_str(&tell(edit, &text, &outcome));
            if outcome.code == 0 && can_be_unsealed(&text) {
                let found = unseal(outcome.file("deploy/api/prod/it"));
                let expected = edited(unseal(&text), edit);
                assert_eq!(found, expected, "{}: {edit}", path.display());
                unsealed += 1;
            }
        }
        check(&path.with_added_extension("expected"), &told);
    }
    assert!(unsealed >= 200, "{unsealed} edited files were unsealed");
}

#[track_caller]
fn check(path: &Path, told: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, told).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == told,
        "{} differs:\n{}",
        path.display(),
        difference(&expected, told).concat()
    );
}

fn tell(edit: &str, before: &str, outcome: &Outcome) -> String {
    let said = outcome.stderr().replace("deploy/api/prod/it", "FILE");
    assert!(!said.contains(NEW_VALUE) && outcome.stdout().is_empty());
    let lines = match outcome.code {
        0 => difference(before, outcome.file("deploy/api/prod/it")).concat(),
        code => {
            assert_eq!(
                (code, outcome.changed_files()),
                (1, Vec::new()),
                "{outcome}"
            );
            String::new()
        }
    };
    format!("# {edit}\n{}{lines}\n", shown(&said))
}

/// A template is rendered first, and `unseal` takes nothing but SealedSecrets.
fn can_be_unsealed(text: &str) -> bool {
    let other = ["{{", "${", "ConfigMap"];
    !other.iter().any(|other| text.contains(other))
}

fn unseal(text: &str) -> BTreeMap<String, String> {
    let project = TestProject::empty()
        .private_key("prod.key", TestKey::Prod)
        .file("it", text);
    let unsealed = project
        .run("unseal it --keys prod.key -n shop -o json")
        .done();
    let secret: serde_json::Value = serde_json::from_str(unsealed.stdout()).unwrap();
    let items = secret["data"].as_object().unwrap().iter();
    items
        .map(|(name, value)| {
            let bytes = STANDARD.decode(value.as_str().unwrap()).unwrap();
            (name.clone(), String::from_utf8(bytes).unwrap())
        })
        .collect()
}

/// The items that an edit makes of others.
fn edited(mut items: BTreeMap<String, String>, edit: &str) -> BTreeMap<String, String> {
    let words: Vec<&str> = edit.split(' ').collect();
    match words[0] {
        "set" => drop(items.insert(words[2].to_owned(), NEW_VALUE.to_owned())),
        "unset" => drop(items.remove(words[2])),
        _ => {
            let value = items.remove(words[2]).unwrap();
            items.insert(words[3].to_owned(), value);
        }
    }
    items
}
