//! The key ring: one key signs, former ones verify until their last credential is over, and what is withdrawn is gone.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use bailiwick::Authorizer;
use bailiwick::credential::{CredentialVerifier, KeyRing, KeyRingError, MintKey, Minter};
use bailiwick::entropy::SystemEntropy;
use bailiwick::jose::{Flaw, JwkSet, KeyError, KeySet, Refused};
use bailiwick::mandate::Action;
use bailiwick::policy::Evaluator;
use bailiwick::{Task, audit::Effect};
use serde_json::{Value, json};

use crate::pens::{Pen, test_key};
use crate::published::{AGENT, APPROVALS, AUTHZ, CHILD, ERP, ISSUER, Key, audience, contents, issuer, known, shown};
use crate::world::{self, OPEN, START, World, at, catalog, standard};

/// A world whose credentials are minted by this minter.
pub(crate) fn minting(minter: Minter) -> World {
    let mut world = World::new(OPEN);
    let evaluator = Evaluator::new(catalog(), OPEN).expect("policies");
    world.door = Authorizer::builder(Arc::clone(&world.registry), evaluator, world.sink.clone())
        .minter(minter)
        .administration(standard())
        .clock(world.clock.clone())
        .build()
        .expect("a door");
    world
}

/// A task of that world, and what it may do.
pub(crate) fn closing(world: &World) -> (Task, Action) {
    let close = Action::on_behalf_of(&world.ada, "ticket.close", &world::ticket()).expect("an action");
    (world.task(world::scope()), close)
}

fn ed25519() -> MintKey {
    MintKey::generate(&SystemEntropy).expect("a key")
}

fn es256() -> MintKey {
    MintKey::generate_es256().expect("a key")
}

fn published(key: &Key) -> MintKey {
    MintKey::from_pkcs8(&key.pkcs8()).expect("a key")
}

fn ring(key: MintKey) -> KeyRing {
    KeyRing::new(issuer(AUTHZ), key)
}

/// A known credential, signed by this key, that is good from `from` for 300 seconds.
fn signed(key: &Key, from: i64) -> String {
    let mut claims = known("auto").claims;
    (claims["iat"], claims["nbf"], claims["exp"]) = (from.into(), from.into(), (from + 300).into());
    key.sign(&claims)
}

fn verify(ring: &KeyRing, token: &str, now: i64) -> Option<Flaw> {
    let verifier = CredentialVerifier::new(ring.keys(at(now)), audience(ERP));
    verifier.verify(&shown(token), at(now)).map_err(Refused::flaw).err()
}

#[test]
fn both_kinds_of_key_mint_what_the_door_and_others_verify() {
    for (key, alg) in [(ed25519(), "EdDSA"), (es256(), "ES256")] {
        let thumbprint = key.public().thumbprint();
        let ring = ring(key);
        let world = minting(Minter::with_ring(ring.clone()));
        let (task, close) = closing(&world);
        let credential = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
        let (header, _) = contents(credential.expose());
        assert_eq!(header, json!({ "alg": alg, "kid": thumbprint, "typ": "at+jwt" }));
        assert!(world.door.verify(credential.expose(), &world::audience()).is_ok());
        let trusted = KeySet::from_jwk_set(&issuer(AUTHZ), &JwkSet::from_json(&ring.jwk_set(at(START))).unwrap());
        let elsewhere = CredentialVerifier::new(trusted.unwrap(), world::audience());
        assert_eq!(elsewhere.verify(&shown(credential.expose()), at(START)).unwrap().id(), credential.id());
        credential.finish(Effect::Succeeded).unwrap();
    }
}

#[test]
fn keys_in_pkcs8_are_read_in_both_forms_and_sign() {
    for (name, alg) in [("ed25519-a", "EdDSA"), ("p256-a", "ES256")] {
        let pem = test_key(name).pem;
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = crate::published::decode(base64.replace('+', "-").replace('/', "_").trim_end_matches('='));
        let key = MintKey::from_pkcs8(&der).expect(name);
        assert_eq!(key.public().thumbprint().as_str(), test_key(name).thumbprint, "{name}");
        assert_eq!(format!("{key:?}"), format!("MintKey(SigningKey({}))", test_key(name).thumbprint));
        let world = minting(Minter::new(issuer(AUTHZ), key));
        let (task, close) = closing(&world);
        let credential = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
        assert_eq!(contents(credential.expose()).0["alg"], alg);
        assert!(world.door.verify(credential.expose(), &world::audience()).is_ok());
        for cut in [0, 1, der.len() / 2, der.len() - 1] {
            assert!(MintKey::from_pkcs8(&der[..cut]).is_err(), "{name}, {cut} bytes");
        }
    }
    for other in ["p384-a", "rsa-2048-a"] {
        let pem = test_key(other).pem;
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = crate::published::decode(base64.replace('+', "-").replace('/', "_").trim_end_matches('='));
        let refused = MintKey::from_pkcs8(&der).unwrap_err();
        assert!(matches!(refused, KeyError::Malformed { .. }), "{other}: {refused:?}");
    }
}

#[test]
fn a_former_key_verifies_for_900_seconds_and_nothing_from_then_on() {
    let ring = ring(published(&ISSUER));
    assert_eq!(verify(&ring, &signed(&ISSUER, START), START), None);
    ring.rotate(es256(), at(START)).unwrap();
    // Good for longer than the key that signed it, as only a key that leaked writes it.
    let late = signed(&ISSUER, START + 700);
    assert_eq!(verify(&ring, &late, START + 899), None);
    assert!(ring.jwk_set(at(START + 899)).contains(ISSUER.thumbprint));
    assert_eq!(verify(&ring, &late, START + 900), Some(Flaw::UnknownKey));
    assert!(!ring.jwk_set(at(START + 900)).contains(ISSUER.thumbprint));
    // What is over is gone, whatever a clock says then.
    assert_eq!(verify(&ring, &late, START + 800), Some(Flaw::UnknownKey));
    assert!(!ring.jwk_set(at(START + 800)).contains(ISSUER.thumbprint));
}

#[test]
fn credentials_of_the_former_key_live_on_while_the_door_is_open() {
    let ring = ring(ed25519());
    let world = minting(Minter::with_ring(ring.clone()).with_lifetime(Duration::from_secs(900)).unwrap());
    let (task, close) = closing(&world);
    let mint = || task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
    let before = mint();
    ring.rotate(es256(), at(START)).unwrap();
    let after = mint();
    assert_ne!(contents(before.expose()).0["kid"], contents(after.expose()).0["kid"]);
    assert_eq!(contents(after.expose()).0["kid"], ring.signs_with().as_str());
    world.clock.set(at(START + 899));
    for credential in [&before, &after] {
        assert!(world.door.verify(credential.expose(), &world::audience()).is_ok());
    }
}

#[test]
fn a_key_that_is_withdrawn_verifies_nothing_at_once() {
    let ring = ring(ed25519());
    let world = minting(Minter::with_ring(ring.clone()));
    let (task, close) = closing(&world);
    let credential = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
    let leaked = ring.signs_with();
    assert_eq!(ring.withdraw(&leaked), Err(KeyRingError::Signs(leaked.clone())), "it signs");
    ring.rotate(ed25519(), at(START)).unwrap();
    assert!(world.door.verify(credential.expose(), &world::audience()).is_ok());
    ring.withdraw(&leaked).unwrap();
    let refused = world.door.verify(credential.expose(), &world::audience()).unwrap_err();
    assert_eq!(refused.flaw(), Flaw::UnknownKey);
    assert!(!ring.jwk_set(at(START)).contains(leaked.as_str()));
    assert_eq!(ring.withdraw(&leaked), Err(KeyRingError::Unknown(leaked)));
}

#[test]
fn no_key_is_given_up_before_its_time_and_there_are_few_of_them() {
    let ring = ring(ed25519());
    let mut former = Vec::new();
    for second in 0..8 {
        former.push(ring.signs_with());
        ring.rotate(ed25519(), at(START + second)).unwrap();
    }
    let signs = ring.signs_with();
    let refused = ring.rotate(ed25519(), at(START + 899)).unwrap_err();
    assert_eq!(refused, KeyRingError::TooMany { former: 8, max: 8, until: at(START + 900) });
    assert_eq!(ring.signs_with(), signs, "the ring is as it was");
    let set = ring.jwk_set(at(START + 899));
    assert!(former.iter().all(|key| set.contains(key.as_str())));
    ring.rotate(ed25519(), at(START + 900)).unwrap();
    let set = ring.jwk_set(at(START + 900));
    assert_eq!(
        former.iter().map(|key| set.contains(key.as_str())).collect::<Vec<_>>(),
        [false, true, true, true, true, true, true, true]
    );
    assert!(set.contains(signs.as_str()));
}

#[test]
fn a_clock_that_was_set_back_shortens_no_key_s_time() {
    let ring = ring(published(&ISSUER));
    ring.rotate(published(&APPROVALS), at(START + 50)).unwrap();
    ring.rotate(published(&CHILD), at(START)).unwrap();
    for key in [&ISSUER, &APPROVALS] {
        assert_eq!(verify(&ring, &signed(key, START + 700), START + 949), None, "{}", key.x);
    }
    for key in [&ISSUER, &APPROVALS] {
        assert_eq!(verify(&ring, &signed(key, START + 700), START + 950), Some(Flaw::UnknownKey), "{}", key.x);
    }
}

#[test]
fn a_key_signs_for_one_time() {
    let ring = ring(published(&ISSUER));
    let again = |key: &Key| ring.rotate(published(key), at(START));
    let known = |key: &Key| Err(KeyRingError::Known(key.public().thumbprint()));
    assert_eq!(again(&ISSUER), known(&ISSUER), "it signs");
    assert_eq!(again(&AGENT), Ok(()));
    assert_eq!(again(&ISSUER), known(&ISSUER), "it did");
    assert_eq!(again(&AGENT), known(&AGENT));
}

#[test]
fn the_exported_set_says_what_each_key_is_and_nothing_private() {
    let es256 = Pen::new("ES256", "a");
    let pem = test_key("p256-a").pem;
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = crate::published::decode(base64.replace('+', "-").replace('/', "_").trim_end_matches('='));
    let ring = ring(published(&ISSUER));
    ring.rotate(MintKey::from_pkcs8(&der).unwrap(), at(START)).unwrap();
    let set: Value = serde_json::from_str(&ring.jwk_set(at(START))).unwrap();
    let (x, y, kid) = (&es256.jwk["x"], &es256.jwk["y"], test_key("p256-a").thumbprint);
    assert_eq!(
        set,
        json!({ "keys": [
            { "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "use": "sig", "alg": "ES256" },
            { "kty": "OKP", "crv": "Ed25519", "x": ISSUER.x, "kid": ISSUER.thumbprint, "use": "sig", "alg": "EdDSA" },
        ] })
    );
}

#[test]
fn a_set_whose_keys_are_not_called_by_their_thumbprints_is_refused() {
    let ring = ring(published(&ISSUER));
    ring.rotate(es256(), at(START)).unwrap();
    let set = ring.jwk_set(at(START));
    let read = |text: &str| KeySet::from_jwk_set(&issuer(AUTHZ), &JwkSet::from_json(text).expect("a set"));
    assert!(read(&set).is_ok());
    let renamed = set.replace(ISSUER.thumbprint, "2026-11");
    let refused = read(&renamed).unwrap_err();
    assert!(matches!(&refused, KeyError::NotThumbprint { thumbprint, .. } if thumbprint.as_str() == ISSUER.thumbprint));
    // Under the name of another key it would be picked for that one's tokens.
    let swapped = set.replace(ISSUER.thumbprint, APPROVALS.thumbprint);
    assert!(matches!(read(&swapped), Err(KeyError::NotThumbprint { .. })));
    // A key of the set is trusted for its issuer's tokens alone.
    let other = KeySet::from_jwk_set(&issuer("https://other.example"), &JwkSet::from_json(&set).unwrap()).unwrap();
    let verifier = CredentialVerifier::new(other, audience(ERP));
    assert_eq!(verifier.verify(&shown(&signed(&ISSUER, START)), at(START)).unwrap_err().flaw(), Flaw::Issuer);
}

#[test]
fn a_service_that_fetches_keys_again_knows_what_was_used() {
    let ring = ring(ed25519());
    let world = minting(Minter::with_ring(ring.clone()));
    let (task, close) = closing(&world);
    let mint = || task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
    let (used, fresh) = (mint(), mint());
    let action = (close.tool(), close.resource(), close.arguments());
    let accept = |verifier: &CredentialVerifier, token: &str| {
        verifier.accept(&shown(token), action, at(START)).map_err(Refused::flaw).err()
    };
    let first = CredentialVerifier::new(ring.keys(at(START)), world::audience());
    assert_eq!(accept(&first, used.expose()), None);
    let former = ring.signs_with();
    ring.rotate(es256(), at(START)).unwrap();
    let later = mint();
    assert_eq!(accept(&first, later.expose()), Some(Flaw::UnknownKey));
    let second = first.clone().trusting(ring.keys(at(START)));
    assert_eq!(accept(&second, later.expose()), None);
    assert_eq!(accept(&second, used.expose()), Some(Flaw::Replayed), "it was used");
    ring.withdraw(&former).unwrap();
    let third = second.trusting(ring.keys(at(START)));
    for token in [&used, &fresh] {
        assert_eq!(accept(&third, token.expose()), Some(Flaw::UnknownKey), "its key was withdrawn");
    }
}

#[test]
fn whatever_is_minted_while_keys_rotate_verifies() {
    let ring = ring(ed25519());
    let world = minting(Minter::with_ring(ring.clone()));
    let (task, close) = closing(&world);
    let start = Arc::new(Barrier::new(4));
    thread::scope(|scope| {
        for _ in 0..3 {
            let start = Arc::clone(&start);
            let (world, task, close) = (&world, task.handle(), &close);
            scope.spawn(move || {
                start.wait();
                for _ in 0..50 {
                    let credential = task.mint(task.authorize(close).unwrap(), &world::audience()).unwrap();
                    assert!(world.door.verify(credential.expose(), &world::audience()).is_ok());
                }
            });
        }
        start.wait();
        for second in 0..8 {
            ring.rotate(es256(), at(START + second)).unwrap();
        }
    });
}
