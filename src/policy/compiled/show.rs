//! Values as Cedar writes them.

use std::fmt::{self, Write};

use super::view::{Members, Part, Val};
use super::{Value, datetime, decimal};

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

impl fmt::Display for Val<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Val::Bool(value) => value.fmt(f),
            Val::Long(value) => value.fmt(f),
            Val::Text(text) => write!(f, "\"{}\"", text.escape_debug()),
            Val::Decimal(value) => decimal::write(*value, f),
            Val::Datetime(value) => datetime::write(*value, f),
            Val::Duration(value) => datetime::write_duration(*value, f),
            Val::Ip(ip) => ip.write(f),
            Val::Entity(uid) => uid.fmt(f),
            Val::Set(members) => show_set(*members, f),
            Val::Record(part) => show_record(*part, f),
        }
    }
}

fn show_set(members: &dyn Members, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut written = f.write_str("[");
    let mut between = "";
    members.each(&mut |member| {
        written = written.and_then(|()| write!(f, "{between}{member}"));
        between = ", ";
        written.is_ok()
    });
    written.and_then(|()| f.write_str("]"))
}

fn show_record(fields: Part<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut written = f.write_str("{");
    let mut between = "";
    fields.each(&mut |name, value| {
        written = written.and_then(|()| write!(f, "{between}\"{}\": {value}", name.escape_debug()));
        between = ", ";
        written.is_ok()
    });
    written.and_then(|()| f.write_str("}"))
}

/// A value in at most 120 characters. Of a set of more than 8 members only how many there are.
pub(in crate::policy) fn brief(value: &Val<'_>) -> String {
    match value {
        Val::Set(members) if members.len() > 8 => format!("a set of {}", members.len()),
        value => cut(value, 120),
    }
}

/// The first `max` characters of what is shown; the rest is not even written.
pub(in crate::policy) fn cut(shown: &dyn fmt::Display, max: usize) -> String {
    let mut cut = Cut { text: String::new(), left: max };
    // It stops where it is cut.
    let _ = write!(cut, "{shown}");
    cut.text
}

struct Cut {
    text: String,
    left: usize,
}

impl Write for Cut {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        for char in more.chars() {
            let Some(left) = self.left.checked_sub(1) else {
                self.text.push('…');
                return Err(fmt::Error);
            };
            self.text.push(char);
            self.left = left;
        }
        Ok(())
    }
}
