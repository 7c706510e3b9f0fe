//! What a document says outside of its code blocks.

/// One line of a document.
pub(crate) struct Line<'a> {
    pub(crate) number: usize,
    pub(crate) text: &'a str,
    /// Whether it is in a code block.
    pub(crate) is_code: bool,
}

/// Every document that git tracks.
pub(crate) fn documents() -> impl Iterator<Item = String> {
    let files = repo::tracked_files().into_iter();
    files.filter(|path| repo::has_extension(path, "md"))
}

/// The lines of a document.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut is_code = false;
    text.lines().enumerate().map(move |(at, text)| {
        let is_fence = text.trim_start().starts_with("```");
        let line = Line {
            number: at + 1,
            text,
            is_code: is_code || is_fence,
        };
        is_code ^= is_fence;
        line
    })
}

/// The prose below each heading, with the heading itself.
pub(crate) fn sections(text: &str) -> Vec<(String, String)> {
    let mut sections = vec![(String::new(), String::new())];
    for line in lines(text).filter(|line| !line.is_code) {
        if line.text.starts_with('#') {
            let heading = line.text.trim_start_matches('#').trim();
            sections.push((heading.to_owned(), String::new()));
        }
        if let Some((_, prose)) = sections.last_mut() {
            prose.push_str(line.text);
            prose.push('\n');
        }
    }
    sections
}

/// What stands between backticks in prose.
pub(crate) fn code_spans(prose: &str) -> impl Iterator<Item = String> {
    let spans = prose.split('`').skip(1).step_by(2);
    spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "))
}
