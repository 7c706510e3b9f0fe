//! The authenticated context of a seal. No other file builds this text.

use crate::{EnvironmentName, Scope, SecretRef};

/// Scope, environment, namespace and name as one text. It is the OAEP label of every wrapped file
/// key and the HKDF salt of every derived key (format.md, *Context*).
///
/// Its parts cannot contain a slash, so two different contexts never have the same text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context(String);

impl Context {
    /// The context of the manifest `place`, sealed for `environment` with `scope`.
    pub fn new(scope: Scope, environment: &EnvironmentName, place: &SecretRef) -> Self {
        let SecretRef { namespace, name } = place;
        Self(match scope {
            Scope::Strict => format!("sceau/v1/{environment}/strict/{namespace}/{name}"),
            Scope::NamespaceWide => format!("sceau/v1/{environment}/namespace-wide/{namespace}"),
            Scope::EnvironmentWide => format!("sceau/v1/{environment}/environment-wide"),
        })
    }

    /// The context of a value in a ValueReview. No manifest has this context: in those, a scope
    /// follows the environment.
    pub fn of_trace(environment: &EnvironmentName) -> Self {
        Self(format!("sceau/v1/{environment}/trace"))
    }

    /// The text as UTF-8 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_has_the_text_of_the_format() {
        let environment = EnvironmentName::parse("prod").unwrap();
        let place = SecretRef::parse("shop", "api.v2").unwrap();
        let text = |scope| Context::new(scope, &environment, &place).0;
        assert_eq!(text(Scope::Strict), "sceau/v1/prod/strict/shop/api.v2");
        assert_eq!(
            text(Scope::NamespaceWide),
            "sceau/v1/prod/namespace-wide/shop"
        );
        assert_eq!(
            text(Scope::EnvironmentWide),
            "sceau/v1/prod/environment-wide"
        );
        assert_eq!(Context::of_trace(&environment).0, "sceau/v1/prod/trace");
    }
}
