//! Properties of edits on generated files: what they say changes as meant, and every other line
//! stays.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::TestProject;

const FILE: &str = "deploy/api/prod/it.yaml";

/// How a file is written.
#[derive(Debug, Clone)]
struct Writing {
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

fn writings() -> impl Strategy<Value = Writing> {
    (
        (0..3_usize, 1..4_usize, 0..3_usize, any::<bool>()),
        prop::sample::select(vec!["", "'", "\""]),
        (prop::sample::select(vec!["\n", "\r\n"]), any::<bool>()),
        (any::<bool>(), any::<bool>(), any::<bool>()),
        prop::collection::vec(0..8_u8, 12),
    )
        .prop_map(
            |((dash, gap, deeper, flow_items), quote, (line_break, final_break), rest, above)| {
                Writing {
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
                }
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

impl Writing {
    fn file(&self, seals: &Seals) -> String {
        let other = "# other\nkind:   ConfigMap\ndata: {a:   'b'} # c\n";
        let mut text = String::new();
        if self.neighbours.0 {
            text.extend([other, "---\n"]);
        }
        text += &self.commented(&self.lines(seals));
        if self.neighbours.1 {
            text.extend(["--- # next\n", other]);
        }
        if !self.final_break {
            text.pop();
        }
        text.replace('\n', self.line_break)
    }

    fn lines(&self, seals: &Seals) -> Vec<String> {
        let mut lines: Vec<String> = "apiVersion: sceau.dev/v1alpha1|kind: SealedSecret|metadata:|  name: api|  namespace: shop|spec:|  environment: prod|  scope: strict|  seals:"
            .split('|')
            .map(str::to_owned)
            .collect();
        for seal in seals {
            lines.extend(self.seal(seal));
        }
        if self.template {
            lines.extend(["  template:", "    type: Opaque"].map(str::to_owned));
        }
        lines
    }

    fn seal(&self, seal: &BTreeMap<String, usize>) -> Vec<String> {
        let dash = " ".repeat(self.dash);
        let field = " ".repeat(self.dash + 1 + self.gap);
        let deeper = format!("{field}{}", " ".repeat(self.deeper));
        let quote = self.quote;
        let mut lines = vec![
            format!(
                "{dash}-{}sealedAt: \"2026-01-01T00:00:00Z\"",
                " ".repeat(self.gap)
            ),
            format!("{field}commitment: {quote}{}{quote}", text_of(32)),
            format!("{field}recipients:"),
            format!("{deeper}- keyId: sha256:{}", "0".repeat(64)),
            format!("{deeper}  suite: RSA-OAEP-SHA256"),
            format!("{deeper}  wrapped: {}", text_of(256)),
        ];
        let items = seal
            .iter()
            .map(|(name, bytes)| format!("\"{name}\": {quote}{}{quote}", text_of(*bytes)));
        if self.flow_items {
            let items: Vec<String> = items.collect();
            lines.push(format!("{field}items: {{{}}}", items.join(", ")));
        } else {
            lines.push(format!("{field}items:"));
            lines.extend(items.map(|item| format!("{deeper} {item}")));
        }
        lines
    }

    fn commented(&self, lines: &[String]) -> String {
        let mut text = String::new();
        for (number, line) in lines.iter().enumerate() {
            let (above, end) = match self.above[number % self.above.len()] {
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
}

/// The edited document as a value.
fn value(text: &str) -> Value {
    let documents = text.replace('\r', "");
    let mut documents = documents.split("---");
    let document = documents.find(|it| it.contains("SealedSecret")).unwrap();
    let document = document.strip_prefix(" # next").unwrap_or(document);
    serde_saphyr::from_str(document).unwrap()
}

/// Takes an item out of the seals of a value, as format.md says.
fn take(value: &mut Value, item: &str, is_only: impl Fn(usize) -> bool) {
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

/// Whether all of `some` stand in `all`, in their order.
fn is_subsequence(some: &[&str], all: &[&str]) -> bool {
    let mut all = all.iter();
    some.iter().all(|line| all.any(|it| it == line))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn edits_say_what_is_meant_and_keep_every_other_line(
        seals in seals(),
        writing in writings(),
        which in any::<prop::sample::Index>(),
        command in prop::sample::select(vec!["set", "add", "unset"]),
    ) {
        let before = writing.file(&seals);
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

        let (mut expected, mut found) = (value(&before), value(after));
        if command == "unset" {
            take(&mut expected, item, |seals| seals == 1);
        } else {
            take(&mut expected, item, |_| false);
            let new = found["spec"]["seals"].as_array_mut().unwrap().pop().unwrap();
            prop_assert_eq!(new["items"].as_object().unwrap().keys().collect::<Vec<_>>(), [item]);
        }
        prop_assert_eq!(found, expected);

        let lines = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
        let (old, new) = (lines(&before), lines(after));
        let is_comment = |line: &&str| line.trim_start().starts_with('#');
        let comments: Vec<&str> = old.iter().map(String::as_str).filter(is_comment).collect();
        let new: Vec<&str> = new.iter().map(String::as_str).collect();
        prop_assert!(is_subsequence(&comments, &new), "{before}\n\n{after}");
        let added = if command == "unset" { 0 } else { 8 };
        let kept = new.iter().filter(|line| old.iter().any(|it| it == *line)).count();
        // A line of braces is replaced, and so is the last line when it has no line break.
        prop_assert!(new.len() - kept <= added + 3, "{before}\n\n{after}");
    }
}
