//! Closed sets of reasons and results: enums whose variants say in their documentation what they
//! mean and, in a paragraph that begins with `Cure:`, what to do.

use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta};

/// An enum that people see the variants of.
pub(super) struct Set {
    pub(super) file: &'static str,
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) heading: &'static str,
    pub(super) introduction: &'static str,
}

/// Every set. One that is missing here is a reason that nobody can look up.
pub(super) const SETS: &[Set] = &[
    Set {
        file: "controller/src/status/reason.rs",
        name: "Reason",
        title: "Reasons in the status of a SealedSecret",
        heading: "Reason",
        introduction: "They are in the conditions, in events and in the metric of failures.",
    },
    Set {
        file: "cli/src/reseal/finding.rs",
        name: "Finding",
        title: "Results of `sceau reseal` and `sceau rekey`",
        heading: "Result",
        introduction: "One for each seal: in the table, and in the JSON of `-o json`.",
    },
    Set {
        file: "cli/src/commands/keys/drill/report.rs",
        name: "DrillFinding",
        title: "Results of `sceau keys drill`",
        heading: "Result",
        introduction: "One for each SealedSecret.",
    },
    Set {
        file: "sealing/src/resource/reseal_request.rs",
        name: "ResealResult",
        title: "Results in the status of a ResealRequest",
        heading: "Result",
        introduction: "One for each seal of the request.",
    },
];

/// A variant as its documentation has it.
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) means: String,
    pub(super) cure: String,
}

/// The variants of an enum.
///
/// # Panics
/// When the file has no such enum, or a variant says no cure.
pub(super) fn variants(source: &str, name: &str) -> Vec<Variant> {
    let file = syn::parse_file(source).unwrap();
    let own = file.items.into_iter().find_map(|item| match item {
        Item::Enum(item) if item.ident == name => Some(item),
        _ => None,
    });
    let own = own.unwrap_or_else(|| panic!("there is no enum {name}"));
    own.variants
        .into_iter()
        .map(|variant| {
            let text = documentation(&variant.attrs);
            let (means, cure) = text
                .split_once("Cure: ")
                .unwrap_or_else(|| panic!("{name}::{} says no cure", variant.ident));
            Variant {
                name: variant.ident.to_string(),
                means: means.trim().to_owned(),
                cure: cure.trim().to_owned(),
            }
        })
        .collect()
}

/// The documentation of an item in one line.
fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        });
    lines.collect::<Vec<_>>().join(" ")
}

#[test]
#[should_panic(expected = "Reason::Odd says no cure")]
fn a_variant_without_a_cure_is_found() {
    variants("enum Reason { /// Odd.\n Odd }", "Reason");
}
