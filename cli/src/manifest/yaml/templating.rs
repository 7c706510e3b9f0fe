//! Template actions (`{{ … }}`) in a document, and what is still certain beside them.
//!
//! Nothing is rendered. A document is read as if every action were a plain text or a comment, and
//! whoever wants to edit it asks whether an action stands where it could change the answer.

use std::ops::Range;

/// A template action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manifest) struct Action {
    pub(in crate::manifest) range: Range<usize>,
    /// Whether it has its lines to itself.
    pub(in crate::manifest) whole_line: bool,
    /// Whether it only decides what is rendered, and renders nothing itself.
    pub(in crate::manifest) control: bool,
}

/// Every action of a text. One that does not end is as long as its opening.
pub(in crate::manifest) fn actions(text: &str) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut from = 0;
    let mut all_end = true;
    while let Some(found) = text[from..].find("{{") {
        let start = from + found;
        let length = all_end.then(|| action_end(&text[start..])).flatten();
        // When one does not end, none after it does.
        all_end = length.is_some();
        let end = start + length.unwrap_or(2);
        actions.push(Action {
            range: start..end,
            whole_line: false,
            control: is_control(&text[start..end]),
        });
        from = end;
    }
    let masked = replaced(text, &actions);
    for action in &mut actions {
        let lines = line_start(text, action.range.start)..line_end(text, action.range.end);
        action.whole_line = masked[lines]
            .iter()
            .all(|byte| *byte == MASK || byte.is_ascii_whitespace());
    }
    actions
}

/// Whether an action that begins in `before` ends in the text after it.
pub(in crate::manifest) fn reaches_into(before: &str, after: &str) -> bool {
    let last = actions(before).pop();
    last.is_some_and(|last| last.range.len() == 2) && after.contains("}}")
}

/// The text with every action in its place as a plain text, or as a comment where it has its lines
/// to itself: each other byte keeps its place. Nothing when an action does not end.
pub(in crate::manifest) fn masked(text: &str) -> Option<String> {
    let actions = actions(text);
    if actions.is_empty() || actions.iter().any(|action| action.range.len() == 2) {
        return None;
    }
    let mut bytes = replaced(text, &actions);
    for action in actions.iter().filter(|action| action.whole_line) {
        let mut at = line_start(text, action.range.start);
        for line in text[at..line_end(text, action.range.end)].split_inclusive('\n') {
            let masked = &mut bytes[at..at + line.len()];
            if let Some(first) = masked.iter_mut().find(|byte| **byte == MASK) {
                *first = b'#';
            }
            at += line.len();
        }
    }
    for byte in bytes.iter_mut().filter(|byte| **byte == MASK) {
        *byte = b'X';
    }
    String::from_utf8(bytes).ok()
}

/// What stands in for a byte of an action: nothing that YAML allows.
const MASK: u8 = 1;

/// Line breaks stay, so that lines are counted as before.
fn replaced(text: &str, actions: &[Action]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for action in actions {
        for byte in &mut bytes[action.range.clone()] {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = MASK;
            }
        }
    }
    bytes
}

/// The length of the action that a text begins with. Strings in it may hold `}}`.
fn action_end(text: &str) -> Option<usize> {
    if is_comment(text) {
        let close = text.find("*/")?;
        return Some(close + text[close..].find("}}")? + 2);
    }
    let mut quote = None;
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(2) {
        match (quote, character) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '`') => quote = Some(character),
            (None, '}') if text[at..].starts_with("}}") => return Some(at + 2),
            _ => {}
        }
    }
    None
}

fn is_comment(action: &str) -> bool {
    word(action).starts_with("/*")
}

fn is_control(action: &str) -> bool {
    let word = word(action);
    let first = word.split_whitespace().next().unwrap_or_default();
    word.starts_with("/*") || matches!(first, "if" | "else" | "end" | "range" | "with")
}

fn word(action: &str) -> &str {
    let inside = action.strip_prefix("{{").unwrap_or(action);
    let inside = inside.strip_prefix('-').unwrap_or(inside);
    inside.trim_end_matches("}}").trim_end_matches('-').trim()
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_become_texts_and_comments_of_the_same_length() {
        let text =
            "{{- if .x }}\na: {{ .é }}\nb: 'x{{ \"}}\" }}y'\n  {{- /* }} \n */ -}}\n{{ end }}";
        let masked = masked(text).unwrap();
        assert_eq!(
            masked,
            "#XXXXXXXXXXX\na: XXXXXXXXX\nb: 'xXXXXXXXXXXy'\n  #XXXXXXXXX\n#XXXXXX\n#XXXXXXXX"
        );
        assert_eq!(masked.len(), text.len());
    }

    #[test]
    fn an_action_that_does_not_end_cannot_be_masked() {
        assert_eq!(masked("a: {{ \"}}\n"), None);
        assert!(reaches_into("{{/* a\n", "*/}}"));
        assert!(!reaches_into("{{/* a\n", "b\n"));
        assert!(!reaches_into("{{/* a\n*/}}\n", "{{ b }}"));
    }

    #[test]
    fn only_control_actions_render_nothing() {
        let control = |text| actions(text)[0].control;
        for text in ["{{if .x}}", "{{- end -}}", "{{/* a */}}", "{{- else }}"] {
            assert!(control(text), "{text}");
        }
        for text in [
            "{{ include \"a\" . }}",
            "{{ .x }}",
            "{{- toYaml .y | nindent 2 }}",
        ] {
            assert!(!control(text), "{text}");
        }
    }
}
