//! No two rooms of a crate need each other, and within a room no two of its parts do.

use repo::{
    CRATES,
    circles::{self, Circle},
    code::Crate,
};

fn circles_of(files: &[(&str, &str)]) -> Vec<Circle> {
    let files = files
        .iter()
        .map(|(path, text)| (format!("cli/src/{path}"), (*text).to_owned()));
    circles::circles(&Crate::parse("cli", "sceau", files))
}

fn members(circles: &[Circle]) -> Vec<(&str, Vec<&str>)> {
    let named = circles.iter().map(|circle| {
        let members = circle.members.iter().map(String::as_str);
        (circle.parent.as_str(), members.collect())
    });
    named.collect()
}

#[test]
fn two_rooms_that_name_each_other_are_a_circle() {
    let lib = ("lib.rs", "mod a; mod b;");
    let b = ("b.rs", "use crate::a::f; pub(crate) fn g() {}");
    for a in [
        "use crate::b::g;",
        "use crate::{b::{g as h}};",
        "use super::b;\nfn f() { b::g(); }",
        "use crate::b::*;\nfn f() { g(); }",
        "fn f() { h!(\"{}\", crate::b::g()); }",
        "#[cfg(test)]\nmod tests {}\nfn f() { crate::b::g(); }",
        "impl X { fn f(&self) -> crate::b::Y {} }",
    ] {
        let a = format!("pub(crate) fn f() {{}}\n{a}");
        let found = circles_of(&[lib, ("a.rs", &a), b]);
        assert_eq!(members(&found), [("cli", vec!["a", "b"])], "{a}");
    }
}

#[test]
fn rooms_whose_tests_alone_name_each_other_are_none() {
    let found = circles_of(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::g; pub(crate) fn f() {}"),
        (
            "b.rs",
            "pub(crate) fn g() {}\n#[cfg(test)]\nmod tests;\n#[cfg(test)]\nuse crate::a;",
        ),
        ("b/tests.rs", "use crate::a::f;"),
    ]);
    assert!(found.is_empty(), "{:?}", members(&found));
}

#[test]
fn a_longer_circle_and_one_through_a_re_export_are_found() {
    let found = circles_of(&[
        ("lib.rs", "mod a; mod b; mod c; mod d; pub use c::deep::h;"),
        ("a.rs", "use crate::b::g; pub(crate) fn f() {}"),
        ("b.rs", "use crate::h; pub(crate) fn g() {}"),
        ("c.rs", "pub(crate) mod deep;"),
        (
            "c/deep.rs",
            "use crate::a::f; use crate::d::i; pub fn h() {}",
        ),
        ("d.rs", "pub(crate) fn i() {}"),
    ]);
    assert_eq!(members(&found), [("cli", vec!["a", "b", "c"])]);
    let said = found[0].describe();
    assert!(said.contains("cli: a, b, c need each other"), "{said}");
    assert!(
        said.contains("b -> c\n    cli/src/b.rs:1 names cli::c::deep::h"),
        "{said}"
    );
    assert!(!said.contains("cli::d::i"), "{said}");
}

#[test]
fn parts_of_one_room_that_name_each_other_are_a_circle() {
    let found = circles_of(&[
        ("lib.rs", "mod room;"),
        ("room.rs", "mod plan; mod report; pub(crate) use plan::f;"),
        ("room/plan.rs", "use super::report::g; pub(crate) fn f() {}"),
        ("room/report.rs", "use super::f; pub(super) fn g() {}"),
    ]);
    assert_eq!(members(&found), [("cli::room", vec!["plan", "report"])]);
}

#[test]
fn a_parent_and_its_children_may_name_each_other() {
    let found = circles_of(&[
        ("lib.rs", "mod room; pub const BUG: u8 = 70;"),
        (
            "room.rs",
            "mod plan; use plan::f; pub(crate) struct Shared;",
        ),
        (
            "room/plan.rs",
            "use super::Shared; pub(super) fn f() -> u8 { crate::BUG }",
        ),
    ]);
    assert!(found.is_empty(), "{:?}", members(&found));
}

#[test]
fn every_crate_has_rooms_and_arrows_between_them() {
    for (folder, _) in CRATES {
        let parsed = repo::parsed(folder);
        let root = [folder.to_owned()];
        let rooms = circles::children(parsed, &root).len();
        let arrows = circles::arrows(parsed, &root).len();
        println!("{folder}: {rooms} rooms, {arrows} arrows between them");
        assert!(rooms > 5 && arrows > rooms, "{folder}: {rooms}, {arrows}");
    }
}

#[test]
fn no_rooms_and_no_parts_of_a_room_need_each_other() {
    let circles = CRATES
        .iter()
        .flat_map(|(folder, _)| circles::circles(repo::parsed(folder)));
    let circles: Vec<String> = circles.map(|circle| circle.describe()).collect();
    assert!(circles.is_empty(), "\n{}", circles.join("\n\n"));
}
