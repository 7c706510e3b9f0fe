//! The errors of the command line: what each `CommandError` says, and its hints.

use std::collections::{BTreeMap, BTreeSet};

use syn::{
    Expr, ExprCall, ExprLit, ExprMacro, ExprMethodCall, Lit, Macro,
    visit::{self, Visit},
};

/// What is said, and what to type next.
type Row = (String, String);

/// Every error whose words stand in the sources, by kind.
#[derive(Default)]
pub(super) struct CommandErrors {
    pub(super) by_kind: BTreeMap<String, BTreeSet<Row>>,
}

/// The kinds that people meet; what is a bug has no cure but to report it.
const KINDS: [(&str, &str); 4] = [
    ("check", "Findings of checks (exit code 3)"),
    ("cluster", "Errors of clusters (exit code 4)"),
    ("usage", "Errors of the command line (exit code 2)"),
    ("user", "Errors of the input (exit code 1)"),
];

/// The heading of a kind.
pub(super) fn title(kind: &str) -> &'static str {
    let kind = KINDS.into_iter().find(|(name, _)| *name == kind);
    kind.expect("only these kinds are collected").1
}

impl CommandErrors {
    /// Reads the code of the command line, tests left out.
    pub(super) fn of_sources() -> Self {
        let mut errors = Self::default();
        let parsed = repo::parsed("cli");
        let files: BTreeSet<&str> = parsed
            .modules
            .iter()
            .filter(|module| !module.is_test)
            .map(|module| module.file.as_str())
            .collect();
        for file in files {
            errors.visit_file(&syn::parse_file(&repo::read(file)).unwrap());
        }
        errors
    }

    /// Takes in `CommandError::kind(words)` with the hints that were called on it.
    fn add(&mut self, call: &ExprCall, hints: &[String]) {
        let Expr::Path(path) = &*call.func else {
            return;
        };
        let names: Vec<String> = path
            .path
            .segments
            .iter()
            .map(|it| it.ident.to_string())
            .collect();
        let [.., owner, kind] = names.as_slice() else {
            return;
        };
        let is_error = owner == "CommandError" && KINDS.iter().any(|(name, _)| name == kind);
        let words = call.args.first().and_then(words).filter(|_| is_error);
        if let Some(words) = words {
            let row = (words, hints.join("; "));
            self.by_kind.entry(kind.clone()).or_default().insert(row);
        }
    }
}

impl Visit<'_> for CommandErrors {
    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        if item.ident != "tests" {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_expr_call(&mut self, call: &ExprCall) {
        self.add(call, &[]);
        visit::visit_expr_call(self, call);
    }

    /// Hints are called on the error: the outermost call of the chain comes first.
    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        let mut hints = Vec::new();
        let mut receiver = call;
        let error = loop {
            if receiver.method == "hint" {
                hints.extend(receiver.args.first().and_then(words));
            }
            match &*receiver.receiver {
                Expr::MethodCall(inner) => receiver = inner,
                Expr::Call(error) => break error,
                _ => return visit::visit_expr_method_call(self, call),
            }
        };
        hints.reverse();
        self.add(error, &hints);
        for argument in &call.args {
            self.visit_expr(argument);
        }
        error
            .args
            .iter()
            .for_each(|argument| self.visit_expr(argument));
    }
}

/// The words of a literal or of what is formatted; what is filled in is shown in capitals.
fn words(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        Expr::Macro(ExprMacro { mac, .. }) => formatted(mac),
        Expr::Reference(reference) => words(&reference.expr),
        _ => None,
    }
}

fn formatted(mac: &Macro) -> Option<String> {
    let name = mac.path.segments.last()?.ident.to_string();
    let literal = mac.tokens.clone().into_iter().next()?;
    let is_format = ["format", "format_args"].contains(&name.as_str());
    let literal: syn::LitStr = syn::parse2(literal.into()).ok().filter(|_| is_format)?;
    Some(filled_in(&literal.value()))
}

/// `{name}` as `NAME`, `{}` as `…`, and doubled braces as single ones.
fn filled_in(text: &str) -> String {
    let mut words = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        words.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            words.push_str(&rest[..1]);
            rest = &rest[2..];
            continue;
        }
        let end = rest.find('}').map_or(rest.len(), |end| end + 1);
        let name = rest[1..end.saturating_sub(1).max(1)]
            .split(':')
            .next()
            .unwrap_or_default();
        words.push_str(&match name {
            "" => "…".to_owned(),
            name => name.to_uppercase(),
        });
        rest = &rest[end..];
    }
    words + rest
}

#[test]
fn what_is_filled_in_is_in_capitals() {
    assert_eq!(
        filled_in("cannot {verb} {path:?}: {}"),
        "cannot VERB PATH: …"
    );
    assert_eq!(filled_in("`{{ if }}`"), "`{ if }`");
}

#[test]
fn an_error_is_found_with_its_hints_wherever_it_stands() {
    let source = "fn f() { g(|| CommandError::user(format!(\"no {name}\")).hint(\"a\").at(x).hint(\"b\")); }";
    let mut errors = CommandErrors::default();
    errors.visit_file(&syn::parse_file(source).unwrap());
    let row = ("no NAME".to_owned(), "a; b".to_owned());
    assert!(
        errors.by_kind["user"].contains(&row),
        "{:?}",
        errors.by_kind
    );
}
