//! A ticket system that knows users and tickets, and nothing of agents: SCIM for the users, HTTP on loopback for all.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;

use bailiwick::time::{Clock, SystemClock};
use serde_json::{Map, Value, json};

use crate::http::{self, Request};

/// What the system keeps.
#[derive(Default)]
struct Desk {
    users: BTreeMap<String, Map<String, Value>>,
    /// What was changed of users, by whom, as it was asked for.
    changes: Vec<Value>,
    sessions: BTreeMap<String, String>,
    /// What happened to each ticket: when, by which user, what.
    tickets: BTreeMap<u64, Vec<Value>>,
}

/// Opens the system, in a thread of its own that lives as long as the process.
pub(crate) fn open() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let mut desk = Desk::default();
        for stream in listener.incoming().flatten() {
            let answered = http::receive(&stream).and_then(|request| {
                let (status, body) = desk.answer(&request);
                http::respond(&stream, status, &body)
            });
            answered.unwrap_or_else(|error| eprintln!("the ticket system: {error}"));
        }
    });
    Ok(address)
}

impl Desk {
    fn answer(&mut self, request: &Request) -> (u16, Value) {
        let path: Vec<&str> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), path.as_slice()) {
            ("POST", ["Users"]) => self.create(&request.body),
            ("GET", ["Users", id]) => self.users.get(*id).map_or(NOT_FOUND, |user| (200, Value::Object(user.clone()))),
            ("PUT" | "PATCH", ["Users", id]) => self.change(id, request),
            ("GET", ["changes"]) => (200, json!(self.changes)),
            ("POST", ["sessions"]) => self.sign_in(&request.body),
            ("POST", ["tickets"]) => {
                let number = self.tickets.keys().next_back().map_or(7, |last| last + 1);
                self.write(request, number, "opened")
            }
            ("POST", ["tickets", number, what @ ("commented" | "closed")]) => match number.parse() {
                Ok(number) if self.tickets.contains_key(&number) => self.write(request, number, what),
                _ => NOT_FOUND,
            },
            ("GET", ["tickets", number]) => {
                let ticket = number.parse().ok().and_then(|number: u64| self.tickets.get(&number));
                ticket.map_or(NOT_FOUND, |history| (200, json!(history)))
            }
            _ => NOT_FOUND,
        }
    }

    fn create(&mut self, body: &Value) -> (u16, Value) {
        let Some(mut user) = body.as_object().cloned() else {
            return (400, json!("a user is an object"));
        };
        if self.users.values().any(|other| other.get("userName") == user.get("userName")) {
            return (409, json!("there is such a user"));
        }
        let id = format!("u{}", self.users.len() + 100);
        user.insert("id".to_owned(), json!(id));
        self.users.insert(id, user.clone());
        (201, Value::Object(user))
    }

    /// Whoever asks is let: that is what such systems do with their administrators.
    fn change(&mut self, id: &str, request: &Request) -> (u16, Value) {
        let Some(user) = self.users.get_mut(id) else {
            return NOT_FOUND;
        };
        if request.method == "PUT" {
            *user = request.body.as_object().cloned().unwrap_or_default();
            user.insert("id".to_owned(), json!(id));
        }
        for operation in request.body["Operations"].as_array().into_iter().flatten() {
            if let Some(path) = operation["path"].as_str() {
                user.insert(path.to_owned(), operation["value"].clone());
            }
        }
        let by = request.header("Session").unwrap_or("the provisioning connector");
        self.changes.push(json!({ "by": by, "method": request.method, "id": id, "body": request.body }));
        (200, Value::Object(user.clone()))
    }

    fn sign_in(&mut self, body: &Value) -> (u16, Value) {
        let name = body["userName"].as_str().unwrap_or_default();
        if !self.is_active(name) {
            return (403, json!("no active user of this name"));
        }
        let session = format!("s{}", self.sessions.len());
        self.sessions.insert(session.clone(), name.to_owned());
        (201, json!({ "session": session }))
    }

    /// The system's own account: its clock, its name of the user, and no more.
    fn write(&mut self, request: &Request, number: u64, what: &str) -> (u16, Value) {
        let user = request.header("Session").and_then(|session| self.sessions.get(session));
        match (user, SystemClock.now()) {
            (Some(user), Ok(now)) if self.is_active(user) => {
                let entry = json!({ "at": now, "user": user, "what": what });
                self.tickets.entry(number).or_default().push(entry);
                (200, json!({ "ticket": number }))
            }
            _ => (403, json!("no active user of this name")),
        }
    }

    fn is_active(&self, name: &str) -> bool {
        self.users.values().any(|user| user["userName"] == name && user["active"] == true)
    }
}

const NOT_FOUND: (u16, Value) = (404, Value::Null);
