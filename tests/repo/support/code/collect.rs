//! What a module's items name, import and define.

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::{
    Attribute, ExprAwait, ExprField, ExprMethodCall, Fields, ImplItem, Item, ItemUse, LitStr,
    Macro, Member, Meta, Path, Stmt, TraitItem, Type, UseTree, Visibility,
    spanned::Spanned as _,
    visit::{self, Visit},
};

use super::{
    Import, Mention, Module, Named, NamedPath,
    tests_only::{is_test_only, of_impl_item, of_item, of_statement, of_trait_item},
};

/// Adds everything that is not of tests.
pub(super) fn collect(module: &mut Module, items: &[Item]) {
    let mut collector = Collector { module };
    for item in items {
        if !is_test_only(of_item(item)) {
            collector.define(item);
            collector.visit_item(item);
        }
    }
}

struct Collector<'a> {
    module: &'a mut Module,
}

impl Collector<'_> {
    fn mention(&mut self, line: usize, named: Named) {
        self.module.mentions.push(Mention { line, named });
    }

    fn path(&mut self, line: usize, written: Vec<String>) {
        self.mention(line, Named::Path(NamedPath::new(written, None)));
    }

    fn define(&mut self, item: &Item) {
        let (name, visibility) = match item {
            Item::Const(item) => (&item.ident, &item.vis),
            Item::Enum(item) => (&item.ident, &item.vis),
            Item::Fn(item) => (&item.sig.ident, &item.vis),
            Item::Static(item) => (&item.ident, &item.vis),
            Item::Struct(item) => (&item.ident, &item.vis),
            Item::Trait(item) => (&item.ident, &item.vis),
            Item::Type(item) => (&item.ident, &item.vis),
            Item::Union(item) => (&item.ident, &item.vis),
            Item::Impl(item) => return self.define_members(&item.self_ty, &item.items),
            Item::Macro(item) => match &item.ident {
                Some(name) => (name, &Visibility::Inherited),
                None => return,
            },
            _ => return,
        };
        let entry = self.module.items.entry(name.to_string()).or_default();
        entry.is_defined = true;
        entry.is_public = matches!(visibility, Visibility::Public(_));
        entry.is_function = matches!(item, Item::Fn(_));
        entry.members.extend(members(item));
    }

    fn define_members(&mut self, of: &Type, items: &[ImplItem]) {
        let Type::Path(of) = of else { return };
        let Some(of) = of.path.segments.last() else {
            return;
        };
        let names = items.iter().filter_map(|item| match item {
            ImplItem::Const(item) => Some(item.ident.to_string()),
            ImplItem::Fn(item) => Some(item.sig.ident.to_string()),
            _ => None,
        });
        let entry = self.module.items.entry(of.ident.to_string()).or_default();
        entry.members.extend(names);
    }

    fn import(&mut self, tree: &UseTree, before: &[String], is_public: bool) {
        let line = tree.span().start().line;
        let joined = |name: &dyn ToString| [before, &[name.to_string()]].concat();
        let (local, path, is_glob) = match tree {
            UseTree::Path(path) => {
                return self.import(&path.tree, &joined(&path.ident), is_public);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before, is_public);
                }
                return;
            }
            UseTree::Glob(_) => (None, before.to_vec(), true),
            UseTree::Name(name) if name.ident == "self" => {
                (before.last().cloned(), before.to_vec(), false)
            }
            UseTree::Name(name) => (Some(name.ident.to_string()), joined(&name.ident), false),
            UseTree::Rename(name) => {
                let local = Some(name.rename.to_string()).filter(|local| local != "_");
                let path = if name.ident == "self" {
                    before.to_vec()
                } else {
                    joined(&name.ident)
                };
                (local, path, false)
            }
        };
        let import = Import {
            local,
            path,
            is_glob,
            is_public,
            line,
        };
        self.module.imports.push(import);
    }

    /// What a macro is given: paths, names after a dot and string literals.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse_str::<LitStr>(&literal.to_string()) {
                        self.mention(literal.span().start().line, Named::Text(text.value()));
                    }
                }
                TokenTree::Ident(name) => {
                    let line = name.span().start().line;
                    if follows_dot(&tokens[..at - 1]) {
                        self.mention(line, Named::Member(name.to_string()));
                        continue;
                    }
                    let mut path = vec![name.to_string()];
                    while let Some(next) = after_colons(&tokens[at..]) {
                        path.push(next);
                        at += 3;
                    }
                    if is_exclamation(tokens.get(at)) {
                        let name = path.last().cloned().unwrap_or_default();
                        self.mention(line, Named::Macro(name));
                    }
                    self.path(line, path);
                }
                TokenTree::Punct(_) => {}
            }
        }
    }
}

/// A dot, but not the second one of a range.
fn follows_dot(before: &[TokenTree]) -> bool {
    let is_dot = |token: &TokenTree| matches!(token, TokenTree::Punct(dot) if dot.as_char() == '.');
    match before {
        [.., first, second] => is_dot(second) && !is_dot(first),
        [only] => is_dot(only),
        [] => false,
    }
}

fn is_exclamation(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == '!')
}

/// The name behind `::`.
fn after_colons(tokens: &[TokenTree]) -> Option<String> {
    match tokens {
        [
            TokenTree::Punct(first),
            TokenTree::Punct(second),
            TokenTree::Ident(name),
            ..,
        ] if first.as_char() == ':'
            && first.spacing() == Spacing::Joint
            && second.as_char() == ':' =>
        {
            Some(name.to_string())
        }
        _ => None,
    }
}

/// The fields, variants and functions that stand in an item itself.
fn members(item: &Item) -> Vec<String> {
    let fields = |fields: &Fields| -> Vec<String> {
        let names = fields.iter().filter_map(|field| field.ident.as_ref());
        names.map(ToString::to_string).collect()
    };
    match item {
        Item::Struct(item) => fields(&item.fields),
        Item::Enum(item) => item
            .variants
            .iter()
            .map(|variant| variant.ident.to_string())
            .collect(),
        Item::Trait(item) => item
            .items
            .iter()
            .filter_map(|item| match item {
                TraitItem::Fn(item) => Some(item.sig.ident.to_string()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        // A module is visited as itself, not as a part of the one that declares it.
        if !is_test_only(of_item(item)) && !matches!(item, Item::Mod(_)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !is_test_only(of_impl_item(item)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        if !is_test_only(of_trait_item(item)) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        if !is_test_only(of_statement(statement)) {
            visit::visit_stmt(self, statement);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_public = matches!(item.vis, Visibility::Public(_));
        self.import(&item.tree, &[], is_public);
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast Path) {
        let names = path.segments.iter();
        let names = names.map(|segment| segment.ident.to_string()).collect();
        self.path(path.span().start().line, names);
        visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        match &attribute.meta {
            Meta::List(list) => self.tokens(list.tokens.clone()),
            Meta::NameValue(pair) => self.visit_expr(&pair.value),
            Meta::Path(_) => {}
        }
        self.visit_path(attribute.path());
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.visit_path(&called.path);
        if let Some(name) = called.path.segments.last() {
            let line = name.ident.span().start().line;
            self.mention(line, Named::Macro(name.ident.to_string()));
        }
        self.tokens(called.tokens.clone());
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let line = call.method.span().start().line;
        self.mention(line, Named::Member(call.method.to_string()));
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_field(&mut self, field: &'ast ExprField) {
        if let Member::Named(name) = &field.member {
            let line = name.span().start().line;
            self.mention(line, Named::Member(name.to_string()));
        }
        visit::visit_expr_field(self, field);
    }

    fn visit_expr_await(&mut self, awaited: &'ast ExprAwait) {
        let line = awaited.await_token.span().start().line;
        self.mention(line, Named::Member("await".to_owned()));
        visit::visit_expr_await(self, awaited);
    }

    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.mention(text.span().start().line, Named::Text(text.value()));
    }
}
