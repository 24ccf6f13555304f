//! The house keeps its shape: imports point left, foreign crates stay in their homes, nothing is unwrapped.
//!
//! The rules read the text of `src/` line by line. Comments are no code, and neither is what follows `#[cfg(test)]`.

use std::fs;
use std::path::Path;

/// The rooms from left to right; a file takes from its own place and from what is left of it.
const ROOMS: &[&[&str]] = &[
    &[
        "canonical",
        "entropy",
        "expiring",
        "id",
        "jose",
        "json",
        "live",
        "open",
        "secret",
        "sorted",
        "strict",
        "sync",
        "time",
    ],
    &["identity"],
    &["mandate"],
    &["policy"],
    &["audit"],
    &["credential"],
    &[
        "accountability",
        "administration",
        "asking",
        "authorizer",
        "break_glass",
        "builder",
        "delegation",
        "door",
        "entitling",
        "error",
        "leasing",
        "manual",
        "offering",
        "reinstatement",
        "review",
        "revocations",
        "task",
        "watching",
    ],
    &["testing"],
];

/// What may be named only where it is at home.
const HOMES: &[(&str, &[&str])] = &[
    ("cedar_policy", &["policy/", "testing/cedar_tests/written.rs"]),
    ("smallvec", &["json.rs", "open.rs", "policy/"]),
    ("smol_str", &["policy/"]),
    ("base64::", &["jose/base64url.rs"]),
    ("regex::", &["mandate/pattern.rs"]),
    ("miette::", &["policy/diagnostic.rs"]),
    ("loom::", &["sync.rs"]),
    ("ring::", &["canonical.rs", "entropy.rs", "jose/"]),
    ("webpki::", &["identity/x509.rs"]),
    ("rustls_pki_types::", &["identity/x509.rs"]),
    ("x509_cert::", &["identity/x509.rs"]),
    ("now_utc", &["time.rs"]),
    ("UtcDateTime", &["time.rs"]),
    ("SystemTime", &["time.rs"]),
    ("Instant", &["time.rs"]),
    ("std::fs", &[]),
    // An address is a value; no socket is opened.
    ("std::net", &["mandate/typed/private.rs", "mandate/typed/url.rs", "policy/compiled/ipaddr.rs"]),
    // Loading policies wants a stack of known size.
    ("std::thread", &["policy/stack.rs"]),
    ("std::process", &[]),
    ("std::env", &[]),
    // A group would hide the names above.
    ("std::{", &[]),
    ("unwrap(", &[]),
    ("expect(", &[]),
    // An assertion that fails.
    ("panic!", &["testing/assertion.rs"]),
    ("unreachable!", &[]),
    ("unimplemented!", &[]),
];

const MAX_LINES: usize = 450;

#[test]
fn imports_point_left() {
    assert_kept(arrows);
}

#[test]
fn everything_foreign_stays_at_home() {
    assert_kept(strangers);
}

#[test]
fn every_file_says_what_it_is() {
    assert_kept(|file| {
        let silent = !file.text.starts_with("//! ");
        silent.then(|| file.complain(1, "does not start with `//! `")).into_iter().collect()
    });
}

#[test]
fn no_file_is_too_long() {
    assert_kept(|file| {
        let lines = file.text.lines().count();
        let long = lines > MAX_LINES;
        long.then(|| file.complain(lines, &format!("at most {MAX_LINES} lines"))).into_iter().collect()
    });
}

#[test]
fn a_rule_that_is_broken_is_seen() {
    type Rule = fn(&File) -> Vec<String>;
    let cases: &[(Rule, &str, &str, &[usize])] = &[
        (arrows, "policy/guard.rs", "use crate::audit::Permit;", &[1]),
        (arrows, "policy/guard.rs", "use crate::mandate::Mode;\nuse crate::policy::Verdict;\nuse super::Reason;", &[]),
        (arrows, "id.rs", "    fn id() -> crate::identity::AgentId {}", &[1]),
        (arrows, "id.rs", "/// See [`crate::Authorizer`].\nuse crate::jose::Flaw;", &[]),
        (arrows, "credential/minter.rs", "use crate::Digest;", &[1]),
        (arrows, "credential/minter.rs", "use crate::{audit::Permit, policy::Verdict};", &[1]),
        (arrows, "audit/mod.rs", "use super::credential::Minter;", &[1]),
        (arrows, "audit/sink.rs", "use super::super::task::Task;\nuse super::super::policy::Verdict;", &[1]),
        (arrows, "identity/proof.rs", "mod danger {\n    use super::super::Handle;\n}\nuse super::super::Task;", &[4]),
        (arrows, "id.rs", "use crate::time::Clock;\n#[cfg(test)]\nmod tests {\n    use crate::task::Task;\n}", &[]),
        (arrows, "kitchen.rs", "use crate::id::Found;", &[1]),
        (strangers, "audit/trail.rs", "use ring::digest;\nlet s = String::new();\nlet ring = 1;", &[1]),
        (strangers, "jose/key.rs", "use ring::signature;", &[]),
        (strangers, "mandate/once.rs", "use cedar_policy::Schema;\nlet now = std::time::Instant::now();", &[1, 2]),
        (
            strangers,
            "task.rs",
            "a.unwrap();\na.unwrap_or(b);\n// a.expect(\"b\");\ncatch_unwind(a);\npanic!();",
            &[1, 5],
        ),
        (strangers, "id.rs", "use std::{fs, io};\nuse std::fs;\nuse std::fmt;\nstd::thread::spawn(a)", &[1, 2, 4]),
    ];
    for &(rule, path, text, wrong) in cases {
        let complaints = rule(&File { path: path.to_owned(), text: text.to_owned() });
        let begins = |(complaint, line): (&String, &usize)| complaint.starts_with(&format!("src/{path}:{line}: "));
        let seen = complaints.len() == wrong.len() && complaints.iter().zip(wrong).all(begins);
        assert!(seen, "wanted lines {wrong:?} of {path}:\n{text}\nfound {complaints:?}");
    }
}

/// Names that a line takes from the crate must be rooms, and no room further right.
fn arrows(file: &File) -> Vec<String> {
    if file.path == "lib.rs" {
        return Vec::new();
    }
    let Some(own) = place(file.room()) else {
        return vec![file.complain(1, "the file is in no room")];
    };
    let wrong = |name: &str| match place(name) {
        None => Some(format!("`{name}` is no room: names are taken from the room that owns them")),
        Some(theirs) if theirs > own => Some(format!("`{}` takes from `{name}`, which is further right", file.room())),
        Some(_) => None,
    };
    let mut complaints = Vec::new();
    let mut inner: Vec<usize> = Vec::new();
    for (number, line) in file.code() {
        let indent = line.len() - line.trim_start().len();
        if line.trim() == "}" && inner.last() == Some(&indent) {
            inner.pop();
        } else if line.ends_with('{') && line.split_whitespace().any(|word| word == "mod") {
            inner.push(indent);
        }
        let root = file.depth() + inner.len();
        complaints.extend(from_root(line, root).filter_map(wrong).map(|what| file.complain(number, &what)));
    }
    complaints
}

fn place(room: &str) -> Option<usize> {
    ROOMS.iter().position(|rooms| rooms.contains(&room))
}

/// The names that follow `crate::`, or as many `super::` as lead to the root of the crate.
fn from_root(line: &str, depth: usize) -> impl Iterator<Item = &str> {
    let up = "super::".repeat(depth);
    let mut names: Vec<&str> = after(line, "crate::").collect();
    names.extend(after(line, &up).map(|rest| rest.trim_start_matches("super::")));
    names.into_iter().map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        if end == 0 { rest } else { &rest[..end] }
    })
}

/// Names that are used away from their home.
fn strangers(file: &File) -> Vec<String> {
    let is_in = |home: &&str| file.path == *home || (home.ends_with('/') && file.path.starts_with(*home));
    let foreign: Vec<&str> =
        HOMES.iter().filter(|(_, homes)| !homes.iter().any(is_in)).map(|(name, _)| *name).collect();
    let named = |line: &str| foreign.iter().copied().find(|name| after(line, name).next().is_some());
    file.code()
        .filter_map(|(number, line)| Some(file.complain(number, &format!("`{}` is not at home here", named(line)?))))
        .collect()
}

/// What follows each place of `name` in a line; a longer word that ends in it is another name.
fn after<'a>(line: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name)
        .filter(move |(at, _)| !line[..*at].ends_with(in_word))
        .map(|(at, found)| &line[at + found.len()..])
}

/// A file of the source, by its path in `src/`.
struct File {
    path: String,
    text: String,
}

impl File {
    fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// How many modules there are above its code, the root included.
    fn depth(&self) -> usize {
        self.path.trim_end_matches("/mod.rs").split('/').count()
    }

    /// Its lines by number, without comments and tests.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = (1..).zip(self.text.lines());
        lines.take_while(|(_, line)| line.trim() != "#[cfg(test)]").filter(|(_, l)| !l.trim_start().starts_with("//"))
    }

    fn complain(&self, line: usize, what: &str) -> String {
        format!("src/{}:{line}: {what}", self.path)
    }
}

fn assert_kept(rule: impl Fn(&File) -> Vec<String>) {
    let files = files();
    assert!(files.len() > 40, "only {} files were read", files.len());
    let complaints: Vec<String> = files.iter().flat_map(rule).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut open, mut files) = (vec![root.clone()], Vec::new());
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("a directory of the source") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let within = path.strip_prefix(&root).expect("a file of the source");
                let within: Vec<_> = within.iter().map(|part| part.to_str().expect("a plain file name")).collect();
                files.push(File { path: within.join("/"), text: fs::read_to_string(&path).expect("text") });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}
