//! Certificates: the public files that carry recipients.
//!
//! A certificate is trusted because it stands in the repository, so its signature and issuer are
//! not looked at; its key, size and dates are.

use jiff::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256,
    PublicKeyData as _,
};
use x509_parser::{
    pem::Pem,
    prelude::{FromDer as _, X509Certificate},
    public_key::PublicKey,
};

use crate::{
    KeyError, KeyId, Recipient, SealingKey,
    primitives::{ProviderError, Refused, random_key},
};

/// RSA moduli that seals may be wrapped for, in bits.
const BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A certificate that cannot be sealed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// No certificate stands in the text.
    #[error("no certificate found: a PEM block `CERTIFICATE` is expected")]
    NoCertificate,
    /// A PEM block or its DER is damaged.
    #[error("damaged certificate")]
    Malformed,
    /// The key is of another kind.
    #[error("the certificate's key is no RSA key")]
    NotRsa,
    /// The key is too small or too large.
    #[error("the certificate's key has {bits} bits; 2048 to 8192 are accepted")]
    Size {
        /// The size of its modulus in bits.
        bits: usize,
    },
    /// It is no longer valid.
    #[error("the certificate expired at {not_after}")]
    Expired {
        /// The last instant of its validity.
        not_after: Timestamp,
    },
    /// It is not valid yet.
    #[error("the certificate is not valid before {not_before}")]
    NotYetValid {
        /// The first instant of its validity.
        not_before: Timestamp,
    },
    /// A certificate could not be issued.
    #[error("the certificate could not be issued")]
    Issue,
}

impl From<KeyError> for CertificateError {
    fn from(_: KeyError) -> Self {
        Self::Issue
    }
}

/// What a certificate says, once its key has been found usable.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// Whom seals are wrapped for.
    pub recipient: Recipient,
    /// The subject as RFC 4514 writes it; may be empty.
    pub subject: String,
    /// The first instant of its validity.
    pub not_before: Timestamp,
    /// The last instant of its validity.
    pub not_after: Timestamp,
}

impl Certificate {
    /// Reads the first certificate of a PEM text (RFC 7468), as the original does.
    ///
    /// # Errors
    /// [`CertificateError`] when there is none, it is damaged, or its key is no RSA key of 2048
    /// to 8192 bits.
    pub fn parse_pem(text: &str) -> Result<Self, CertificateError> {
        for block in Pem::iter_from_buffer(text.as_bytes()) {
            let block = block.map_err(|_| CertificateError::Malformed)?;
            if block.label == "CERTIFICATE" {
                return Self::parse_der(&block.contents);
            }
        }
        Err(CertificateError::NoCertificate)
    }

    fn parse_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (rest, parsed) =
            X509Certificate::from_der(der).map_err(|_| CertificateError::Malformed)?;
        if !rest.is_empty() {
            return Err(CertificateError::Malformed);
        }
        let instant =
            |seconds| Timestamp::from_second(seconds).map_err(|_| CertificateError::Malformed);
        Ok(Self {
            recipient: recipient_of(&parsed)?,
            subject: parsed.subject().to_string(),
            not_before: instant(parsed.validity().not_before.timestamp())?,
            not_after: instant(parsed.validity().not_after.timestamp())?,
        })
    }

    /// The id of its sealing key.
    pub fn key_id(&self) -> KeyId {
        self.recipient.id()
    }

    /// Whether it may be sealed to at `now`.
    ///
    /// # Errors
    /// [`CertificateError::Expired`] or [`CertificateError::NotYetValid`].
    pub fn check_validity(&self, now: Timestamp) -> Result<(), CertificateError> {
        if now > self.not_after {
            return Err(CertificateError::Expired {
                not_after: self.not_after,
            });
        }
        if now < self.not_before {
            return Err(CertificateError::NotYetValid {
                not_before: self.not_before,
            });
        }
        Ok(())
    }
}

fn recipient_of(certificate: &X509Certificate<'_>) -> Result<Recipient, CertificateError> {
    let public_key = certificate.public_key();
    let Ok(PublicKey::RSA(rsa)) = public_key.parsed() else {
        return Err(CertificateError::NotRsa);
    };
    let bits = rsa.key_size();
    if !BITS.contains(&bits) {
        return Err(CertificateError::Size { bits });
    }
    Recipient::from_subject_public_key_info(public_key.raw)
        .map_err(|Refused| CertificateError::Malformed)
}

/// What a new certificate is to say.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// The common name of its subject.
    pub subject: &'a str,
    /// The first instant of its validity; fractions of a second are cut off.
    pub not_before: Timestamp,
    /// The last instant of its validity; fractions of a second are cut off.
    pub not_after: Timestamp,
}

/// Issues a self-signed X.509 version 3 certificate (RFC 5280) with a random serial number for
/// `key`, as a PEM block `CERTIFICATE`.
///
/// # Errors
/// [`CertificateError::Issue`] when the dates are out of range or the provider fails.
pub fn issue_certificate(key: &SealingKey, issue: &Issue<'_>) -> Result<String, CertificateError> {
    let failed = |_| CertificateError::Issue;
    let pkcs8 = key.to_pkcs8()?;
    let der = pkcs8.as_slice().into();
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_RSA_SHA256).map_err(failed)?;
    let certificate = parameters(issue)?.self_signed(&pair).map_err(failed)?;
    debug_assert_eq!(
        KeyId::of_public_key(&pair.subject_public_key_info()),
        key.id()
    );
    Ok(certificate.pem())
}

fn parameters(issue: &Issue<'_>) -> Result<CertificateParams, CertificateError> {
    let instant = |at: Timestamp| {
        time::OffsetDateTime::from_unix_timestamp(at.as_second())
            .map_err(|_| CertificateError::Issue)
    };
    let random = random_key().map_err(|ProviderError| CertificateError::Issue)?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters
        .distinguished_name
        .push(DnType::CommonName, issue.subject);
    parameters.not_before = instant(issue.not_before)?;
    parameters.not_after = instant(issue.not_after)?;
    parameters.serial_number = Some(random[..16].to_vec().into());
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    Ok(parameters)
}

#[cfg(test)]
mod tests;
