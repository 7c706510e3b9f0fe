//! Properties of edits on generated files: what they say changes as meant, and every other line
//! stays. `SCEAU_EDITS=20000` makes that many edits instead of a few hundred.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::TestProject;

const FILE: &str = "deploy/api/prod/it.yaml";

/// How a file is written.
#[derive(Debug, Clone)]
struct Writing {
    form: Form,
    format: Format,
    dash: usize,
    gap: usize,
    deeper: usize,
    quote: &'static str,
    flow_items: bool,
    line_break: &'static str,
    final_break: bool,
    neighbours: (bool, bool),
    template: bool,
    /// Which lines have a comment or a blank line above, and which a comment at their end.
    above: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Native,
    Bitnami,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Block,
    Kyaml { cuddled: bool, trailing: bool },
    Pretty,
    Compact,
}

fn writings() -> impl Strategy<Value = Writing> {
    let kyaml = (any::<bool>(), any::<bool>())
        .prop_map(|(cuddled, trailing)| Form::Kyaml { cuddled, trailing });
    let forms = prop_oneof![
        Just(Form::Block),
        kyaml,
        prop::sample::select(vec![Form::Pretty, Form::Compact]),
    ];
    (
        (0..3_usize, 1..4_usize, 0..3_usize, any::<bool>()),
        (
            prop::sample::select(vec!["", "'", "\""]),
            forms,
            prop::sample::select(vec![Format::Native, Format::Bitnami]),
        ),
        (prop::sample::select(vec!["\n", "\r\n"]), any::<bool>()),
        (any::<bool>(), any::<bool>(), any::<bool>()),
        prop_oneof![
            2 => prop::collection::vec(0..8_u8, 12),
            1 => Just(vec![9]),
        ],
    )
        .prop_map(
            |(
                (dash, gap, deeper, flow_items),
                (quote, form, format),
                (line_break, final_break),
                rest,
                above,
            )| Writing {
                form,
                format,
                dash: 2 + dash,
                gap,
                deeper,
                quote,
                flow_items,
                line_break,
                final_break,
                neighbours: (rest.0, rest.1),
                template: rest.2,
                above,
            },
        )
}

/// Seals by their items; an item has the number of its bytes.
type Seals = Vec<BTreeMap<String, usize>>;

/// Up to four seals of up to four items each, no item in two.
fn seals() -> impl Strategy<Value = Seals> {
    prop::collection::btree_map(
        "[A-D]{1,3}|on|12|-x|a[.]b",
        (0..4_usize, 16..60_usize),
        1..9,
    )
    .prop_map(|items| {
        let mut seals = vec![BTreeMap::new(); 4];
        for (name, (seal, bytes)) in items {
            seals[seal].insert(name, bytes);
        }
        seals.retain(|seal| !seal.is_empty());
        seals
    })
}

fn text_of(bytes: usize) -> String {
    format!("sceau:v1:{}", STANDARD.encode(vec![7; bytes]))
}

/// What a generated SealedSecret says.
fn said(seals: &Seals, writing: &Writing) -> Value {
    let mut said = json!({
        "kind": "SealedSecret",
        "metadata": {"name": "api", "namespace": "shop"},
    });
    if writing.format == Format::Bitnami {
        let items = seals.iter().flatten();
        let items =
            items.map(|(name, bytes)| (name.clone(), STANDARD.encode(vec![7; *bytes]).into()));
        said["apiVersion"] = "bitnami.com/v1alpha1".into();
        said["spec"] = json!({"encryptedData": items.collect::<serde_json::Map<_, _>>()});
    } else {
        let seal = |items: &BTreeMap<String, usize>| {
            let items = items.iter();
            let items = items.map(|(name, bytes)| (name.clone(), text_of(*bytes).into()));
            json!({
                "sealedAt": "2026-01-01T00:00:00Z",
                "commitment": text_of(32),
                "recipients": [{
                    "keyId": format!("sha256:{}", "0".repeat(64)),
                    "suite": "RSA-OAEP-SHA256",
                    "wrapped": text_of(256),
                }],
                "items": items.collect::<serde_json::Map<_, _>>(),
            })
        };
        let seals: Vec<Value> = seals.iter().map(seal).collect();
        said["apiVersion"] = "sceau.dev/v1alpha1".into();
        said["spec"] = json!({"environment": "prod", "scope": "strict", "seals": seals});
    }
    if writing.template {
        said["spec"]["template"] = json!({"type": "Opaque"});
    }
    said
}

/// The names of a mapping in the order in which files say them: what an edit adds stands last.
fn in_order(mapping: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
    const ORDER: [&str; 17] = [
        "apiVersion",
        "kind",
        "metadata",
        "name",
        "namespace",
        "environment",
        "scope",
        "sealedAt",
        "commitment",
        "recipients",
        "items",
        "keyId",
        "suite",
        "wrapped",
        "encryptedData",
        "seals",
        "template",
    ];
    let place = |name: &str| match ORDER.iter().position(|it| *it == name) {
        Some(place) => place,
        None if name == "NEW" => 101,
        None if name == "spec" => 102,
        None => 100,
    };
    let mut entries: Vec<_> = mapping.iter().collect();
    entries.sort_by_key(|(name, _)| place(name));
    entries
}

impl Writing {
    fn file(&self, said: &Value) -> String {
        let other = "# other\nkind:   ConfigMap\ndata: {a:   'b'} # c\n";
        let mut text = String::new();
        if self.neighbours.0 {
            text.extend([other, "---\n"]);
        }
        let lines: Vec<String> = self.document(said).lines().map(str::to_owned).collect();
        text += &self.commented(&lines);
        if self.neighbours.1 {
            text.extend(["--- # next\n", other]);
        }
        if !self.final_break {
            text.pop();
        }
        text.replace('\n', self.line_break)
    }

    /// The document without its comments.
    fn document(&self, said: &Value) -> String {
        match self.form {
            Form::Block => self.block(said).join("\n"),
            Form::Compact => self.in_brackets(said, ""),
            Form::Kyaml { .. } | Form::Pretty => self.in_brackets(said, "\n"),
        }
    }

    /// `break_` is a line break with the indentation outside, or nothing.
    fn in_brackets(&self, said: &Value, break_: &str) -> String {
        let inner = if break_.is_empty() {
            String::new()
        } else {
            format!("{break_}{}", " ".repeat(self.dash))
        };
        let (is_kyaml, cuddled, trailing) = match self.form {
            Form::Kyaml { cuddled, trailing } => (true, cuddled, trailing),
            _ => (false, false, false),
        };
        let comma = if trailing { "," } else { "" };
        let space = if break_.is_empty() { "" } else { " " };
        match said {
            Value::Object(mapping) if !mapping.is_empty() => {
                let entries = in_order(mapping).into_iter().map(|(name, said)| {
                    let is_plain = is_kyaml && !["on", "12", "-x"].contains(&name.as_str());
                    let quote = if is_plain { "" } else { "\"" };
                    let said = self.in_brackets(said, &inner);
                    format!("{inner}{quote}{name}{quote}:{space}{said}")
                });
                let entries: Vec<String> = entries.collect();
                format!("{{{}{comma}{break_}}}", entries.join(","))
            }
            Value::Array(elements) if !elements.is_empty() && cuddled => {
                let elements = elements.iter().map(|said| self.in_brackets(said, break_));
                format!("[{}]", elements.collect::<Vec<_>>().join(", "))
            }
            Value::Array(elements) if !elements.is_empty() => {
                let elements = elements
                    .iter()
                    .map(|said| format!("{inner}{}", self.in_brackets(said, &inner)));
                format!(
                    "[{}{comma}{break_}]",
                    elements.collect::<Vec<_>>().join(",")
                )
            }
            said => said.to_string(),
        }
    }

    fn block(&self, said: &Value) -> Vec<String> {
        let text = |said: &Value| said.as_str().unwrap().to_owned();
        let mut lines = vec![format!("apiVersion: {}", text(&said["apiVersion"]))];
        lines.extend(
            "kind: SealedSecret|metadata:|  name: api|  namespace: shop|spec:"
                .split('|')
                .map(str::to_owned),
        );
        let spec = &said["spec"];
        if let Some(items) = spec["encryptedData"].as_object() {
            lines.extend(self.items(items, "  ", "encryptedData"));
        } else {
            lines.extend(["  environment: prod", "  scope: strict", "  seals:"].map(str::to_owned));
            for seal in spec["seals"].as_array().unwrap() {
                lines.extend(self.seal(seal));
            }
        }
        if self.template {
            lines.extend(["  template:", "    type: Opaque"].map(str::to_owned));
        }
        lines
    }

    fn seal(&self, seal: &Value) -> Vec<String> {
        let dash = " ".repeat(self.dash);
        let field = " ".repeat(self.dash + 1 + self.gap);
        let deeper = format!("{field}{}", " ".repeat(self.deeper));
        let quote = self.quote;
        let text = |said: &Value| said.as_str().unwrap().to_owned();
        let recipient = &seal["recipients"][0];
        let mut lines = vec![
            format!(
                "{dash}-{}sealedAt: {}",
                " ".repeat(self.gap),
                seal["sealedAt"]
            ),
            format!(
                "{field}commitment: {quote}{}{quote}",
                text(&seal["commitment"])
            ),
            format!("{field}recipients:"),
            format!("{deeper}- keyId: {}", text(&recipient["keyId"])),
            format!("{deeper}  suite: {}", text(&recipient["suite"])),
            format!("{deeper}  wrapped: {}", text(&recipient["wrapped"])),
        ];
        lines.extend(self.items(seal["items"].as_object().unwrap(), &field, "items"));
        lines
    }

    fn items(
        &self,
        items: &serde_json::Map<String, Value>,
        field: &str,
        name: &str,
    ) -> Vec<String> {
        let quote = self.quote;
        let deeper = " ".repeat(self.deeper);
        let items = items.iter();
        let items = items
            .map(|(name, text)| format!("\"{name}\": {quote}{}{quote}", text.as_str().unwrap()));
        if self.flow_items {
            let items: Vec<String> = items.collect();
            return vec![format!("{field}{name}: {{{}}}", items.join(", "))];
        }
        let mut lines = vec![format!("{field}{name}:")];
        lines.extend(items.map(|item| format!("{field}{deeper} {item}")));
        lines
    }

    fn commented(&self, lines: &[String]) -> String {
        let mut text = String::new();
        if matches!(self.form, Form::Kyaml { .. }) {
            text.push_str("---\n");
        }
        for (number, line) in lines.iter().enumerate() {
            let (above, end) = match self.above[number % self.above.len()] {
                _ if matches!(self.form, Form::Pretty | Form::Compact) => {
                    (String::new(), String::new())
                }
                0 => (format!("# above {number}\n"), String::new()),
                1 => (format!("      # deep {number}\n\n"), String::new()),
                2 => (String::new(), format!("   # end {number}")),
                3 => ("\n".to_owned(), String::new()),
                _ => (String::new(), String::new()),
            };
            text.extend([above.as_str(), line, &end, "\n"]);
        }
        text
    }

    fn has_comments(&self) -> bool {
        !matches!(self.form, Form::Pretty | Form::Compact) && self.above.iter().any(|it| *it < 4)
    }

    /// Asserts that a file says this in the form that it had: byte for byte if it has no comments,
    /// and but for white space and comments else.
    fn check_form(&self, after: &str, said: &Value) -> Result<(), TestCaseError> {
        if self.form == Form::Block {
            return Ok(());
        }
        let expected = self.document(said).replace('\n', self.line_break);
        if self.has_comments() {
            let after = squeezed(after);
            let expected = squeezed(&expected);
            prop_assert!(after.contains(&expected), "{after}\n\n{expected}");
        } else {
            prop_assert!(after.contains(&expected), "{after}\n\n{expected}");
        }
        Ok(())
    }
}

/// A text without white space and comments.
fn squeezed(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    lines
        .flat_map(str::chars)
        .filter(|it| !it.is_whitespace())
        .collect()
}

/// The edited document as a value: JSON is read by its own reader.
fn value(text: &str, form: Form) -> Value {
    let documents = text.replace('\r', "");
    let mut documents = documents.split("---");
    let document = documents.find(|it| it.contains("SealedSecret")).unwrap();
    let document = document.strip_prefix(" # next").unwrap_or(document);
    match form {
        Form::Pretty | Form::Compact => serde_json::from_str(document).unwrap(),
        Form::Block | Form::Kyaml { .. } => serde_saphyr::from_str(document).unwrap(),
    }
}

/// Takes an item out of the seals of a value, as format.md says.
fn take(value: &mut Value, item: &str, is_only: impl Fn(usize) -> bool) {
    if let Some(items) = value["spec"].get_mut("encryptedData") {
        items.as_object_mut().unwrap().remove(item);
        return;
    }
    let seals = value["spec"]["seals"].as_array_mut().unwrap();
    let holder = seals
        .iter()
        .position(|seal| seal["items"].get(item).is_some());
    let Some(index) = holder else { return };
    let items = seals[index]["items"].as_object_mut().unwrap();
    items.remove(item);
    if items.is_empty() && !is_only(seals.len()) {
        seals.remove(index);
    }
}

/// Takes what an edit set out of a value, and puts it in another one.
fn put(expected: &mut Value, found: &Value, item: &str) {
    let spec = &found["spec"];
    if let Some(items) = spec.get("encryptedData") {
        let expected = &mut expected["spec"]["encryptedData"];
        expected[item] = items[item].clone();
        assert!(items[item].as_str().is_some_and(|text| text.len() > 100));
    } else {
        let new = spec["seals"].as_array().unwrap().last().unwrap();
        let names: Vec<&String> = new["items"].as_object().unwrap().keys().collect();
        assert_eq!(names, [item]);
        let seals = expected["spec"]["seals"].as_array_mut().unwrap();
        seals.push(new.clone());
    }
}

/// Whether all of `some` stand in `all`, in their order.
fn is_subsequence(some: &[&str], all: &[&str]) -> bool {
    let mut all = all.iter();
    some.iter().all(|line| all.any(|it| it == line))
}

fn cases() -> u32 {
    let asked = std::env::var("SCEAU_EDITS").ok();
    asked.map_or(400, |asked| asked.parse().unwrap())
}

/// Asserts that every comment on a line of its own stays, and that few other lines changed:
/// `removed` lines at most went.
fn check_lines(
    before: &str,
    after: &str,
    command: &str,
    removed: usize,
) -> Result<(), TestCaseError> {
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let is_comment = |line: &&str| line.trim_start().starts_with('#');
    let comments: Vec<&str> = old.iter().copied().filter(is_comment).collect();
    prop_assert!(is_subsequence(&comments, &new), "{before}\n\n{after}");
    let added = if command == "unset" { 0 } else { 12 };
    let kept = new.iter().filter(|line| old.contains(line)).count();
    // A line of braces is replaced, and so is the last line when it has no line break.
    prop_assert!(new.len() - kept <= added + 3, "{before}\n\n{after}");
    // A comment at the end of a line goes with the line only.
    let ends = old.iter().filter_map(|line| line.split_once("# end"));
    let stays = |end: &str| new.iter().any(|line| line.trim_end().ends_with(end));
    let lost = ends.filter(|(_, end)| !stays(&format!("# end{}", end.trim_end())));
    prop_assert!(lost.count() <= removed, "{before}\n\n{after}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn edits_say_what_is_meant_and_keep_every_other_line(
        seals in seals(),
        writing in writings(),
        which in any::<prop::sample::Index>(),
        command in prop::sample::select(vec!["set", "add", "unset"]),
    ) {
        let said = said(&seals, &writing);
        let before = writing.file(&said);
        prop_assert_eq!(&value(&before, writing.form), &said);
        let names: Vec<&String> = seals.iter().flat_map(BTreeMap::keys).collect();
        let item = if command == "add" { "NEW" } else { which.get(&names).as_str() };
        let words = match command {
            "unset" => vec!["unset", FILE, "--", item],
            _ => vec!["set", FILE, "--from-stdin", "--", item],
        };
        let project = TestProject::new().file(FILE, &before).stdin("v");
        let outcome = project.run_words("", &words);
        prop_assert_eq!(outcome.code, 0, "{}\n{}", outcome, before);
        let after = outcome.file(FILE);

        let (mut expected, found) = (said.clone(), value(after, writing.form));
        take(&mut expected, item, |seals| command == "unset" && seals == 1);
        let lines = |said: &Value| writing.document(said).lines().count();
        let removed = lines(&said).saturating_sub(lines(&expected));
        if command != "unset" {
            put(&mut expected, &found, item);
        }
        prop_assert_eq!(found, expected.clone());
        check_lines(&before, after, command, removed)?;
        writing.check_form(after, &expected)?;
    }
}
