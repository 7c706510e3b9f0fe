//! The native format, over the manifest's JSON.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hkdf::Hkdf;
use rsa::{RsaPrivateKey, RsaPublicKey, pkcs8::EncodePublicKey as _};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::{Reason, decrypt, encrypt, unwrap_key, wrap};

type Items = BTreeMap<String, Vec<u8>>;

/// Unseals a manifest's `spec` in `namespace` under `name`.
///
/// # Errors
/// The [`Reason`] that format.md gives.
pub fn open(
    spec: &Value,
    namespace: &str,
    name: &str,
    ring: &[RsaPrivateKey],
) -> Result<Items, Reason> {
    let (context, seals) = parse(spec, namespace, name)?;
    let opening: Vec<_> = seals
        .iter()
        .map(|seal| seal.opening(ring))
        .collect::<Result<_, _>>()?;
    let mut items = Items::new();
    for (seal, (wrapped, key)) in seals.iter().zip(opening) {
        items.extend(seal.open(wrapped, key, &context)?);
    }
    Ok(items)
}

/// Unwraps the file key of each seal of a manifest's `spec` in `namespace` under `name`.
///
/// # Errors
/// The [`Reason`] that format.md gives.
pub fn file_keys(
    spec: &Value,
    namespace: &str,
    name: &str,
    ring: &[RsaPrivateKey],
) -> Result<Vec<[u8; 32]>, Reason> {
    let (context, seals) = parse(spec, namespace, name)?;
    seals
        .iter()
        .map(|seal| {
            let (wrapped, key) = seal.opening(ring)?;
            unwrap_key(key, wrapped, context.as_bytes())
        })
        .collect()
}

fn parse(spec: &Value, namespace: &str, name: &str) -> Result<(String, Vec<ParsedSeal>), Reason> {
    let context = context_of(spec, namespace, name)?;
    let seals = spec["seals"]
        .as_array()
        .filter(|seals| (1..=128).contains(&seals.len()));
    let seals: Vec<ParsedSeal> = seals
        .ok_or(Reason::Malformed)?
        .iter()
        .map(ParsedSeal::parse)
        .collect::<Result<_, _>>()?;
    check_items(&seals)?;
    Ok((context, seals))
}

/// Seals items in one seal and returns the `spec`.
pub fn seal(
    items: &Items,
    (environment, scope): (&str, &str),
    (namespace, name): (&str, &str),
    recipients: &[RsaPublicKey],
) -> Value {
    let context = context_text(environment, scope, namespace, name).expect("the scope is known");
    let file_key: [u8; 32] = rand::random();
    let schedule = Hkdf::<Sha256>::new(Some(context.as_bytes()), &file_key);
    let recipients: Vec<Value> = recipients
        .iter()
        .map(|recipient| {
            json!({
                "keyId": key_id(recipient),
                "suite": "RSA-OAEP-SHA256",
                "wrapped": text(&wrap(recipient, &file_key, context.as_bytes())),
            })
        })
        .collect();
    let items: Map<String, Value> = items
        .iter()
        .map(|(name, value)| {
            (
                name.clone(),
                text(&encrypt(&item_key(&schedule, name), value)).into(),
            )
        })
        .collect();
    json!({
        "environment": environment,
        "scope": scope,
        "seals": [{
            "sealedAt": "2026-11-21T09:30:00Z",
            "commitment": text(&expand(&schedule, b"commitment")),
            "recipients": recipients,
            "items": items,
        }],
    })
}

/// The id of a public key.
///
/// # Panics
/// When the key cannot be encoded, which no RSA key does.
pub fn key_id(key: &RsaPublicKey) -> String {
    let der = key.to_public_key_der().expect("an RSA key encodes");
    format!("sha256:{:x}", Sha256::digest(der.as_bytes()))
}

struct ParsedSeal {
    commitment: [u8; 32],
    recipients: Vec<(String, Vec<u8>)>,
    items: Vec<(String, Vec<u8>)>,
}

impl ParsedSeal {
    fn parse(seal: &Value) -> Result<Self, Reason> {
        let recipients = seal["recipients"].as_array().ok_or(Reason::Malformed)?;
        let items = seal["items"].as_object().ok_or(Reason::Malformed)?;
        if !(1..=16).contains(&recipients.len()) || items.len() > 1024 {
            return Err(Reason::Malformed);
        }
        Ok(Self {
            commitment: bytes(&seal["commitment"])?
                .try_into()
                .map_err(|_| Reason::Malformed)?,
            recipients: recipients
                .iter()
                .map(parse_recipient)
                .collect::<Result<_, _>>()?,
            items: items.iter().map(parse_item).collect::<Result<_, _>>()?,
        })
    }

    fn opening<'a>(
        &'a self,
        ring: &'a [RsaPrivateKey],
    ) -> Result<(&'a [u8], &'a RsaPrivateKey), Reason> {
        let held = |id: &str| ring.iter().find(|key| key_id(&key.to_public_key()) == id);
        self.recipients
            .iter()
            .find_map(|(id, wrapped)| Some((wrapped.as_slice(), held(id)?)))
            .ok_or(Reason::UnknownSealingKey)
    }

    fn open(&self, wrapped: &[u8], key: &RsaPrivateKey, context: &str) -> Result<Items, Reason> {
        let file_key = unwrap_key(key, wrapped, context.as_bytes())?;
        let schedule = Hkdf::<Sha256>::new(Some(context.as_bytes()), &file_key);
        if expand(&schedule, b"commitment") != self.commitment {
            return Err(Reason::Refused);
        }
        self.items
            .iter()
            .map(|(name, sealed)| Ok((name.clone(), decrypt(&item_key(&schedule, name), sealed)?)))
            .collect()
    }
}

fn parse_recipient(recipient: &Value) -> Result<(String, Vec<u8>), Reason> {
    let id = recipient["keyId"].as_str().ok_or(Reason::Malformed)?;
    if recipient["suite"] != "RSA-OAEP-SHA256" {
        return Err(Reason::Malformed);
    }
    Ok((id.to_owned(), bytes(&recipient["wrapped"])?))
}

fn parse_item((name, sealed): (&String, &Value)) -> Result<(String, Vec<u8>), Reason> {
    let sealed = bytes(sealed)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if sealed.len() < 16 || !(1..=253).contains(&name.len()) || !name.chars().all(allowed) {
        return Err(Reason::Malformed);
    }
    Ok((name.clone(), sealed))
}

fn check_items(seals: &[ParsedSeal]) -> Result<(), Reason> {
    let mut names: Vec<_> = seals
        .iter()
        .flat_map(|seal| &seal.items)
        .map(|(name, _)| name)
        .collect();
    let total: usize = seals
        .iter()
        .flat_map(|seal| &seal.items)
        .map(|(_, it)| it.len() - 16)
        .sum();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    if names.len() == all && total <= 1 << 20 {
        Ok(())
    } else {
        Err(Reason::Malformed)
    }
}

fn context_of(spec: &Value, namespace: &str, name: &str) -> Result<String, Reason> {
    let environment = spec["environment"].as_str().ok_or(Reason::Malformed)?;
    let scope = spec["scope"].as_str().ok_or(Reason::Malformed)?;
    let label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if environment.is_empty()
        || environment.len() > 63
        || !environment.chars().all(label)
        || environment.starts_with('-')
        || environment.ends_with('-')
    {
        return Err(Reason::Malformed);
    }
    context_text(environment, scope, namespace, name).ok_or(Reason::Malformed)
}

fn context_text(environment: &str, scope: &str, namespace: &str, name: &str) -> Option<String> {
    let place = match scope {
        "strict" => format!("/{namespace}/{name}"),
        "namespace-wide" => format!("/{namespace}"),
        "environment-wide" => String::new(),
        _ => return None,
    };
    Some(format!("sceau/v1/{environment}/{scope}{place}"))
}

fn expand(schedule: &Hkdf<Sha256>, purpose: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    schedule
        .expand(purpose, &mut out)
        .expect("the system gives 32 random bytes");
    out
}

fn item_key(schedule: &Hkdf<Sha256>, name: &str) -> [u8; 32] {
    expand(schedule, format!("item/{name}").as_bytes())
}

fn text(bytes: &[u8]) -> String {
    format!("sceau:v1:{}", STANDARD.encode(bytes))
}

fn bytes(value: &Value) -> Result<Vec<u8>, Reason> {
    let base64 = value
        .as_str()
        .and_then(|text| text.strip_prefix("sceau:v1:"));
    let bytes = base64
        .and_then(|base64| STANDARD.decode(base64).ok())
        .ok_or(Reason::Malformed)?;
    // Canonical: encoding the decoded bytes gives the same text.
    if Some(text(&bytes).as_str()) == value.as_str() {
        Ok(bytes)
    } else {
        Err(Reason::Malformed)
    }
}
