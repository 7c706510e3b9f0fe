use super::*;

const KEY: &str = include_str!("../../../tests/vectors/test-2048.key");
const CERTIFICATE: &str = include_str!("../../../tests/vectors/test-2048.crt");
const SMALL: &str = include_str!("../../../tests/certificates/rsa-1024.pem");
const ELLIPTIC: &str = include_str!("../../../tests/certificates/ec-p256.pem");

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn issued(from: &str, to: &str) -> Certificate {
    let key = SealingKey::parse_pem(KEY).unwrap().remove(0);
    let issue = Issue {
        subject: "sceau prod",
        not_before: instant(from),
        not_after: instant(to),
    };
    Certificate::parse_pem(&issue_certificate(&key, &issue).unwrap()).unwrap()
}

#[test]
fn what_is_issued_is_read_back() {
    let certificate = issued("2026-11-22T10:00:00Z", "2036-11-19T10:00:00Z");
    assert_eq!(certificate.subject, "CN=sceau prod");
    assert_eq!(certificate.not_before, instant("2026-11-22T10:00:00Z"));
    assert_eq!(certificate.not_after, instant("2036-11-19T10:00:00Z"));
    assert_eq!(certificate.recipient.bits(), 2048);
    assert_eq!(
        certificate.key_id(),
        Certificate::parse_pem(CERTIFICATE).unwrap().key_id()
    );
}

#[test]
fn validity_includes_its_first_and_last_instant() {
    let certificate = issued("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let check = |at| certificate.check_validity(instant(at));
    assert_eq!(check("2026-01-01T00:00:00Z"), Ok(()));
    assert_eq!(check("2027-01-01T00:00:00Z"), Ok(()));
    let not_before = instant("2026-01-01T00:00:00Z");
    assert_eq!(
        check("2025-12-31T23:59:59Z"),
        Err(CertificateError::NotYetValid { not_before })
    );
    let not_after = instant("2027-01-01T00:00:00Z");
    assert_eq!(
        check("2027-01-01T00:00:01Z"),
        Err(CertificateError::Expired { not_after })
    );
}

#[test]
fn a_certificate_that_cannot_be_sealed_to_is_refused_with_its_reason() {
    let refused = |text: &str| Certificate::parse_pem(text).unwrap_err();
    assert_eq!(refused(SMALL), CertificateError::Size { bits: 1024 });
    assert_eq!(refused(ELLIPTIC), CertificateError::NotRsa);
    assert_eq!(refused(""), CertificateError::NoCertificate);
    assert_eq!(refused(KEY), CertificateError::NoCertificate);
    let damaged = CERTIFICATE.replace("\nMII", "\nMIJ");
    assert_eq!(refused(&damaged), CertificateError::Malformed);
}

#[test]
fn the_first_certificate_of_a_file_counts() {
    let both = [KEY, CERTIFICATE, SMALL].concat();
    assert_eq!(
        Certificate::parse_pem(&both).unwrap().recipient.bits(),
        2048
    );
}
