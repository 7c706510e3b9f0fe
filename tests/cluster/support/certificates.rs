//! The certificates of one control plane: an authority, the API server's, and its clients'.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

/// A certificate authority whose private key exists only in this process.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its private key, both as PEM.
pub struct Credential {
    pub certificate: String,
    pub private_key: String,
}

impl Authority {
    pub fn create() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        params
            .distinguished_name
            .push(DnType::CommonName, "sceau test cluster");
        let issuer =
            CertifiedIssuer::self_signed(params, generate()).expect("the fields are valid");
        Self(issuer)
    }

    /// The authority's own certificate as PEM.
    pub fn certificate(&self) -> String {
        self.0.pem()
    }

    /// For a server that is reached under these names and addresses.
    pub fn serving(&self, names: &[&str]) -> Credential {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let params = CertificateParams::new(names).expect("the names are valid");
        self.issue(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// For a user, whom the API server knows by this name as a member of this group.
    pub fn client(&self, user: &str, group: &str) -> Credential {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        params
            .distinguished_name
            .push(DnType::OrganizationName, group);
        self.issue(params, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, mut params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Credential {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        let key_pair = generate();
        let certificate = params
            .signed_by(&key_pair, &self.0)
            .expect("the fields are valid");
        Credential {
            certificate: certificate.pem(),
            private_key: key_pair.serialize_pem(),
        }
    }
}

/// A key pair that `ServiceAccount` tokens are signed with, as PEM: the private and the public half.
pub fn token_signing_pair() -> (String, String) {
    let key_pair = generate();
    (key_pair.serialize_pem(), key_pair.public_key_pem())
}

fn generate() -> KeyPair {
    KeyPair::generate().expect("the system gives random bytes")
}
