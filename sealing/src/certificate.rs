//! Certificates: the public files that carry recipients.
//!
//! Trust in a certificate comes from the repository that holds it. Its signature and issuer are not
//! checked; its key, size and dates are.

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

/// Accepted sizes of an RSA modulus, in bits.
const BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Why a certificate was rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The text holds no PEM block `CERTIFICATE`.
    #[error("no certificate found: expected a PEM block `CERTIFICATE`")]
    NoCertificate,
    /// A PEM block (RFC 7468) or its DER (RFC 5280) cannot be parsed.
    #[error("the certificate cannot be parsed")]
    Malformed,
    /// The key is not an RSA key.
    #[error("the certificate's key is not an RSA key")]
    NotRsa,
    /// The RSA modulus is shorter than 2048 bits or longer than 8192.
    #[error("the certificate's key has {bits} bits; 2048 to 8192 are accepted")]
    Size {
        /// The size of the modulus in bits.
        bits: usize,
    },
    /// Its validity has ended.
    #[error("the certificate expired at {not_after}")]
    Expired {
        /// The last instant of its validity.
        not_after: Timestamp,
    },
    /// Its validity has not begun.
    #[error("the certificate is not valid before {not_before}")]
    NotYetValid {
        /// The first instant of its validity.
        not_before: Timestamp,
    },
    /// The dates are out of range, or the provider failed.
    #[error("the certificate could not be issued")]
    Issue,
}

impl From<KeyError> for CertificateError {
    fn from(_: KeyError) -> Self {
        Self::Issue
    }
}

/// The fields of a certificate whose key is usable.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The public key that seals are wrapped for.
    pub recipient: Recipient,
    /// The subject as RFC 4514 writes it; may be empty.
    pub subject: String,
    /// The first instant of its validity.
    pub not_before: Timestamp,
    /// The last instant of its validity.
    pub not_after: Timestamp,
}

impl Certificate {
    /// Parses the first certificate of a PEM text (RFC 7468, RFC 5280), as kubeseal does.
    ///
    /// # Errors
    /// [`CertificateError::NoCertificate`] without a PEM block `CERTIFICATE`;
    /// [`CertificateError::Malformed`] when PEM or DER cannot be parsed;
    /// [`CertificateError::NotRsa`] and [`CertificateError::Size`] when its key is not an RSA key
    /// of 2048 to 8192 bits. Validity is not checked: see [`Certificate::check_validity`].
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

    /// Checks that `now` is within its validity (RFC 5280 4.1.2.5).
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

/// The fields of a new certificate.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// The common name of its subject.
    pub subject: &'a str,
    /// The first instant of its validity, cut to whole seconds.
    pub not_before: Timestamp,
    /// The last instant of its validity, cut to whole seconds.
    pub not_after: Timestamp,
}

/// Issues a self-signed X.509 version 3 certificate (RFC 5280) for `key`, with a random serial
/// number.
///
/// Returns a PEM block `CERTIFICATE` (RFC 7468).
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
