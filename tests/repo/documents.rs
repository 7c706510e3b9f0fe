//! What the documents name is there.

use std::path::{Component, Path, PathBuf};

use sceau_controller::Reason;

use crate::markdown::documents;

/// Every text between two marks.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open)
        .skip(1)
        .filter_map(move |rest| Some(rest.split_once(close)?.0))
}

fn without_dots(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut clean, part| {
        match part {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            other => clean.push(other),
        }
        clean
    })
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut links = 0;
    for document in documents() {
        let text = repo::read(&document);
        let folder = Path::new(&document).parent().unwrap();
        for link in between(&text, "](", ")").filter(|link| !link.contains("://")) {
            let target = link.split('#').next().unwrap_or_default();
            let path = without_dots(&folder.join(target));
            assert!(
                repo::root().join(path).exists(),
                "{document} links to {link}"
            );
            links += 1;
        }
    }
    assert!(links > 5, "links were found at all");
}

#[test]
fn every_reason_that_a_status_can_have_is_explained() {
    let guide = repo::read("docs/getting-started.md");
    for reason in Reason::ALL {
        let name = format!("`{}`", reason.as_str());
        assert!(
            guide.contains(&name),
            "docs/getting-started.md does not explain {name}"
        );
    }
}
