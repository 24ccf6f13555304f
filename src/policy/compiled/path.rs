//! Paths: the attributes that an expression looks at, as they are written, and what they are in one request.

use std::fmt::{self, Write};

use cedar_policy::pst::Expr;

use super::Name;
use super::asked::Asked;
use super::compile;
use super::program::{Machine, Variable};
use super::view::Val;
use crate::policy::syntax;

/// A variable, or an attribute of one, of that one's attribute, and so on.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Path {
    text: String,
    variable: Variable,
    names: Box<[Name]>,
}

impl Path {
    /// The longest paths in an expression, each once, in the order in which they are looked at.
    pub(in crate::policy) fn all(tree: &Expr, into: &mut Vec<Self>) {
        let found = match tree {
            Expr::HasAttr { expr, attrs } => whole(expr).map(|(variable, mut names)| {
                names.extend(attrs.iter().map(|attr| Name::new(attr)));
                (variable, names)
            }),
            _ => whole(tree),
        };
        match found {
            Some((variable, names)) => {
                let path = Self::new(variable, names);
                if !into.iter().any(|known| known.text == path.text) {
                    into.push(path);
                }
            }
            None => syntax::parts(tree).into_iter().for_each(|part| Self::all(part, into)),
        }
    }

    /// A variable itself.
    pub(in crate::policy) fn variable(variable: Variable) -> Self {
        Self::new(variable, Vec::new())
    }

    fn new(variable: Variable, names: Vec<Name>) -> Self {
        let text = names.iter().fold(word(variable).to_owned(), |text, name| then(text, name.as_str()));
        Self { text, variable, names: names.into() }
    }

    /// What it is in this request, if it is there.
    pub(in crate::policy) fn value<'a>(&self, asked: &Asked<'a>) -> Option<Val<'a>> {
        if self.names.is_empty() {
            return Some(asked.variable(self.variable));
        }
        Machine { asked }.path(self.variable, &self.names).ok()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The path that an expression as a whole is, if it is one.
fn whole(tree: &Expr) -> Option<(Variable, Vec<Name>)> {
    let (var, names) = syntax::path(tree)?;
    Some((compile::variable(var), names.into_iter().map(Name::new).collect()))
}

fn word(variable: Variable) -> &'static str {
    match variable {
        Variable::Principal => "principal",
        Variable::Action => "action",
        Variable::Resource => "resource",
        Variable::Context => "context",
    }
}

/// The path to an attribute, as Cedar writes it.
fn then(mut path: String, name: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let is_word =
        !name.is_empty() && !name.starts_with(|char: char| char.is_ascii_digit()) && name.chars().all(is_plain);
    // Writing to a string cannot fail.
    let _ = if is_word { write!(path, ".{name}") } else { write!(path, "[\"{}\"]", name.escape_debug()) };
    path
}
