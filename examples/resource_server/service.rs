//! A ticket service that accepts this issuer's credentials alone, each from whoever holds its key. It knows nothing but what
//! the agents' host publishes: keys, and what is revoked.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use bailiwick::credential::{CredentialVerifier, DpopRequest, DpopVerifier, Presentation, RevocationSet};
use bailiwick::id::{Audience, Issuer};
use bailiwick::jose::{JwkSet, KeySet};
use bailiwick::mandate::{Arguments, Resource};
use bailiwick::time::{Clock, SystemClock, Timestamp};
use serde_json::{Value, json};

use crate::http::{self, Request};

/// The list of what is revoked is fetched again when it is older than this.
pub(crate) const FRESH: Duration = Duration::from_millis(200);

struct Service {
    own: SocketAddr,
    /// The agents' host.
    host: SocketAddr,
    verifier: CredentialVerifier,
    revoked: Arc<RevocationSet>,
    fetched: Timestamp,
    /// For the operator: nobody who is refused is told why.
    log: Sender<String>,
}

/// Opens the service, in a thread of its own that lives as long as the process; says where it is, and what its log says.
pub(crate) fn open(
    host: SocketAddr,
    issuer: &Issuer,
    audience: Audience,
) -> Result<(SocketAddr, Receiver<String>), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let published = fetch(host, "/jwks")?;
    let keys = KeySet::from_jwk_set(issuer, &JwkSet::from_json(&published.to_string())?)?;
    let revoked = Arc::new(RevocationSet::new(keys.clone()));
    let verifier =
        CredentialVerifier::new(keys, audience).revoked_by(revoked.clone()).proven_by(Arc::new(DpopVerifier::new()));
    let (log, lines) = channel();
    let own = listener.local_addr()?;
    let mut service = Service { own, host, verifier, revoked, fetched: Timestamp::EPOCH, log };
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answered = http::receive(&stream).and_then(|request| {
                let (status, body) = service.answer(&request);
                http::respond(&stream, status, &body)
            });
            answered.unwrap_or_else(|error| eprintln!("the service: {error}"));
        }
    });
    Ok((own, lines))
}

impl Service {
    fn answer(&mut self, request: &Request) -> (u16, Value) {
        match self.serve(request) {
            Ok(served) => (200, json!(served)),
            Err(why) => {
                // Whoever listens to the log may be gone; that is no reason to serve.
                let _ = self.log.send(why.to_string());
                (401, json!("refused"))
            }
        }
    }

    /// `POST /tickets/42/close`, with `Authorization: DPoP` and `DPoP` (RFC 9449, section 7.1).
    fn serve(&mut self, request: &Request) -> Result<String, Box<dyn Error>> {
        let now = SystemClock.now()?;
        if now.since(self.fetched) >= FRESH {
            let list = fetch(self.host, "/revocations")?;
            self.revoked
                .load(list.as_str().unwrap_or_default(), now)
                .map_err(|refused| format!("{:?}", refused.flaw()))?;
            self.fetched = now;
        }
        let path: Vec<&str> = request.path.split('/').skip(1).collect();
        let ["tickets", number, what] = path.as_slice() else {
            return Err("no such path".into());
        };
        let (action, ticket) = (format!("ticket.{what}").parse()?, Resource::new("ticket", number)?);
        let token = request.header("Authorization").and_then(|value| value.strip_prefix("DPoP "));
        // As this service was asked: where it stands behind a proxy, as the proxy was.
        let asked = DpopRequest::new(&request.method, &format!("http://{}{}", self.own, request.path))?;
        let shown = Presentation::new(token.ok_or("no credential")?);
        let shown = request.header("DPoP").into_iter().fold(shown, |shown, proof| shown.dpop(proof, &asked));
        let accepted = self.verifier.accept(&shown, (&action, &ticket, &Arguments::none()), now);
        let credential = accepted.map_err(|refused| format!("{:?}", refused.flaw()))?;
        Ok(format!("{action} {ticket} by {} ({})", credential.agent(), credential.mode().as_str()))
    }
}

/// What the agents' host publishes.
fn fetch(host: SocketAddr, path: &str) -> Result<Value, Box<dyn Error>> {
    let request = Request { method: "GET".to_owned(), path: path.to_owned(), headers: Vec::new(), body: Value::Null };
    match http::send(host, &request)? {
        (200, body) => Ok(body),
        (status, _) => Err(format!("{path}: {status}").into()),
    }
}
