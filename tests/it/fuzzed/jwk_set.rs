//! Sets of keys out of bytes.

use std::collections::BTreeMap;

use bailiwick::jose::JwkSet;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::dice::Dice;
use super::pens::test_key;
use super::published::{decode, encode};

const KEYS: &[&str] = &["p256-a", "p256-b", "p384-a", "ed25519-a", "rsa-2048-a", "rsa-1024"];

/// One change of a member, as somebody could write it who is careless or malicious.
fn change(dice: &mut Dice<'_>, jwk: &mut Value) {
    let members = ["kid", "use", "alg", "key_ops", "kty", "crv", "x", "y", "n", "e", "d", "k", "x5c"];
    let member = dice.pick(&members);
    let values = [
        json!("sig"),
        json!("enc"),
        json!("ES256"),
        json!("RS256"),
        json!("EdDSA"),
        json!("none"),
        json!(["verify"]),
        json!(["sign"]),
        json!("EC"),
        json!("OKP"),
        json!("RSA"),
        json!("oct"),
        json!("P-256"),
        json!("AQAB"),
        json!("AQ"),
        json!("A"),
        json!(""),
        json!("AA=="),
        json!(null),
        json!(7),
        json!("1"),
    ];
    if dice.one_in(4) {
        jwk.as_object_mut().expect("an object").remove(member);
    } else {
        jwk[member] = dice.pick(&values);
    }
}

/// A set, mostly a good one.
fn text(bytes: &[u8]) -> String {
    let mut dice = Dice::new(bytes);
    if dice.one_in(10) {
        return String::from_utf8_lossy(bytes.get(1..).unwrap_or_default()).into_owned();
    }
    let keys = (0..dice.below(4)).map(|number| {
        let known = if dice.one_in(8) { KEYS } else { &KEYS[..5] };
        let mut jwk = test_key(dice.pick(known)).jwk;
        jwk["kid"] = number.to_string().into();
        for _ in 0..dice.pick(&[0, 0, 0, 1, 1, 2]) {
            change(&mut dice, &mut jwk);
        }
        jwk
    });
    let text = json!({ "keys": keys.collect::<Vec<_>>() }).to_string();
    match dice.below(32) {
        31 => text.replacen("\"kid\":", "\"kid\":\"0\",\"kid\":", 1),
        30 => text.replacen("keys", "Keys", 1),
        29 => format!("{text}{text}"),
        _ => text,
    }
}

/// What a naive reader makes of a key: its name and thumbprint, if it would verify with it.
fn verified_with(jwk: &Value) -> Option<(String, String)> {
    let text = |member: &str| jwk.get(member)?.as_str();
    let numbers = |member: &str| {
        let text = text(member)?;
        let is_base64url = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (is_base64url && encode(&decode(text)) == text).then(|| decode(text))
    };
    let is_private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|member| jwk.get(member).is_some());
    let is_for_this = jwk.get("use").is_none_or(|purpose| purpose == "sig")
        && jwk.get("key_ops").is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.contains(&json!("verify"))));
    let rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    let (members, own): (&[&str], &[&str]) = match (text("kty")?, text("crv")) {
        ("EC", Some("P-256")) => (&["crv", "kty", "x", "y"], &["ES256"]),
        ("EC", Some("P-384")) => (&["crv", "kty", "x", "y"], &["ES384"]),
        ("OKP", Some("Ed25519")) => (&["crv", "kty", "x"], &["EdDSA", "Ed25519"]),
        ("RSA", _) => (&["e", "kty", "n"], &rsa),
        _ => return None,
    };
    let is_strong = match text("kty")? {
        "EC" => {
            let width = if text("crv") == Some("P-256") { 32 } else { 48 };
            numbers("x")?.len() == width && numbers("y")?.len() == width
        }
        "OKP" => numbers("x")?.len() == 32,
        _ => {
            let (n, e) = (numbers("n")?, numbers("e")?);
            let number = e.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
            let is_written = n.first()? >= &0x80 && e.first()? > &0 && e.len() <= 8;
            n.len() == 256 && is_written && (3..1 << 33).contains(&number) && number % 2 == 1
        }
    };
    let is_pinned = jwk.get("alg").is_none_or(|alg| own.iter().any(|own| alg == own));
    let kid =
        text("kid").filter(|kid| (1..=256).contains(&kid.len()) && kid.bytes().all(|b| (32..127).contains(&b)))?;
    let written: Vec<String> =
        members.iter().map(|member| Some(format!("\"{member}\":\"{}\"", text(member)?))).collect::<Option<_>>()?;
    let thumbprint = encode(digest(&SHA256, format!("{{{}}}", written.join(",")).as_bytes()).as_ref());
    (!is_private && is_for_this && is_strong && is_pinned).then(|| (kid.to_owned(), thumbprint))
}

/// Whether the set was accepted and has keys.
///
/// # Errors
///
/// It has a key that a naive reader would not verify with, or not all of them.
pub(crate) fn hold(bytes: &[u8]) -> Result<bool, String> {
    let text = text(bytes);
    let naive: Option<Vec<Value>> =
        serde_json::from_str(&text).ok().and_then(|set: Value| Some(set.get("keys")?.as_array()?.clone()));
    let read: Vec<Option<(String, String)>> = naive.iter().flatten().map(verified_with).collect();
    let wanted: BTreeMap<String, String> = read.iter().flatten().cloned().collect();
    let Ok(set) = JwkSet::from_json(&text) else {
        let is_good = naive.is_some() && read.iter().all(Option::is_some) && wanted.len() == read.len();
        let is_said_once = text.matches("\"kid\":").count() <= read.len();
        return if is_good && is_said_once { Err(format!("is a set: {text}")) } else { Ok(false) };
    };
    let ids = set.ids().map(|id| id.as_str().to_owned());
    let found: BTreeMap<String, String> = ids.zip(set.thumbprints().map(|key| key.to_string())).collect();
    if found != wanted || read.iter().flatten().count() != wanted.len() {
        return Err(format!("found {found:?}, wanted {wanted:?}: {text}"));
    }
    Ok(!set.is_empty())
}
