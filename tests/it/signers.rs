//! Signers elsewhere: what they sign verifies before anybody gets it, and when they break there is no credential.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bailiwick::audit::{AgentFact, MemorySink};
use bailiwick::credential::{KeyRing, Message, MintError, MintKey, Minter, Signer};
use bailiwick::jose::{Algorithm, Flaw, KeyError, SigningError, VerifyingKey};
use bailiwick::mandate::TaskState;
use bailiwick::policy::ReasonCode;
use bailiwick::{Digest, Halt};

use crate::key_ring::{closing, minting};
use crate::pens::Pen;
use crate::published::{AUTHZ, contents, issuer};
use crate::world::{self, START, World, at};

type Signs = Box<dyn Fn(&Pen, &Message<'_>) -> Result<Vec<u8>, SigningError> + Send + Sync>;

/// A signer that holds a test key, and signs as it is told to.
struct Remote {
    pen: Pen,
    algorithm: Algorithm,
    signs: Signs,
    calls: AtomicUsize,
}

impl Signer for Remote {
    fn public(&self) -> VerifyingKey {
        VerifyingKey::from_jwk(&self.pen.jwk.to_string()).expect("a key")
    }

    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn sign(&self, message: &Message<'_>) -> Result<Vec<u8>, SigningError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        (self.signs)(&self.pen, message)
    }
}

fn remote(
    algorithm: &'static str,
    signs: impl Fn(&Pen, &Message<'_>) -> Result<Vec<u8>, SigningError> + Send + Sync + 'static,
) -> Arc<Remote> {
    let (pen, signs) = (Pen::new(algorithm, "a"), Box::new(signs));
    let algorithm = if algorithm == "ES256" { Algorithm::Es256 } else { Algorithm::Ed25519 };
    Arc::new(Remote { pen, algorithm, signs, calls: AtomicUsize::new(0) })
}

fn world_of(signer: Arc<Remote>) -> World {
    minting(Minter::new(issuer(AUTHZ), MintKey::elsewhere(signer).expect("a key")))
}

/// Facts of the agent's lane since the decision, by name.
fn told(sink: &MemorySink) -> Vec<String> {
    let facts = sink.events().into_iter().filter_map(|event| event.agent.map(|agent| agent.fact));
    facts
        .filter_map(|fact| match fact {
            AgentFact::Minted { .. } => Some("minted".to_owned()),
            AgentFact::Voided { reason, .. } => Some(format!("voided: {}", reason.code().as_str())),
            AgentFact::Done { effect, .. } => Some(format!("{effect:?}")),
            _ => None,
        })
        .collect()
}

#[test]
fn what_a_signer_elsewhere_signs_is_a_credential_like_any_other() {
    for algorithm in ["EdDSA", "ES256"] {
        let signer = remote(algorithm, |pen, message| {
            assert_eq!(message.digest(), Digest::of(message.bytes()));
            Ok(pen.signature(message.bytes()))
        });
        let world = world_of(Arc::clone(&signer));
        let (task, close) = closing(&world);
        let permit = task.authorize(&close).unwrap();
        assert_eq!(signer.calls.load(Ordering::SeqCst), 0, "deciding asks no signer");
        let credential = task.mint(permit, &world::audience()).unwrap();
        assert_eq!(signer.calls.load(Ordering::SeqCst), 1);
        assert_eq!(contents(credential.expose()).0["alg"], algorithm);
        assert!(world.door.verify(credential.expose(), &world::audience()).is_ok());
        assert!(world.door.accept(credential.expose(), &world::audience(), &close).is_ok());
    }
}

#[test]
fn a_signer_that_breaks_leaves_no_credential_and_the_permit_is_void() {
    let rows: [(&str, Signs, SigningError); 7] = [
        ("fails", Box::new(|_, _| Err(SigningError::because("no connection"))), SigningError::because("no connection")),
        ("panics", Box::new(|_, _| panic!("the host's code panics")), SigningError::Panicked),
        (
            "another key",
            Box::new(|_, message| Ok(Pen::new("ES256", "b").signature(message.bytes()))),
            SigningError::Wrong,
        ),
        ("another message", Box::new(|pen, _| Ok(pen.signature(b"another"))), SigningError::Wrong),
        (
            "a byte less",
            Box::new(|pen, message| Ok(pen.signature(message.bytes())[..63].to_vec())),
            SigningError::Wrong,
        ),
        (
            "a byte more",
            Box::new(|pen, message| Ok([&pen.signature(message.bytes())[..], &[0]].concat())),
            SigningError::Wrong,
        ),
        ("nothing", Box::new(|_, _| Ok(Vec::new())), SigningError::Wrong),
    ];
    for (what, signs, expected) in rows {
        let broken = Arc::new(Mutex::new(true));
        let is_broken = Arc::clone(&broken);
        let signer = remote("ES256", move |pen, message| {
            if *is_broken.lock().expect("no panic under it") {
                return signs(pen, message);
            }
            Ok(pen.signature(message.bytes()))
        });
        let world = world_of(signer);
        let (task, close) = closing(&world);
        let before = task.request(&close);
        let refused = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap_err();
        assert_eq!(refused, MintError::Signature(expected), "{what}");
        assert_eq!(told(&world.sink), ["minted", "voided: no_credential"], "{what}");
        assert_ne!(before, task.request(&close), "a step was taken");
        // The next one is as good as if nothing had been.
        *broken.lock().unwrap() = false;
        let credential = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
        assert!(world.door.verify(credential.expose(), &world::audience()).is_ok(), "{what}");
        drop(credential);
        let closed = task.complete().unwrap();
        assert_eq!(closed.unknown, 1, "{what}: only the second action ran");
    }
}

#[test]
fn a_permit_that_a_signer_let_down_gives_its_place_in_the_budget_back() {
    use bailiwick::mandate::{Grant, Scope};
    let broken = Arc::new(AtomicUsize::new(1));
    let left = Arc::clone(&broken);
    let world = world_of(remote("EdDSA", move |pen, message| match left.swap(0, Ordering::SeqCst) {
        0 => Ok(pen.signature(message.bytes())),
        _ => Err(SigningError::because("busy")),
    }));
    let once = Scope::new().allow("ticket.close", Grant::new().at_most(1)).unwrap();
    let task = world.task(once);
    let (_, close) = closing(&world);
    assert!(task.mint(task.authorize(&close).unwrap(), &world::audience()).is_err());
    let credential = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
    assert_eq!(task.authorize(&close).unwrap_err().code(), ReasonCode::Budget);
    drop(credential);
}

#[test]
fn the_intent_is_recorded_before_anything_is_signed() {
    let seen = Arc::new(Mutex::new(None::<Arc<MemorySink>>));
    let sink = Arc::clone(&seen);
    let world = world_of(remote("EdDSA", move |pen, message| {
        let sink = sink.lock().expect("no panic under it").clone().expect("a sink");
        assert_eq!(told(&sink), ["minted"]);
        Ok(pen.signature(message.bytes()))
    }));
    *seen.lock().unwrap() = Some(Arc::clone(&world.sink));
    let (task, close) = closing(&world);
    assert!(task.mint(task.authorize(&close).unwrap(), &world::audience()).is_ok());
}

/// What a signer does while it signs: everything else goes on meanwhile, since no lock is held.
#[test]
fn while_it_signs_the_door_and_the_ring_are_open() {
    type Act = Box<dyn FnOnce() + Send>;
    let act = Arc::new(Mutex::new(None::<Act>));
    let meanwhile = Arc::clone(&act);
    let signer = remote("EdDSA", move |pen, message| {
        let act = meanwhile.lock().expect("no panic under it").take();
        act.expect("something to do")();
        Ok(pen.signature(message.bytes()))
    });
    let ring = KeyRing::new(issuer(AUTHZ), MintKey::elsewhere(signer).unwrap());
    let world = minting(Minter::with_ring(ring.clone()));
    let (task, close) = closing(&world);
    let (handle, door, other) = (task.handle(), world.door.clone(), close.clone());
    *act.lock().unwrap() = Some(Box::new(move || {
        assert!(handle.authorize(&other).is_ok());
        assert!(door.verify("a.b.c", &world::audience()).is_err());
        ring.rotate(MintKey::generate_es256().expect("a key"), at(START)).expect("a rotation");
        assert!(ring.jwk_set(at(START)).contains("ES256"));
        door.sweep();
    }));
    let credential = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
    // It is signed with the key that signed when it was begun, and that verifies still.
    assert_eq!(contents(credential.expose()).0["alg"], "EdDSA");
    assert!(world.door.verify(credential.expose(), &world::audience()).is_ok());
}

#[test]
fn whoever_stops_the_task_while_it_is_signed_has_the_last_word() {
    let stop = Arc::new(Mutex::new(None::<Box<dyn FnOnce() + Send>>));
    let meanwhile = Arc::clone(&stop);
    let world = world_of(remote("EdDSA", move |pen, message| {
        let stop = meanwhile.lock().expect("no panic under it").take();
        stop.expect("something to stop")();
        Ok(pen.signature(message.bytes()))
    }));
    let (task, close) = closing(&world);
    let permit = task.authorize(&close).unwrap();
    let (door, id) = (world.door.clone(), task.id().clone());
    let ada = world::session("ada");
    *stop.lock().unwrap() = Some(Box::new(move || door.halt(&ada, Halt::Task(id)).expect("a halt")));
    let refused = task.mint(permit, &world::audience()).unwrap_err();
    assert!(matches!(&refused, MintError::Denied(denial) if denial.code() == ReasonCode::TaskEnded), "{refused:?}");
    assert_eq!(task.state(), TaskState::Halted);

    // A permit is good for seconds, and a signer that takes longer has taken too long.
    let clock = Arc::new(Mutex::new(None));
    let late = Arc::clone(&clock);
    let world = world_of(remote("EdDSA", move |pen, message| {
        let clock: Arc<bailiwick::time::ManualClock> =
            late.lock().expect("no panic under it").clone().expect("a clock");
        clock.set(at(START + 31));
        Ok(pen.signature(message.bytes()))
    }));
    *clock.lock().unwrap() = Some(Arc::clone(&world.clock));
    let (task, close) = closing(&world);
    let refused = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap_err();
    assert!(matches!(&refused, MintError::Denied(denial) if denial.code() == ReasonCode::PermitInvalid), "{refused:?}");
}

#[test]
fn a_signer_of_another_algorithm_or_without_a_key_is_no_key() {
    struct Odd(Option<(VerifyingKey, Algorithm)>);
    impl Signer for Odd {
        fn public(&self) -> VerifyingKey {
            self.0.clone().expect("the host's code panics").0
        }
        fn algorithm(&self) -> Algorithm {
            self.0.clone().expect("the host's code panics").1
        }
        fn sign(&self, _: &Message<'_>) -> Result<Vec<u8>, SigningError> {
            Err(SigningError::because("never asked"))
        }
    }
    let key = |algorithm| VerifyingKey::from_jwk(&Pen::new(algorithm, "a").jwk.to_string()).unwrap();
    let rows = [
        ("its own", Some((key("ES256"), Algorithm::Es256)), true),
        ("another's", Some((key("ES256"), Algorithm::Ed25519)), false),
        ("P-384", Some((key("ES384"), Algorithm::Es384)), false),
        ("RSA", Some((key("RS256"), Algorithm::Rs256)), false),
        ("none", None, false),
    ];
    for (what, named, is_key) in rows {
        let made = MintKey::elsewhere(Arc::new(Odd(named)));
        assert_eq!(made.is_ok(), is_key, "{what}");
        assert!(made.err().is_none_or(|error| matches!(error, KeyError::Malformed { .. })), "{what}");
    }
}

#[test]
fn the_door_does_not_know_what_another_key_signed() {
    let world = world_of(remote("EdDSA", |pen, message| Ok(pen.signature(message.bytes()))));
    let elsewhere = world_of(remote("ES256", |pen, message| Ok(pen.signature(message.bytes()))));
    let (task, close) = closing(&elsewhere);
    let credential = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
    assert_eq!(world.door.verify(credential.expose(), &world::audience()).unwrap_err().flaw(), Flaw::UnknownKey);
}
