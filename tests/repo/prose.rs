//! The rules of prose that can be checked without a reader.

use repo::{CRATES, code::Named};
use syn::{
    Attribute, Expr, ExprLit, Lit, Meta,
    visit::{self, Visit},
};

use crate::markdown::{Line, documents, lines};

/// Where a line of a document ends.
const COLUMNS: usize = 100;

/// Generated from the help, whose lines clap wraps.
const GENERATED: &str = "docs/cli.md";

/// What is said in fewer words: "is not" and "no longer".
const BANNED: [&str; 2] = ["is no", "no more"];

/// Whether a line could have been broken, and was not.
fn is_too_long(line: &Line<'_>) -> bool {
    let is_table = line.text.trim_start().starts_with('|');
    let widest = line.text.split(' ').map(|word| word.chars().count()).max();
    // A link that fills a line alone cannot be broken.
    let has_long_link = line.text.contains("](") && widest.unwrap_or_default() > COLUMNS - 10;
    line.text.chars().count() > COLUMNS && !line.is_code && !is_table && !has_long_link
}

#[test]
fn lines_of_documents_end_at_100_columns() {
    let mut long = Vec::new();
    for document in documents().filter(|path| path != GENERATED) {
        let text = repo::read(&document);
        let found = lines(&text).filter(is_too_long);
        long.extend(found.map(|line| format!("{document}:{}", line.number)));
    }
    assert!(
        long.is_empty(),
        "over {COLUMNS} columns:\n{}",
        long.join("\n")
    );
}

/// The banned phrases of a text that may run over several lines.
fn banned(text: &str) -> Vec<&'static str> {
    let words = text.split(|next: char| !next.is_alphanumeric() && next != '\'');
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let phrases = BANNED.iter().filter(|phrase| {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        let mut windows = words.windows(phrase.len()).enumerate();
        windows.any(|(at, window)| {
            let next = words.get(at + phrase.len()).map(String::as_str);
            // "There is no" is how English says that something does not exist.
            let before = at.checked_sub(1).map(|before| words[before].as_str());
            let is_plain = next == Some("longer") || before == Some("there");
            window == phrase.as_slice() && !is_plain
        })
    });
    phrases.copied().collect()
}

#[test]
fn documents_say_is_not_and_no_longer() {
    let mut found = Vec::new();
    for document in documents() {
        let text = repo::read(&document);
        let paragraphs = text.split("\n\n").scan(1, |line, paragraph| {
            let start = *line;
            *line += paragraph.matches('\n').count() + 2;
            Some((start, paragraph))
        });
        for (line, paragraph) in paragraphs {
            for phrase in banned(paragraph) {
                found.push(format!("{document}:{line}: \"{phrase}\""));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn messages_say_is_not_and_no_longer() {
    let mut found = Vec::new();
    for (folder, _) in CRATES {
        for module in &repo::parsed(folder).modules {
            for mention in &module.mentions {
                if let Named::Text(text) = &mention.named {
                    for phrase in banned(text) {
                        found.push(format!("{}:{}: \"{phrase}\"", module.file, mention.line));
                    }
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The documentation comments of a file, each item's as one text.
#[derive(Default)]
struct Comments(Vec<String>);

impl Comments {
    fn add(&mut self, attributes: &[Attribute]) {
        let lines = attributes
            .iter()
            .filter_map(|attribute| match &attribute.meta {
                Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                    Expr::Lit(ExprLit {
                        lit: Lit::Str(text),
                        ..
                    }) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            });
        self.0.push(lines.collect::<Vec<_>>().join("\n"));
    }
}

impl<'ast> Visit<'ast> for Comments {
    fn visit_file(&mut self, file: &'ast syn::File) {
        self.add(&file.attrs);
        visit::visit_file(self, file);
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.add(repo::code::attributes_of(item));
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.attrs);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        self.add(&field.attrs);
        visit::visit_field(self, field);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.add(&variant.attrs);
        visit::visit_variant(self, variant);
    }
}

fn comments(source: &str) -> Vec<String> {
    let mut comments = Comments::default();
    comments.visit_file(&syn::parse_file(source).unwrap());
    comments.0
}

#[test]
fn documentation_comments_say_is_not_and_no_longer() {
    let mut found = Vec::new();
    let sources = repo::tracked_files().into_iter();
    for path in sources.filter(|path| repo::has_extension(path, "rs")) {
        for comment in comments(&repo::read(&path)) {
            for phrase in banned(&comment) {
                let start = comment.lines().next().unwrap_or_default();
                found.push(format!("{path}: \"{phrase}\" in:{start}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn banned_phrases_are_found_over_line_ends_and_in_every_kind_of_comment() {
    assert_eq!(banned("This is\nno file, no  more."), ["is no", "no more"]);
    assert!(banned("it is no longer there; this is not; is nothing; hypothesis no").is_empty());
    assert!(banned("if there is no terminal").is_empty());
    let source = "//! is no\n/// is no\nstruct S { /// is no\n a: u8 }\n/// is no\nenum E { /// is no\n A }\n\
                  impl S { /// is no\n fn f() {} }\nmod m { /// is no\n fn f() {} }";
    let found = comments(source)
        .into_iter()
        .filter(|text| !banned(text).is_empty());
    assert_eq!(found.count(), 7);
}

#[test]
fn only_a_line_that_could_be_broken_is_too_long() {
    let long = "word ".repeat(21);
    let link = format!("see [it](https://{})", "a".repeat(100));
    let text = format!("{long}\n| {long}\n{link}\n```\n{long}\n```\nshort\n{long}");
    let found = lines(&text).filter(is_too_long);
    let found: Vec<usize> = found.map(|line| line.number).collect();
    assert_eq!(found, [1, 8]);
}
