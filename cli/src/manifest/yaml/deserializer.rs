//! A YAML node as a serde deserializer whose errors know line and field, and never a value.
//!
//! Text must be unmistakably text: an unquoted scalar that some reader would change is refused
//! where a string is wanted.

use std::{fmt, rc::Rc};

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, Expected, IntoDeserializer as _, MapAccess,
        SeqAccess, Unexpected, Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};

use super::{
    scalar,
    tree::{Content, Entry, Node, Scalar, Style},
};
use crate::manifest::Fault;

/// Reads a value of any type from a node.
pub(in crate::manifest) fn read<T: DeserializeOwned>(node: &Node) -> Result<T, Fault> {
    T::deserialize(node).map_err(|problem| Fault {
        line: problem.line.unwrap_or(node.line),
        path: problem.path,
        problem: problem.text,
        hint: problem.hint,
    })
}

/// A fault on its way up: line and path are completed by the nodes that it passes.
#[derive(Debug)]
pub(in crate::manifest) struct Problem {
    line: Option<usize>,
    path: String,
    text: String,
    hint: Option<&'static str>,
}

impl Problem {
    fn at(mut self, line: usize, step: &str) -> Self {
        self.line.get_or_insert(line);
        let step = scalar::shown(step);
        self.path = match (step, self.path.as_str()) {
            (step, "") => step.to_owned(),
            (step, rest) if rest.starts_with('[') => format!("{step}{rest}"),
            (step, rest) => format!("{step}.{rest}"),
        };
        self
    }

    fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Problem {}

/// What was found instead is never told: it may be plaintext.
impl de::Error for Problem {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self {
            line: None,
            path: String::new(),
            text: text.to_string(),
            hint: None,
        }
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        Self::custom(match expected.as_str() {
            "a map" => "a mapping is expected".to_owned(),
            "a sequence" => "a list is expected".to_owned(),
            "a string" => "a text is expected".to_owned(),
            other => format!("{other} is expected"),
        })
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("{expected} is expected"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format_args!("one of {} is expected", expected.join(", ")))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let known = expected.join(", ");
        let near = |known: &&&str| strsim::damerau_levenshtein(known, field) <= 2;
        match expected.iter().find(near) {
            Some(near) => Self::custom(format_args!("unknown field; did you mean `{near}`?")),
            None => Self::custom(format_args!("unknown field; known are {known}")),
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format_args!("the field `{field}` is missing"))
    }
}

impl Scalar {
    fn is_null(&self) -> bool {
        self.style == Style::Plain && scalar::is_null(&self.text)
    }

    /// Its text, when every reader takes it for that text.
    fn as_text(&self) -> Result<&str, Problem> {
        match self.style {
            Style::Text => Ok(&self.text),
            Style::Plain => match scalar::misreading(&self.text) {
                None => Ok(&self.text),
                Some(reading) => Err(<Problem as de::Error>::custom(format_args!(
                    "unquoted, YAML readers take this for {reading}"
                ))
                .hint("put it in quotes if it is meant as text")),
            },
        }
    }

    fn visit<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Problem> {
        let text = self.text.as_str();
        if self.style == Style::Text {
            visitor.visit_str(text)
        } else if scalar::is_null(text) {
            visitor.visit_unit()
        } else if matches!(text, "true" | "True" | "TRUE") {
            visitor.visit_bool(true)
        } else if matches!(text, "false" | "False" | "FALSE") {
            visitor.visit_bool(false)
        } else if let Ok(number) = serde_json::from_str::<serde_json::Number>(text) {
            visit_number(&number, visitor)
        } else {
            visitor.visit_str(text)
        }
    }
}

fn visit_number<'de, V: Visitor<'de>>(
    number: &serde_json::Number,
    visitor: V,
) -> Result<V::Value, Problem> {
    if let Some(number) = number.as_u64() {
        visitor.visit_u64(number)
    } else if let Some(number) = number.as_i64() {
        visitor.visit_i64(number)
    } else {
        visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
    }
}

impl<'de> Deserializer<'de> for &Node {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match &self.content {
            Content::Scalar(scalar) => scalar.visit(visitor),
            Content::Mapping(entries) => visitor.visit_map(Entries::new(entries)),
            Content::Sequence(nodes) => visitor.visit_seq(Nodes::new(nodes)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match &self.content {
            Content::Scalar(scalar) => visitor.visit_str(scalar.as_text()?),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match &self.content {
            Content::Scalar(scalar) if scalar.is_null() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match &self.content {
            Content::Scalar(scalar) => visitor.visit_enum(unit_variant(scalar)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match &self.content {
            Content::Mapping(entries) => visitor.visit_map(Entries::new(entries)),
            _ => Err(de::Error::custom("a mapping is expected")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        seq tuple tuple_struct map identifier
    }
}

fn unit_variant(scalar: &Scalar) -> StrDeserializer<'_, Problem> {
    scalar.text.as_str().into_deserializer()
}

/// The entries of a mapping, as serde walks them.
struct Entries<'node> {
    rest: std::slice::Iter<'node, Entry>,
    current: Option<&'node Entry>,
}

impl<'node> Entries<'node> {
    fn new(entries: &'node [Entry]) -> Self {
        Self {
            rest: entries.iter(),
            current: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        self.current = self.rest.next();
        let Some(entry) = self.current else {
            return Ok(None);
        };
        let name = seed.deserialize(Name(&entry.name));
        name.map(Some).map_err(|problem| problem.at(entry.line, ""))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let entry = self
            .current
            .ok_or_else(|| <Problem as de::Error>::custom("a value is expected"))?;
        seed.deserialize(&*entry.node)
            .map_err(|problem| problem.at(entry.line, &entry.name.text))
    }
}

/// The name of a mapping's entry.
struct Name<'node>(&'node Scalar);

impl<'de> Deserializer<'de> for Name<'_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let unclear = |problem: Problem| Problem {
            text: format!("a name here: {}", problem.text),
            ..problem
        };
        visitor.visit_str(self.0.as_text().map_err(unclear)?)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The nodes of a sequence, as serde walks them.
struct Nodes<'node> {
    rest: std::iter::Enumerate<std::slice::Iter<'node, Rc<Node>>>,
}

impl<'node> Nodes<'node> {
    fn new(nodes: &'node [Rc<Node>]) -> Self {
        Self {
            rest: nodes.iter().enumerate(),
        }
    }
}

impl<'de> SeqAccess<'de> for Nodes<'_> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Problem> {
        let Some((index, node)) = self.rest.next() else {
            return Ok(None);
        };
        let element = seed.deserialize(&**node);
        element
            .map(Some)
            .map_err(|problem| problem.at(node.line, &format!("[{index}]")))
    }
}

/// A value that is passed over unread.
#[derive(Debug, Default)]
pub(in crate::manifest) struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}
