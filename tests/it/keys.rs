//! Public keys: which are registered, which are refused and why, and what they are called.

use bailiwick::identity::{Environment, OidcVerifier, SpiffeVerifier, TrustBundle, TrustDomain, TrustError};
use bailiwick::jose::{Algorithm, JwkSet, KeyError, KeySet, Leeway, VerifyingKey};
use serde_json::{Value, json};
use std::time::Duration;

use crate::pens::{Pen, changed, test_key, without};
use crate::published::{AGENT, audience, bytes, encode, issuer};

fn read(jwk: &Value) -> Result<VerifyingKey, KeyError> {
    VerifyingKey::from_jwk(&jwk.to_string())
}

fn read_set(keys: &Value) -> Result<JwkSet, KeyError> {
    JwkSet::from_json(&json!({ "keys": keys }).to_string())
}

fn ed25519(x: &[u8]) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(x) })
}

fn rsa(n: &[u8], e: &[u8]) -> Value {
    json!({ "kty": "RSA", "n": encode(n), "e": encode(e) })
}

/// An odd number of so many bits. Nobody tests a modulus for its factors.
fn modulus(bits: usize) -> Vec<u8> {
    let mut number = vec![0xff; bits.div_ceil(8)];
    number[0] = 0xff >> (number.len() * 8 - bits);
    number
}

#[derive(Debug, PartialEq)]
enum Fault {
    Malformed(&'static str),
    Unsupported(&'static str),
    Purpose(&'static str),
    Private,
    Json,
}

fn fault(result: Result<VerifyingKey, KeyError>) -> Option<Fault> {
    match result {
        Ok(_) => None,
        Err(KeyError::Malformed { want }) => Some(Fault::Malformed(want)),
        Err(KeyError::Unsupported { member, .. }) => Some(Fault::Unsupported(member)),
        Err(KeyError::Purpose { member, .. }) => Some(Fault::Purpose(member)),
        Err(KeyError::Private) => Some(Fault::Private),
        Err(KeyError::Json(_)) => Some(Fault::Json),
        Err(other) => panic!("no fault of a key: {other:?}"),
    }
}

const SOUND: Fault = Fault::Malformed("a canonical point of large order");
const BYTES: Fault = Fault::Malformed("32 bytes of base64url");
const MODULUS: Fault = Fault::Malformed("an odd modulus of 2048 to 8192 bits");
const ZEROS: Fault = Fault::Malformed("a modulus without leading zeros");
const EXPONENT: Fault = Fault::Malformed("an odd exponent of 3 to 33 bits");
const NUMBERS: Fault = Fault::Malformed("numbers in canonical base64url");
const MEMBERS: Fault = Fault::Malformed("a JWK with all members of its kind");
const TEXTS: Fault = Fault::Malformed("a JWK whose members are texts");
const WIDTH: Fault = Fault::Malformed("two coordinates of the curve's length");

#[test]
fn thumbprints_are_those_of_the_standards() {
    // RFC 7638, section 3.1.
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn\
             jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6q\
             MQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awap\
             JzKnqDKgw";
    let rsa = json!({ "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" });
    let rows = [
        (rsa.clone(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (without(&without(&rsa, "alg"), "kid"), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        // RFC 8037, appendix A.3.
        (
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        ),
    ];
    for (jwk, thumbprint) in rows {
        let key = read(&jwk).expect("a key");
        assert_eq!(key.thumbprint().as_str(), thumbprint);
        assert_eq!(
            read(&serde_json::from_str(&key.to_jwk()).expect("JSON")).expect("a key").thumbprint(),
            key.thumbprint()
        );
        assert_eq!(format!("{key:?}"), format!("VerifyingKey({thumbprint})"));
    }
    for name in ["rsa-2048-a", "rsa-2048-b", "p256-a", "p256-b", "p384-a", "p384-b", "ed25519-a", "ed25519-b"] {
        let known = test_key(name);
        assert_eq!(read(&known.jwk).expect(name).thumbprint().as_str(), known.thumbprint, "{name}");
    }
}

#[test]
fn a_key_is_pinned_to_algorithms_of_its_kind() {
    use Algorithm::{Ed25519, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    let all = [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512];
    let rows: [(&str, &[&str], &[Algorithm]); 4] = [
        ("ed25519-a", &["EdDSA", "Ed25519"], &[Ed25519]),
        ("p256-a", &["ES256"], &[Es256]),
        ("p384-a", &["ES384"], &[Es384]),
        ("rsa-2048-a", &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"], &all),
    ];
    let names: Vec<&str> = rows.iter().flat_map(|(_, names, _)| *names).copied().collect();
    let mut seen = Vec::new();
    for (key, own, algorithms) in rows {
        let jwk = test_key(key).jwk;
        assert_eq!(read(&jwk).expect(key).algorithms(), algorithms, "{key}");
        for name in &names {
            let pinned = read(&changed(&jwk, |jwk| jwk["alg"] = (*name).into()));
            match own.iter().position(|own| own == name) {
                Some(place) => {
                    let pinned = pinned.expect(name);
                    assert_eq!(pinned.algorithms(), &algorithms[place % algorithms.len()..][..1], "{key} for {name}");
                    seen.extend(pinned.algorithms().to_vec());
                }
                None => {
                    let other = Fault::Malformed("a key of the kind that its `alg` is for");
                    assert_eq!(fault(pinned), Some(other), "{key} for {name}");
                }
            }
        }
        let unknown = ["none", "", "HS256", "ES512", "ES256K", "Ed448", "RS1", "RSA-OAEP", "rs256", "eddsa", "ES256 "];
        for name in unknown {
            let refused = fault(read(&changed(&jwk, |jwk| jwk["alg"] = name.into())));
            assert_eq!(refused, Some(Fault::Unsupported("alg")), "{key} for {name}");
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen, Algorithm::ALL);
}

#[test]
fn ed25519_keys_are_canonical_points_of_large_order() {
    // The eight points of small order, by their y, least byte first, each with both signs.
    let ys = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ];
    let mut refused: Vec<[u8; 32]> = ys.iter().map(|y| bytes::<32>(y)).collect();
    // The field's prime and the eighteen numbers above it are other ways to write 0 to 18.
    refused.extend((0xed..=0xff).map(|low| {
        let mut y = [0xff; 32];
        (y[0], y[31]) = (low, 0x7f);
        y
    }));
    assert_eq!(refused.len(), 5 + 19);
    for y in &refused {
        for sign in [0, 0x80] {
            let mut x = *y;
            x[31] |= sign;
            assert_eq!(fault(read(&ed25519(&x))), Some(SOUND), "{x:02x?}");
            assert_eq!(fault(VerifyingKey::from_jwk_x(&encode(&x))), Some(SOUND), "{x:02x?}");
        }
    }
    let good = bytes::<32>("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let rows = [
        (ed25519(&good), None),
        (ed25519(&good[..31]), Some(BYTES)),
        (ed25519(&[&good[..], &[0]].concat()), Some(BYTES)),
        (ed25519(&[]), Some(BYTES)),
        (without(&ed25519(&good), "x"), Some(BYTES)),
        (changed(&ed25519(&good), |jwk| jwk["x"] = json!(null)), Some(TEXTS)),
        // Bits that are left over, padding, the other alphabet.
        (changed(&ed25519(&good), |jwk| jwk["x"] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp".into()), Some(BYTES)),
        (changed(&ed25519(&good), |jwk| jwk["x"] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=".into()), Some(BYTES)),
        (changed(&ed25519(&good), |jwk| jwk["x"] = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo".into()), Some(BYTES)),
        (changed(&ed25519(&good), |jwk| jwk["crv"] = "Ed448".into()), Some(Fault::Unsupported("crv"))),
        (changed(&ed25519(&good), |jwk| jwk["crv"] = "X25519".into()), Some(Fault::Unsupported("crv"))),
        (without(&ed25519(&good), "crv"), Some(Fault::Unsupported("crv"))),
    ];
    for (jwk, expected) in rows {
        assert_eq!(fault(read(&jwk)), expected, "{jwk}");
    }
}

#[test]
fn rsa_keys_are_of_2048_to_8192_bits_with_an_exponent_that_encrypts() {
    let good = modulus(2048);
    let even = [&good[..255], &[0xfe]].concat();
    let rows = [
        ("2048 bits", rsa(&good, &[1, 0, 1]), None),
        ("8192 bits", rsa(&modulus(8192), &[3]), None),
        ("2049 bits", rsa(&modulus(2049), &[3]), None),
        ("2047 bits", rsa(&modulus(2047), &[1, 0, 1]), Some(MODULUS)),
        ("1024 bits", test_key("rsa-1024").jwk, Some(MODULUS)),
        ("8193 bits", rsa(&modulus(8193), &[1, 0, 1]), Some(MODULUS)),
        ("even", rsa(&even, &[1, 0, 1]), Some(MODULUS)),
        ("a zero before", rsa(&[&[0], &good[..]].concat(), &[1, 0, 1]), Some(ZEROS)),
        ("no modulus at all", rsa(&[], &[1, 0, 1]), Some(ZEROS)),
        ("nothing as modulus", rsa(&[0], &[1, 0, 1]), Some(ZEROS)),
        ("an exponent of 1", rsa(&good, &[1]), Some(EXPONENT)),
        ("an exponent of 2", rsa(&good, &[2]), Some(EXPONENT)),
        ("an exponent of 3", rsa(&good, &[3]), None),
        ("an even exponent", rsa(&good, &[1, 0, 0]), Some(EXPONENT)),
        ("an exponent of 0", rsa(&good, &[0]), Some(EXPONENT)),
        ("no exponent", rsa(&good, &[]), Some(EXPONENT)),
        ("a zero before the exponent", rsa(&good, &[0, 1, 0, 1]), Some(EXPONENT)),
        ("an exponent of 33 bits", rsa(&good, &[1, 255, 255, 255, 255]), None),
        ("an exponent of 34 bits", rsa(&good, &[2, 0, 0, 0, 1]), Some(EXPONENT)),
        ("an exponent of 72 bits", rsa(&good, &[1, 0, 0, 0, 0, 0, 0, 0, 1]), Some(EXPONENT)),
        ("no `n`", without(&rsa(&good, &[3]), "n"), Some(MEMBERS)),
        ("no `e`", without(&rsa(&good, &[3]), "e"), Some(MEMBERS)),
        ("`e` as a number", changed(&rsa(&good, &[3]), |jwk| jwk["e"] = 65537.into()), Some(TEXTS)),
        ("`n` with padding", changed(&rsa(&good, &[3]), |jwk| jwk["n"] = (encode(&good) + "==").into()), Some(NUMBERS)),
    ];
    for (what, jwk, expected) in rows {
        assert_eq!(fault(read(&jwk)), expected, "{what}");
    }
}

#[test]
fn points_have_two_coordinates_of_their_curve_s_length() {
    for (name, width, other) in [("p256-a", 32, "P-384"), ("p384-a", 48, "P-256")] {
        let jwk = test_key(name).jwk;
        let x = crate::published::decode(jwk["x"].as_str().expect("text"));
        assert_eq!(x.len(), width);
        let rows = [
            ("as it is", jwk.clone(), None),
            ("a byte less", changed(&jwk, |jwk| jwk["x"] = encode(&x[1..]).into()), Some(WIDTH)),
            ("a byte more", changed(&jwk, |jwk| jwk["x"] = encode(&[&[0], &x[..]].concat()).into()), Some(WIDTH)),
            ("nothing", changed(&jwk, |jwk| jwk["y"] = "".into()), Some(WIDTH)),
            ("no y", without(&jwk, "y"), Some(MEMBERS)),
            ("no x", without(&jwk, "x"), Some(MEMBERS)),
            ("the other curve", changed(&jwk, |jwk| jwk["crv"] = other.into()), Some(WIDTH)),
            ("no curve", without(&jwk, "crv"), Some(Fault::Unsupported("crv"))),
            ("P-521", changed(&jwk, |jwk| jwk["crv"] = "P-521".into()), Some(Fault::Unsupported("crv"))),
            ("secp256k1", changed(&jwk, |jwk| jwk["crv"] = "secp256k1".into()), Some(Fault::Unsupported("crv"))),
            ("p-256", changed(&jwk, |jwk| jwk["crv"] = "p-256".into()), Some(Fault::Unsupported("crv"))),
        ];
        for (what, jwk, expected) in rows {
            assert_eq!(fault(read(&jwk)), expected, "{name}, {what}");
        }
    }
}

#[test]
fn a_key_for_something_else_or_with_its_private_half_is_refused() {
    let jwk = test_key("p256-a").jwk;
    let with = |member: &str, value: Value| changed(&jwk, |jwk| jwk[member] = value);
    let rows = [
        (with("use", json!("sig")), None),
        (with("use", json!("enc")), Some(Fault::Purpose("use"))),
        (with("use", json!("jwt-svid")), Some(Fault::Purpose("use"))),
        (with("use", json!("SIG")), Some(Fault::Purpose("use"))),
        (with("use", json!("")), Some(Fault::Purpose("use"))),
        (with("use", json!(null)), Some(TEXTS)),
        (with("use", json!(["sig"])), Some(TEXTS)),
        (with("key_ops", json!(["verify"])), None),
        (with("key_ops", json!(["sign", "verify"])), None),
        (with("key_ops", json!(["sign"])), Some(Fault::Purpose("key_ops"))),
        (with("key_ops", json!(["deriveKey"])), Some(Fault::Purpose("key_ops"))),
        (with("key_ops", json!([])), Some(Fault::Purpose("key_ops"))),
        (with("key_ops", json!("verify")), Some(Fault::Malformed("a JWK whose lists are of texts"))),
        (with("key_ops", json!(["verify", 1])), Some(Fault::Malformed("a JWK whose lists are of texts"))),
        (with("d", json!("AA")), Some(Fault::Private)),
        (with("d", json!(null)), Some(Fault::Private)),
        (with("p", json!("AA")), Some(Fault::Private)),
        (with("q", json!("AA")), Some(Fault::Private)),
        (with("dp", json!("AA")), Some(Fault::Private)),
        (with("dq", json!("AA")), Some(Fault::Private)),
        (with("qi", json!("AA")), Some(Fault::Private)),
        (with("oth", json!([])), Some(Fault::Private)),
        (json!({ "kty": "oct", "k": "c2VjcmV0" }), Some(Fault::Private)),
        (json!({ "kty": "oct" }), Some(Fault::Unsupported("kty"))),
        (json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AA" }), Some(Fault::Unsupported("kty"))),
        (with("kty", json!("ec")), Some(Fault::Unsupported("kty"))),
        (with("kty", json!("RSA")), Some(MEMBERS)),
        (without(&jwk, "kty"), Some(Fault::Malformed("a JWK with a `kty`"))),
        (with("kty", json!(7)), Some(TEXTS)),
        (json!([jwk.clone()]), Some(Fault::Malformed("a JSON object"))),
        (json!("EC"), Some(Fault::Malformed("a JSON object"))),
        // What nobody asks for is left alone.
        (with("x5c", json!(["not a certificate"])), None),
        (with("whatever", json!({ "a": [1] })), None),
    ];
    for (jwk, expected) in rows {
        assert_eq!(fault(read(&jwk)), expected, "{jwk}");
    }
    let text = jwk.to_string();
    let rows = [
        ("a member twice", text.replacen('{', r#"{"kty":"EC","#, 1)),
        ("a member twice, spelled otherwise", text.replacen('{', r#"{"\u006bty":"EC","#, 1)),
        ("a member twice within", text.replacen('{', r#"{"x5c":[{"a":1,"a":1}],"#, 1)),
        ("more after it", format!("{text}{text}")),
        ("too deep", text.replacen('{', &format!(r#"{{"x5c":{}{},"#, "[".repeat(8), "]".repeat(8)), 1)),
        ("too long", format!("{text}{}", " ".repeat(256 * 1024))),
        ("no JSON", "-----BEGIN PUBLIC KEY-----".to_owned()),
        ("nothing", String::new()),
    ];
    for (what, text) in rows {
        assert_eq!(fault(VerifyingKey::from_jwk(&text)), Some(Fault::Json), "{what}");
    }
}

/// What its keys are called.
fn ids(set: &JwkSet) -> Vec<&str> {
    set.ids().map(|id| id.as_str()).collect()
}

#[test]
fn a_set_leaves_out_what_is_not_for_verifying_here_and_refuses_what_would_be_used_and_is_wrong() {
    let named = |name: &str, kid: &str| changed(&test_key(name).jwk, |jwk| jwk["kid"] = kid.into());
    let with = |kid: &str, member: &str, value: Value| changed(&named("p256-a", kid), |jwk| jwk[member] = value);
    let left_out = [
        with("2", "use", json!("enc")),
        with("2", "use", json!("jwt-svid")),
        with("2", "use", json!("x509-svid")),
        with("2", "key_ops", json!(["sign"])),
        with("2", "alg", json!("ES512")),
        with("2", "alg", json!("RSA-OAEP-256")),
        with("2", "crv", json!("P-521")),
        with("2", "kty", json!("AKP")),
        json!({ "kty": "OKP", "crv": "X25519", "x": "AA" }),
        // Not even its `kid` matters.
        with("1", "use", json!("enc")),
        without(&with("2", "use", json!("enc")), "kid"),
        changed(&with("2", "use", json!("enc")), |jwk| jwk["kid"] = 7.into()),
        changed(&test_key("rsa-1024").jwk, |jwk| jwk["use"] = "enc".into()),
    ];
    for jwk in left_out {
        let set = read_set(&json!([named("p384-a", "1"), jwk])).unwrap_or_else(|error| panic!("{jwk}: {error}"));
        assert_eq!(ids(&set), ["1"], "{jwk}");
    }
    let refused = [
        ("no `kid`", test_key("p256-a").jwk),
        ("an empty `kid`", with("", "use", json!("sig"))),
        ("a long `kid`", with(&"k".repeat(257), "use", json!("sig"))),
        ("a `kid` with a line break", with("a\nb", "use", json!("sig"))),
        ("a `kid` that is not ASCII", with("\u{430}", "use", json!("sig"))),
        ("a `kid` that is a number", changed(&named("p256-a", "2"), |jwk| jwk["kid"] = 2.into())),
        ("a `kid` that is null", changed(&named("p256-a", "2"), |jwk| jwk["kid"] = json!(null))),
        ("the same `kid`", named("p256-a", "1")),
        ("the same key again", named("p384-a", "1")),
        ("a weak key", named("rsa-1024", "2")),
        ("a weak key for signatures", changed(&named("rsa-1024", "2"), |jwk| jwk["use"] = "sig".into())),
        ("an exponent of 1", changed(&rsa(&modulus(2048), &[1]), |jwk| jwk["kid"] = "2".into())),
        ("a point of small order", changed(&ed25519(&[0; 32]), |jwk| jwk["kid"] = "2".into())),
        ("a private half", with("2", "d", json!("AA"))),
        ("a shared secret", json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "2" })),
        ("an algorithm of another kind", with("2", "alg", json!("RS256"))),
        ("no `kty`", without(&named("p256-a", "2"), "kty")),
        ("no object", json!("EC")),
    ];
    for (what, jwk) in refused {
        let found = read_set(&json!([named("p384-a", "1"), jwk]));
        let is_expected = match what {
            "the same `kid`" | "the same key again" => {
                matches!(&found, Err(KeyError::DuplicateId(id)) if id.as_str() == "1")
            }
            "no `kid`" => matches!(found, Err(KeyError::Set { .. })),
            "a private half" | "a shared secret" => matches!(found, Err(KeyError::Private)),
            _ => matches!(found, Err(KeyError::Malformed { .. })),
        };
        assert!(is_expected, "{what}: {found:?}");
    }
    assert_eq!(ids(&read_set(&json!([with(&"k".repeat(256), "use", json!("sig"))])).expect("a set")).len(), 1);
}

#[test]
fn a_set_is_an_object_with_a_list_of_at_most_128_keys() {
    let keys = |count: usize| -> Value {
        let jwk = |kid: usize| changed(&test_key("p256-a").jwk, |jwk| jwk["kid"] = kid.to_string().into());
        (0..count).map(jwk).collect()
    };
    assert!(read_set(&json!([])).expect("an empty set").is_empty());
    assert_eq!(read_set(&keys(128)).expect("a set").ids().count(), 128);
    assert!(matches!(read_set(&keys(129)), Err(KeyError::Set { .. })), "also where the rest would be left out");
    for text in [r#"{}"#, r#"{"keys":{}}"#, r#"{"keys":null}"#, r#"[]"#, r#""keys""#, r#"{"Keys":[]}"#] {
        assert!(matches!(JwkSet::from_json(text), Err(KeyError::Set { .. })), "{text}");
    }
    let long = |bytes: usize| format!(r#"{{"keys":[]{}}}"#, " ".repeat(bytes - 11));
    assert!(JwkSet::from_json(&long(256 * 1024)).is_ok());
    for text in [long(256 * 1024 + 1), r#"{"keys":[],"keys":[]}"#.to_owned(), r#"{"keys":[]"#.to_owned(), String::new()]
    {
        assert!(matches!(JwkSet::from_json(&text), Err(KeyError::Json(_))));
    }
}

#[test]
fn a_bundle_has_the_keys_that_are_for_jwt_svids_and_no_others() {
    let pen = Pen::new("ES256", "a");
    let bundle = |keys: Value| {
        let domain = TrustDomain::new("acme.example").expect("a trust domain");
        let production = Environment::new("production").expect("an environment");
        // SPIFFE Trust Domain and Bundle, section 4.1: members of the whole that nobody asks for here.
        let text = json!({ "keys": keys, "spiffe_sequence": 7, "spiffe_refresh_hint": 300 }).to_string();
        TrustBundle::from_json(domain, production, &text)
    };
    let rows = [
        (json!([pen.jwk("jwt-svid"), Pen::new("ES256", "b").jwk("wit-svid")]), 1),
        (json!([pen.jwk("sig")]), 0),
        (json!([pen.jwk("wit-svid")]), 0),
        (json!([without(&pen.jwk("jwt-svid"), "use")]), 0),
        (json!([]), 0),
    ];
    for (keys, count) in rows {
        assert_eq!(bundle(keys.clone()).expect("a bundle").jwt_keys().ids().count(), count, "{keys}");
    }
    assert!(matches!(bundle(json!([without(&pen.jwk("jwt-svid"), "kid")])), Err(KeyError::Set { .. })));
    assert!(matches!(bundle(json!([pen.jwk("jwt-svid"), pen.jwk("jwt-svid")])), Err(KeyError::DuplicateId(_))));
    let weak = changed(&test_key("rsa-1024").jwk, |jwk| (jwk["kid"], jwk["use"]) = ("2".into(), "jwt-svid".into()));
    assert!(matches!(bundle(json!([pen.jwk("jwt-svid"), weak])), Err(KeyError::Malformed { .. })));
}

#[test]
fn a_key_speaks_for_one_and_nobody_is_trusted_twice() {
    let (a, b) = (Pen::new("ES256", "a"), Pen::new("ES256", "b"));
    let mut oidc = OidcVerifier::new(audience("https://host.acme.example"));
    let (first, second) = (issuer("https://a.example"), issuer("https://b.example"));
    oidc.trust(first.clone(), a.set()).expect("a new issuer");
    assert!(matches!(oidc.trust(first.clone(), b.set()), Err(TrustError::Twice(_))), "the issuer again");
    assert!(matches!(oidc.trust(second.clone(), a.set()), Err(TrustError::SharedKey { .. })), "the key again");
    let renamed =
        json!({ "keys": [changed(&a.jwk("sig"), |jwk| (jwk["kid"], jwk["alg"]) = ("x".into(), "ES256".into()))] });
    let renamed = JwkSet::from_json(&renamed.to_string()).expect("a set");
    assert!(matches!(oidc.trust(second.clone(), renamed), Err(TrustError::SharedKey { .. })), "under another name");
    oidc.trust(second, b.set()).expect("what was refused trusted nobody");

    let (production, staging) = (Environment::new("production"), Environment::new("staging"));
    let (production, staging) = (production.expect("an environment"), staging.expect("an environment"));
    let bundle = |domain: &str, environment: &Environment, pen: &Pen| {
        let domain = TrustDomain::new(domain).expect("a trust domain");
        let text = json!({ "keys": [pen.jwk("jwt-svid")] }).to_string();
        TrustBundle::from_json(domain, environment.clone(), &text).expect("a bundle")
    };
    let mut svids = SpiffeVerifier::new(audience("https://host.acme.example"), production.clone());
    let refused = svids.trust(bundle("acme.example", &staging, &a));
    assert!(
        matches!(refused, Err(TrustError::Environment { want, found, .. }) if want == production && found == staging)
    );
    svids.trust(bundle("acme.example", &production, &a)).expect("a new domain");
    assert!(matches!(svids.trust(bundle("acme.example", &production, &b)), Err(TrustError::Twice(_))));
    assert!(matches!(svids.trust(bundle("b.example", &production, &a)), Err(TrustError::SharedKey { .. })));

    let set = KeySet::of(first.clone(), AGENT.public());
    assert!(matches!(set.with(issuer("https://b.example"), AGENT.public()), Err(KeyError::Duplicate { .. })));
}

#[test]
fn a_leeway_is_a_minute_at_most_in_whole_seconds() {
    for (leeway, fits) in [(0, true), (1_000, true), (60_000, true), (60_001, false), (61_000, false), (500, false)] {
        assert_eq!(Leeway::new(Duration::from_millis(leeway)).is_ok(), fits, "{leeway} milliseconds");
    }
    assert!(Leeway::new(Duration::from_secs(256)).is_err(), "which is 0 in a byte");
    assert!(Leeway::new(Duration::MAX).is_err());
    assert_eq!(Leeway::default(), Leeway::new(Duration::ZERO).expect("none"));
}
