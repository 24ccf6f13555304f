//! A command: a program and its arguments, one by one, as no shell sees them.

use super::{Malformed, Path, ensure};
use crate::mandate::Value;

/// Arguments of one command, with the program.
const MAX: usize = 1024;

/// A program, by its name or its path, and its arguments: a list of texts that is run as it is. A line for a shell is no
/// command.
///
/// ```
/// use bailiwick::mandate::{Arguments, Command};
///
/// let args = Arguments::from_json(r#"{"argv": ["git", "log", "--oneline"], "line": "git log; rm -rf /"}"#)?;
/// let argv = args.get("argv").map(Command::new);
/// assert_eq!(argv.and_then(Result::ok).map(|command| command.program()), Some("git"));
/// assert!(args.get("line").is_some_and(|line| Command::new(line).is_err()));
/// # Ok::<(), bailiwick::mandate::ArgumentsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command<'a> {
    program: &'a str,
    argv: &'a Vec<Value>,
}

impl<'a> Command<'a> {
    /// Reads a command.
    ///
    /// # Errors
    ///
    /// It is no list of 1 to 1024 texts, a text in it has a NUL, or its first is no path ([`Path`]) without spaces.
    pub fn new(value: &'a Value) -> Result<Self, Malformed> {
        let Value::List(argv) = value else {
            return Err(Malformed { why: "is no list of a program and its arguments" });
        };
        let Some(Value::Text(program)) = argv.first() else {
            return Err(Malformed { why: "names no program" });
        };
        ensure(argv.len() <= MAX, "has more than 1024 arguments")?;
        let runs = |item: &Value| matches!(item, Value::Text(text) if !text.contains('\0'));
        ensure(argv.iter().all(runs), "has an argument that is no text, or has a NUL")?;
        Path::new(program)?;
        ensure(!program.contains(char::is_whitespace), "names a program with a space")?;
        ensure(!program.starts_with('-'), "names a program that begins with `-`")?;
        Ok(Self { program, argv })
    }

    /// The program.
    pub fn program(self) -> &'a str {
        self.program
    }

    /// All of it, the program first.
    pub(crate) fn argv(self) -> &'a Vec<Value> {
        self.argv
    }
}
