//! Programs that confuse the parties, forge a key or show a secret do not compile; their twins do.
//!
//! Every file of `compile_fail/` is two programs: one with the feature `wrong`, one without. Its first line names the
//! error codes of the wrong one and the sentence that they prove. What stands under each `#[cfg(feature = "wrong")]`
//! must be refused on its own, and nothing else may be.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/compile_fail");

#[test]
fn wrong_programs_do_not_compile_and_their_twins_do() {
    let programs = programs();
    assert!(!programs.is_empty(), "no programs in {PROGRAMS}");
    let home = throw_away_crate(&programs);
    let (twins, wrongs) = (check(&home, &[]), check(&home, &["--features", "wrong"]));
    let complaints: Vec<String> =
        programs.iter().flat_map(|program| [program.twin_in(&twins), program.wrong_in(&wrongs)]).flatten().collect();
    assert!(complaints.is_empty(), "{}\n\n{}", complaints.join("\n"), twins.log);
}

/// One file: the program that is wrong, and its twin.
struct Program {
    name: String,
    path: PathBuf,
    codes: BTreeSet<String>,
    /// The lines of each part that must be refused.
    parts: Vec<Range<u64>>,
}

fn programs() -> Vec<Program> {
    let entries = fs::read_dir(PROGRAMS).expect("the directory of the programs");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| Program::read(path)).collect()
}

impl Program {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a program");
        let codes = text.strip_prefix("//! ").and_then(|rest| rest.split_once(": ")).expect("`//! E…: a sentence`").0;
        let of = |mark: &str| {
            let marked = text.lines().zip(1..).filter(|(line, _)| line.trim_start().starts_with(mark));
            marked.map(|(_, number)| number).collect::<Vec<u64>>()
        };
        let (end, starts) = (u64::MAX, of("#[cfg("));
        let part = |start: u64| start..starts.iter().copied().find(|next| *next > start).unwrap_or(end);
        let parts: Vec<_> = of(r#"#[cfg(feature = "wrong")]"#).into_iter().map(part).collect();
        assert!(!parts.is_empty(), "{}: nothing in it is wrong", path.display());
        Self {
            name: path.file_stem().expect("a file name").to_str().expect("a plain file name").to_owned(),
            path: path.to_owned(),
            codes: codes.split(", ").map(str::to_owned).collect(),
            parts,
        }
    }

    fn twin_in(&self, checked: &Checked) -> Option<String> {
        let errors = checked.errors_of(&self.name);
        let compiles = checked.compiled.contains(&self.name) && errors.is_empty();
        (!compiles).then(|| format!("{}: wanted a twin that compiles, found {errors:?}", self.name))
    }

    fn wrong_in(&self, checked: &Checked) -> Option<String> {
        let errors = checked.errors_of(&self.name);
        let found: BTreeSet<String> = errors.iter().map(|error| error.code.clone()).collect();
        let elsewhere = |error: &CompileError| {
            !Path::new(&error.file).ends_with(Path::new("compile_fail").join(self.path.file_name().expect("a name")))
                || !self.parts.iter().any(|part| part.contains(&error.line))
        };
        let accepted = |part: &Range<u64>| !errors.iter().any(|error| part.contains(&error.line));
        let (name, codes) = (&self.name, &self.codes);
        if found != *codes {
            Some(format!("{name}: wanted errors with {codes:?}, found {errors:?}"))
        } else if let Some(error) = errors.iter().find(|error| elsewhere(error)) {
            Some(format!("{name}: wanted errors only in what is marked as wrong, found {error:?}"))
        } else {
            let part = self.parts.iter().find(|part| accepted(part))?;
            Some(format!("{name}: wanted an error in the part that begins in line {}, found none there", part.start))
        }
    }
}

/// A crate of which every program is a binary.
fn throw_away_crate(programs: &[Program]) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail");
    fs::create_dir_all(&home).expect("a directory for the crate");
    let mut manifest = format!(
        "[package]\nname = \"compile-fail\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[workspace]\n\n\
         [features]\nwrong = []\n\n[dependencies]\nbailiwick = {{ path = {root:?} }}\nserde = \"1\"\nserde_json = \"1\"\n"
    );
    for Program { name, path, .. } in programs {
        manifest += &format!("\n[[bin]]\nname = {name:?}\npath = {path:?}\n");
    }
    fs::write(home.join("Cargo.toml"), manifest).expect("the manifest");
    // The versions that this test was built with are the ones that are there without a network.
    if let Ok(lock) = fs::read(root.join("Cargo.lock")) {
        fs::write(home.join("Cargo.lock"), lock).expect("the lock file");
    }
    home
}

/// What the compiler says of the programs.
struct Checked {
    compiled: BTreeSet<String>,
    errors: BTreeMap<String, Vec<CompileError>>,
    log: String,
}

#[derive(Debug)]
#[allow(dead_code, reason = "the text is there to be read in a complaint")]
struct CompileError {
    code: String,
    file: String,
    line: u64,
    text: String,
}

impl Checked {
    fn errors_of(&self, name: &str) -> &[CompileError] {
        self.errors.get(name).map_or(&[], Vec::as_slice)
    }
}

fn check(home: &Path, features: &[&str]) -> Checked {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = Command::new(cargo)
        .args(["check", "--offline", "--keep-going", "--message-format=json", "--bins", "--target-dir"])
        .arg(home.join("target"))
        .args(features)
        .current_dir(home)
        .output()
        .expect("cargo runs");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut checked = Checked { compiled: BTreeSet::new(), errors: BTreeMap::new(), log };
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let said: Value = serde_json::from_str(line).expect("a message in JSON");
        let target = || text(&said["target"]["name"]);
        match said["reason"].as_str() {
            Some("compiler-artifact") => {
                checked.compiled.insert(target());
            }
            Some("compiler-message") => {
                checked.errors.entry(target()).or_default().extend(CompileError::read(&said["message"]));
            }
            _ => {}
        }
    }
    checked
}

impl CompileError {
    fn read(message: &Value) -> Option<Self> {
        let summary = text(&message["message"]);
        if message["level"] != "error" || summary.starts_with("aborting due to") {
            return None;
        }
        let spans = message["spans"].as_array().map_or(&[][..], Vec::as_slice);
        let primary = spans.iter().find(|span| span["is_primary"] == true).unwrap_or(&Value::Null);
        Some(Self {
            code: text(&message["code"]["code"]),
            file: text(&primary["file_name"]),
            line: primary["line_start"].as_u64().unwrap_or(0),
            text: summary,
        })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
