//! As much of HTTP as a loopback needs: one request a connection, JSON both ways, bounded.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Bytes of a body at most, and of all that stands before it.
const MAX: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// Headers at most.
const MAX_HEADERS: usize = 32;

type Headers = Vec<(String, String)>;

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Those that say more than HTTP itself needs.
    pub(crate) headers: Headers,
    pub(crate) body: Value,
}

impl Request {
    /// The value of a header that is there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        found.next().filter(|_| found.next().is_none()).map(|(_, value)| value.as_str())
    }
}

/// Sends one request, and returns the status and the body of the response.
pub(crate) fn send(to: SocketAddr, request: &Request) -> io::Result<(u16, Value)> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let headers: String = request.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let first = format!("{} {} HTTP/1.1\r\nHost: {to}\r\n{headers}", request.method, request.path);
    write(&mut stream, &first, &request.body)?;
    let (first, _, body) = read(&stream)?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(|| wrong("no status"))?, body))
}

/// Reads one request.
pub(crate) fn receive(stream: &TcpStream) -> io::Result<Request> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let (first, headers, body) = read(stream)?;
    let mut parts = first.split(' ').map(str::to_owned);
    let (method, path) = parts.next().zip(parts.next()).ok_or_else(|| wrong("no request line"))?;
    Ok(Request { method, path, headers, body })
}

/// Answers it.
pub(crate) fn respond(mut stream: &TcpStream, status: u16, body: &Value) -> io::Result<()> {
    write(&mut stream, &format!("HTTP/1.1 {status} \r\n"), body)
}

fn write(stream: &mut impl Write, first: &str, body: &Value) -> io::Result<()> {
    let body = body.to_string();
    let head =
        format!("{first}Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes())
}

/// The first line, the headers, and the body.
fn read(stream: &TcpStream) -> io::Result<(String, Headers, Value)> {
    let mut reader = BufReader::new(stream.take(2 * MAX));
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        Ok::<_, io::Error>(line.trim_end().to_owned())
    };
    let first = line()?;
    let (mut length, mut headers) = (0, Vec::new());
    loop {
        let header = line()?;
        match header.split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().map_err(|_| wrong("no length"))?,
            Some((name, value)) if headers.len() < MAX_HEADERS => headers.push((name.to_owned(), value.to_owned())),
            Some(_) => return Err(wrong("too many headers")),
            None => break,
        }
    }
    if length > MAX {
        return Err(wrong("too long"));
    }
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body)?;
    Ok((first, headers, serde_json::from_str(&body)?))
}

fn wrong(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
