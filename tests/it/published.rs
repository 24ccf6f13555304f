//! The published test keys (RFC 8032, section 7.1), what was signed with them, and a pen to sign more.

use bailiwick::credential::{CredentialVerifier, Presentation, danger};
use bailiwick::id::{Audience, Issuer};
use bailiwick::jose::{KeySet, VerifyingKey};
use bailiwick::mandate::ApprovalVerifier;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

/// A key pair that everybody knows.
pub(crate) struct Key {
    seed: &'static str,
    pub(crate) x: &'static str,
    pub(crate) thumbprint: &'static str,
}

/// Of the credential issuer: test 1, which is also the key of RFC 8037, appendix A.
pub(crate) const ISSUER: Key = Key {
    seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    thumbprint: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
};

/// Of the agent: test 2.
pub(crate) const AGENT: Key = Key {
    seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    x: "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
    thumbprint: "FtIu-VbGrfe_KB6CH7GNwODB72MNxj_ml11dEvO-7kk",
};

/// Of the agent's child: test 3.
pub(crate) const CHILD: Key = Key {
    seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    x: "_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU",
    thumbprint: "FVV5umTuau890q59V-4Ga_R6qWb7ON_ivJc4EjvCwTM",
};

/// Of the approvals service: test SHA(abc).
pub(crate) const APPROVALS: Key = Key {
    seed: "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    x: "7Bcrk61eVjv0kyxw4SRQNMNUZ-8u_U1k6_gZaDRn4r8",
    thumbprint: "iiDHHfFVNG6ICMUTsicgrWf1igtFYZEK73xlobt1ah4",
};

impl Key {
    /// The private half as PKCS#8 (RFC 8410, section 7).
    pub(crate) fn pkcs8(&self) -> Vec<u8> {
        bytes::<48>(&format!("302e020100300506032b657004220420{}", self.seed)).to_vec()
    }

    pub(crate) fn public(&self) -> VerifyingKey {
        VerifyingKey::from_jwk_x(self.x).expect("a key")
    }

    /// Signs header and claims, exactly as they are written here.
    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&self.pkcs8()).expect("a key pair");
        let message = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let signature = pair.sign(message.as_bytes());
        format!("{message}.{}", encode(signature.as_ref()))
    }

    /// Signs claims as a credential of this key's.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_text(&self.header("at+jwt").to_string(), &claims.to_string())
    }

    pub(crate) fn header(&self, typ: &str) -> Value {
        json!({ "alg": "EdDSA", "kid": self.thumbprint, "typ": typ })
    }
}

/// A signed token and what is in it.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Known {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) jwt: String,
}

/// One of the project's known answers: `auto`, `obo`, `sub`, `proj` or `approval`.
pub(crate) fn known(name: &str) -> Known {
    let all: Value = serde_json::from_str(include_str!("vectors/token-known-answers.json")).expect("JSON");
    serde_json::from_value(all[name].clone()).expect("a known answer")
}

pub(crate) const AUTHZ: &str = "https://authz.acme.example";
pub(crate) const ERP: &str = "https://erp.acme.example";

pub(crate) fn issuer(text: &str) -> Issuer {
    Issuer::new(text).expect("an issuer")
}

pub(crate) fn audience(text: &str) -> Audience {
    Audience::new(text).expect("an audience")
}

/// Verifies the issuer's credentials for the ERP; knows another issuer as well.
pub(crate) fn credentials() -> CredentialVerifier {
    let keys = KeySet::new().with(issuer(AUTHZ), ISSUER.public()).expect("a new key");
    let keys = keys.with(issuer("https://approvals.acme.example"), APPROVALS.public()).expect("a new key");
    CredentialVerifier::new(keys, audience(ERP))
}

/// A token as it is shown by somebody of whom the host knows that they hold its key.
pub(crate) fn shown(token: &str) -> Presentation<'_> {
    danger::possession_vouched_by_host(Presentation::new(token))
}

/// Verifies the approvals service's approvals for the issuer; knows the issuer's key as well.
pub(crate) fn approvals() -> ApprovalVerifier {
    let keys = KeySet::new().with(issuer("https://approvals.acme.example"), APPROVALS.public()).expect("a new key");
    let keys = keys.with(issuer(AUTHZ), ISSUER.public()).expect("a new key");
    ApprovalVerifier::new(keys, audience(AUTHZ))
}

/// Bytes that are written as hexadecimal digits.
pub(crate) fn bytes<const N: usize>(digits: &str) -> [u8; N] {
    std::array::from_fn(|place| u8::from_str_radix(&digits[2 * place..][..2], 16).expect("hexadecimal digits"))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64url without padding, bit by bit: not the library's own.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let six = |bits: &[u8]| (0..6).fold(0, |six, place| six << 1 | usize::from(*bits.get(place).unwrap_or(&0)));
    bits.chunks(6).map(|bits| char::from(ALPHABET[six(bits)])).collect()
}

/// The reverse, lenient: bits that are left over are dropped.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let six = |letter: u8| ALPHABET.iter().position(|one| *one == letter).expect("a letter of base64url");
    let bits: Vec<u8> =
        text.bytes().flat_map(|letter| (0..6).rev().map(move |bit| (six(letter) >> bit & 1) as u8)).collect();
    bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

/// Header and claims of a token, unverified.
pub(crate) fn contents(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| serde_json::from_slice(&decode(part)));
    let mut next = || parts.next().expect("a part").expect("JSON");
    (next(), next())
}
