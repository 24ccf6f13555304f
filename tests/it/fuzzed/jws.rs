//! Tokens out of bytes: JWT-SVIDs, since those take the fewest words.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use bailiwick::id::Audience;
use bailiwick::identity::{Environment, SpiffeVerifier, TrustBundle, TrustDomain};
use bailiwick::time::Timestamp;
use serde_json::{Value, json};

use super::dice::Dice;
use super::pens::Pen;
use super::spiffe_id;

const HOST: &str = "https://host.acme.example";
const NOW: i64 = 1_790_000_000;

struct Scene {
    pen: Pen,
    other: Pen,
    verifier: SpiffeVerifier,
    now: Timestamp,
}

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let (pen, other) = (Pen::new("ES256", "a"), Pen::new("ES256", "b"));
        let production = Environment::new("production").expect("an environment");
        let domain = TrustDomain::new("acme.example").expect("a trust domain");
        let text = json!({ "keys": [pen.jwk("jwt-svid")] }).to_string();
        let bundle = TrustBundle::from_json(domain, production.clone(), &text).expect("a bundle");
        let mut verifier = SpiffeVerifier::new(Audience::new(HOST).expect("an audience"), production);
        verifier.trust(bundle).expect("a new domain");
        Scene { pen, other, verifier, now: Timestamp::from_unix(NOW).expect("a moment") }
    })
}

/// A member that may be written: its name and what it may be, as JSON; the first is right.
type Member = (&'static str, &'static [&'static str]);

const HEADER: &[Member] = &[
    (r#""alg""#, &[r#""ES256""#, r#""ES384""#, r#""none""#, r#""HS256""#, r#""EdDSA""#, r#""es256""#, "null", "7"]),
    (r#""kid""#, &[r#""key-a""#, r#""key-b""#, r#""""#, "null", r#"["key-a"]"#]),
    (r#""typ""#, &[r#""JWT""#, r#""JOSE""#, r#""jwt""#, r#""at+jwt""#, "null", "1"]),
    (r#""crit""#, &["[]"]),
    (r#""\u0061lg""#, &[r#""ES256""#]),
    (r#""x5t""#, &[r#""AA""#, "null"]),
];

const CLAIMS: &[Member] = &[
    (
        r#""sub""#,
        &[
            r#""spiffe://acme.example/agent""#,
            r#""spiffe://acme.example/a/b""#,
            r#""spiffe://acme.example""#,
            r#""spiffe://acme.example/a/""#,
            r#""spiffe://acme.example/..""#,
            r#""spiffe://other.example/agent""#,
            r#""spiffe:\/\/acme.example\/agent""#,
            "null",
        ],
    ),
    (
        r#""aud""#,
        &[
            r#""https://host.acme.example""#,
            r#"["https://host.acme.example"]"#,
            r#"["https://host.acme.example", "x"]"#,
            r#""https://host.acme.example/""#,
            "[]",
            "null",
        ],
    ),
    (
        r#""exp""#,
        &[
            "1790000300",
            "1790000001",
            "1790000000",
            "1789999999",
            "1790000300.0",
            "1e99",
            "\"1790000300\"",
            "-1",
            "null",
        ],
    ),
    (r#""iat""#, &["1790000000", "1789999000", "1790000001", "0", "-1", "1790000300", "1.5", "null"]),
    (r#""nbf""#, &["1790000000", "1789999000", "1790000001", "0", "1790000300", "[1]", "null"]),
    (r#""extra""#, &["null", r#"{"a":1}"#, r#"{"a":1,"a":1}"#, "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "1e400"]),
];

/// An object of some members in some order, and which names it has.
fn object(dice: &mut Dice<'_>, members: &[Member], required: usize) -> String {
    let mut written: Vec<String> = Vec::new();
    for (place, (name, values)) in members.iter().enumerate() {
        let is_there = if place < required { !dice.one_in(40) } else { dice.one_in(6) };
        let times = usize::from(is_there) + usize::from(dice.one_in(60));
        for _ in 0..times {
            let value = if dice.one_in(6) { dice.pick(values) } else { values[0] };
            written.push(format!("{name}:{value}"));
        }
    }
    if dice.one_in(4) {
        written.reverse();
    }
    let text = format!("{{{}}}", written.join(","));
    match dice.below(64) {
        63 => format!("[{text}]"),
        62 => format!("{text}x"),
        61 => format!(" {text}\n"),
        _ => text,
    }
}

/// Whether no object in the text names a member twice, as far as the members above are concerned.
fn is_said_once(text: &str) -> bool {
    let names = [
        "\"alg\":",
        "\"\\u0061lg\":",
        "\"kid\":",
        "\"typ\":",
        "\"crit\":",
        "\"x5t\":",
        "\"sub\":",
        "\"aud\":",
        "\"exp\":",
        "\"iat\":",
        "\"nbf\":",
        "\"extra\":",
        "\"a\":",
    ];
    let seen: Vec<usize> = names.iter().map(|name| text.matches(name).count()).collect();
    seen.iter().all(|times| *times <= 1) && seen[0] + seen[1] <= 1
}

/// What somebody would say who reads header and claims with another reader of JSON.
fn is_right(header: &str, claims: &str) -> Option<bool> {
    let (head, body): (Value, Value) = (serde_json::from_str(header).ok()?, serde_json::from_str(claims).ok()?);
    let (head, body) = (head.as_object()?, body.as_object()?);
    let known = BTreeSet::from(["alg", "kid", "typ"]);
    let is_closed = head.keys().all(|name| known.contains(name.as_str()));
    let typ = head.get("typ").map(|typ| typ == "JWT" || typ == "JOSE").unwrap_or(true);
    let sub = body.get("sub")?.as_str()?;
    let aud = body.get("aud")? == HOST || body.get("aud")? == &json!([HOST]);
    let exp = body.get("exp")?.as_i64()?;
    let from = |name: &str| match body.get(name) {
        None => Some(true),
        Some(time) => time.as_i64().map(|time| (1..=NOW).contains(&time) && time < exp),
    };
    let is_deep = claims.contains(&"[".repeat(16));
    Some(
        head.get("alg")? == "ES256"
            && head.get("kid")? == "key-a"
            && is_closed
            && typ
            && spiffe_id::is_one(sub)
            && sub.starts_with("spiffe://acme.example/")
            && aud
            && NOW < exp
            && from("iat")?
            && from("nbf")?
            && !is_deep
            && is_said_once(header)
            && is_said_once(claims),
    )
}

/// Whether the token was accepted.
///
/// # Errors
///
/// It was not signed, or somebody would have said otherwise.
pub(crate) fn hold(bytes: &[u8]) -> Result<bool, String> {
    let Scene { pen, other, verifier, now } = scene();
    let accepts = |token: &str| verifier.verify(token, *now).is_ok();
    let mut dice = Dice::new(bytes);
    let kind = dice.below(16);
    if kind == 15 {
        // Nobody who has no key writes a token.
        let token = String::from_utf8_lossy(bytes.get(1..).unwrap_or_default());
        return if accepts(&token) { Err(format!("nobody signed {token:?}")) } else { Ok(false) };
    }
    let (header, claims) = (object(&mut dice, HEADER, 3), object(&mut dice, CLAIMS, 3));
    let signer = if kind == 14 { other } else { pen };
    let token = signer.sign_text(&header, &claims);
    let expected = kind != 14 && is_right(&header, &claims).unwrap_or(false);
    if accepts(&token) != expected {
        return Err(format!("expected {expected} of {header} . {claims}"));
    }
    // One that was changed by whoever has no key.
    let place = dice.number().unsigned_abs() as usize % token.len();
    let letter = char::from(dice.pick(b"ABCDabcd0189-_.=+/ \n"));
    let changed = match dice.below(3) {
        0 => format!("{}{letter}{}", &token[..place], &token[place + 1..]),
        1 => format!("{}{letter}{}", &token[..place], &token[place..]),
        _ => format!("{}{}", &token[..place], &token[place + 1..]),
    };
    if changed != token && accepts(&changed) {
        return Err(format!("nobody signed {changed:?}, which is not {token:?}"));
    }
    Ok(expected)
}
