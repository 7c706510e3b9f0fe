//! Replaces each Secret in the text of a file by its SealedSecret.

use zeroize::Zeroizing;

use super::batch::{SealedDocument, SealedFile};
use crate::{
    error::Result,
    manifest::{self, Format, Syntax},
};

/// The new text of the file; nothing if it has no Secret.
pub(super) fn replaced(file: &SealedFile) -> Result<Option<Zeroizing<String>>> {
    if file.documents.is_empty() {
        return Ok(None);
    }
    let mut text = Zeroizing::new(String::with_capacity(file.text.len()));
    let mut copied = 0;
    for document in &file.documents {
        text.push_str(&file.text[copied..document.range.start]);
        let is_crlf = file.text[document.range.clone()].contains("\r\n");
        let line_break = if is_crlf { "\r\n" } else { "\n" };
        push_document(&mut text, document, line_break)?;
        copied = document.range.end;
    }
    text.push_str(&file.text[copied..]);
    Ok(Some(text))
}

/// A document keeps its syntax and its line breaks. Content after `---` moves to the next line.
fn push_document(text: &mut String, document: &SealedDocument, line_break: &str) -> Result<()> {
    let format = match document.syntax {
        Syntax::Json => Format::Json,
        Syntax::Yaml => Format::Yaml,
    };
    let replacement = manifest::join(&document.objects, format)?.replace('\n', line_break);
    match document.syntax {
        Syntax::Json => text.push_str(replacement.trim_end()),
        Syntax::Yaml => {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push_str(line_break);
            }
            text.push_str(&replacement);
        }
    }
    Ok(())
}
