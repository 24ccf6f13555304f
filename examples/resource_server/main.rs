//! A service elsewhere accepts an agent's credentials, with DPoP, and has nothing but the host's public keys and its list of
//! what is revoked. The agent is served; a thief, a replay, another action, and a task that has ended are not. Run it with
//! `cargo run --example resource_server`.

mod host;
#[path = "../shared/http.rs"]
mod http;
mod service;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::mpsc::Receiver;
use std::thread;

use bailiwick::credential::{DpopProof, DpopRequest};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, Issuer};
use bailiwick::identity::AgentKey;
use bailiwick::time::{Clock, SystemClock};
use serde_json::Value;

use host::Host;
use http::Request;

const HELP: &str = "\
usage: resource_server
A service on loopback accepts an agent's credentials, and nobody else's. Takes no arguments; fails where it serves wrongly.";

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some() {
        println!("{HELP}");
        return Ok(());
    }
    let issuer = Issuer::new("https://authz.acme.example")?;
    let audience = Audience::new("https://tickets.acme.example")?;
    let host = Host::open(&issuer)?;
    let (at, log) = service::open(host.at, &issuer, audience.clone())?;
    let mut town = Town { at, log, wrong: 0 };
    let (key, thief) = (AgentKey::generate(&SystemEntropy)?, AgentKey::generate_es256()?);
    let task = host.begin(&key)?;
    let mint = |tool| host.mint(&task, tool, &audience);

    let close = mint("ticket.close")?;
    let proof = town.proof(&key, "close", close.expose())?;
    town.attempt("the agent closes its ticket", "close", close.expose(), Some(&proof), true)?;
    town.attempt("the same request, recorded and sent again", "close", close.expose(), Some(&proof), false)?;
    let again = town.proof(&key, "close", close.expose())?;
    town.attempt("the agent itself, a second time", "close", close.expose(), Some(&again), false)?;

    let stolen = mint("ticket.close")?;
    town.attempt("a thief with the credential alone", "close", stolen.expose(), None, false)?;
    let forged = town.proof(&thief, "close", stolen.expose())?;
    town.attempt("a thief with a key of their own", "close", stolen.expose(), Some(&forged), false)?;
    let elsewhere = town.proof(&key, "comment", stolen.expose())?;
    town.attempt("a thief with the agent's proof for another path", "close", stolen.expose(), Some(&elsewhere), false)?;
    let proof = town.proof(&key, "close", close.expose())?;
    town.attempt(
        "a thief with the agent's proof for another credential",
        "close",
        stolen.expose(),
        Some(&proof),
        false,
    )?;
    let proof = town.proof(&key, "comment", stolen.expose())?;
    town.attempt("the agent, for another action", "comment", stolen.expose(), Some(&proof), false)?;
    let proof = town.proof(&key, "close", stolen.expose())?;
    town.attempt("the agent again: what failed used nothing up", "close", stolen.expose(), Some(&proof), true)?;

    let late = mint("ticket.comment")?;
    task.complete()?;
    // Until the service fetches what is revoked.
    thread::sleep(service::FRESH);
    let proof = town.proof(&key, "comment", late.expose())?;
    town.attempt("the agent, after its task has ended", "comment", late.expose(), Some(&proof), false)?;
    if town.wrong > 0 {
        return Err(format!("{} attempts were not answered as they should be", town.wrong).into());
    }
    Ok(())
}

/// The service as it is seen from outside, and its operator's log.
struct Town {
    at: SocketAddr,
    log: Receiver<String>,
    wrong: usize,
}

impl Town {
    fn path(what: &str) -> String {
        format!("/tickets/42/{what}")
    }

    /// A proof for one request with one credential.
    fn proof(&self, key: &AgentKey, what: &str, token: &str) -> Result<String, Box<dyn Error>> {
        let request = DpopRequest::new("POST", &format!("http://{}{}", self.at, Self::path(what)))?.with_token(token);
        Ok(DpopProof::new(&request, &SystemEntropy, SystemClock.now()?)?.sign(key)?)
    }

    fn attempt(
        &mut self,
        who: &str,
        what: &str,
        token: &str,
        proof: Option<&str>,
        served: bool,
    ) -> Result<(), Box<dyn Error>> {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers = vec![header("Authorization", &format!("DPoP {token}"))];
        headers.extend(proof.map(|proof| header("DPoP", proof)));
        let request = Request { method: "POST".to_owned(), path: Self::path(what), headers, body: Value::Null };
        let (status, body) = http::send(self.at, &request)?;
        let why = self.log.try_recv().unwrap_or_default();
        let verdict = if (status == 200) == served { "" } else { "  <- WRONG" };
        println!("{who:<55} {status} {} {why}{verdict}", body.as_str().unwrap_or_default());
        self.wrong += usize::from(!verdict.is_empty());
        Ok(())
    }
}
