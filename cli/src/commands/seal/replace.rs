//! The text of a file in which each Secret's document is replaced by its SealedSecret.

use zeroize::Zeroizing;

use super::batch::{SealedDocument, SealedFile};
use crate::{
    error::Result,
    manifest::{self, Format, Syntax},
};

/// What the file is to hold; nothing when it holds no Secret.
pub(super) fn replaced(file: &SealedFile) -> Result<Option<Zeroizing<String>>> {
    if file.documents.is_empty() {
        return Ok(None);
    }
    let mut text = Zeroizing::new(String::with_capacity(file.text.len()));
    let mut copied = 0;
    for document in &file.documents {
        text.push_str(&file.text[copied..document.range.start]);
        push_document(&mut text, document)?;
        copied = document.range.end;
    }
    text.push_str(&file.text[copied..]);
    Ok(Some(text))
}

/// A document keeps its syntax. What stood behind `---` on its line goes to the next one.
fn push_document(text: &mut String, document: &SealedDocument) -> Result<()> {
    let format = match document.syntax {
        Syntax::Json => Format::Json,
        Syntax::Yaml => Format::Yaml,
    };
    let replacement = manifest::join(&document.objects, format)?;
    match document.syntax {
        Syntax::Json => text.push_str(replacement.trim_end()),
        Syntax::Yaml => {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(&replacement);
        }
    }
    Ok(())
}
