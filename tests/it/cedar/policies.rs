//! Policies as text: scopes of every form, clauses, annotations, templates and their links.

use std::collections::BTreeSet;
use std::fmt;

use super::dice::Dice;
use super::expressions::Writer;
use super::things::{Kind, TYPES, UIDS, Uid};

#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) forbids: bool,
    /// The links, if this is a template.
    pub(crate) links: Option<Vec<Link>>,
    /// What is certainly evaluated, if every request gets past the scope.
    pub(crate) ran: BTreeSet<&'static str>,
    /// Whether every request does.
    pub(crate) is_open: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) id: String,
    pub(crate) principal: Option<Uid>,
    pub(crate) resource: Option<Uid>,
}

/// How conditions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// So that they are often true.
    Typed,
    /// Any operator on any operands.
    Wild,
    /// Hardly at all: the scopes matter.
    Scopes,
}

impl Policy {
    pub(crate) fn of(dice: &mut Dice<'_>, id: String, forbids: bool, style: Style) -> Self {
        let effect = if forbids { "forbid" } else { "permit" };
        let narrow = style == Style::Scopes || dice.one_in(3);
        let is_template = narrow && dice.one_in(6);
        let (principal, for_principal) = party(dice, "principal", narrow, is_template);
        let (resource, for_resource) = party(dice, "resource", narrow, is_template);
        let action = action(dice, narrow);
        let mut writer = Writer::new(dice, if style == Style::Wild { 3 } else { 80 });
        let conditions = match style {
            Style::Scopes if !writer.dice.one_in(8) => String::new(),
            _ => clauses(&mut writer),
        };
        let ran = writer.ran;
        let annotation = match dice.below(if is_template { 4 } else { 20 }) {
            1 => "@id(\"x\")\n",
            // Such a policy is left to Cedar: what that takes is tried too.
            2 => "@engine(\"cedar\")\n",
            _ => "",
        };
        let link = |dice: &mut Dice<'_>, place: usize| Link {
            id: format!("{id} link {place}"),
            principal: for_principal.then(|| dice.pick(UIDS)),
            resource: for_resource.then(|| dice.pick(UIDS)),
        };
        let links =
            (for_principal || for_resource).then(|| (0..dice.below(4)).map(|place| link(dice, place)).collect());
        let is_open = (&*principal, &*action, &*resource) == ("principal", "action", "resource");
        let text = format!("{annotation}{effect}({principal}, {action}, {resource}){conditions};");
        Self { id, text, forbids, links, ran, is_open }
    }
}

/// What a scope says of the principal or the resource, and whether it has a slot.
fn party(dice: &mut Dice<'_>, variable: &str, narrow: bool, is_template: bool) -> (String, bool) {
    let (kind, group) = (dice.pick(TYPES), dice.pick(UIDS));
    let form = if narrow { dice.below(8) } else { 0 };
    if is_template && form > 3 {
        let text = match form {
            4 => format!("{variable} == ?{variable}"),
            5 => format!("{variable} is {kind} in ?{variable}"),
            _ => format!("{variable} in ?{variable}"),
        };
        return (text, true);
    }
    let text = match form {
        3 => format!("{variable} == {group}"),
        4 | 5 => format!("{variable} in {group}"),
        6 => format!("{variable} is {kind}"),
        7 => format!("{variable} is {kind} in {group}"),
        _ => variable.to_owned(),
    };
    (text, false)
}

fn action(dice: &mut Dice<'_>, narrow: bool) -> String {
    let actions: Vec<Uid> = UIDS.iter().copied().filter(|uid| uid.is_action()).collect();
    let own = dice.pick(&actions);
    match if narrow { dice.below(8) } else { 0 } {
        4 => format!("action == {own}"),
        5 => format!("action in {own}"),
        6 | 7 => {
            let several: Vec<String> = (0..dice.below(5)).map(|_| dice.pick(&actions).to_string()).collect();
            format!("action in [{}]", several.join(", "))
        }
        _ => "action".to_owned(),
    }
}

fn clauses(writer: &mut Writer<'_, '_>) -> String {
    let count = writer.dice.pick(&[1, 1, 1, 1, 2, 2, 3, 0]);
    let mut text = String::new();
    for place in 0..count {
        let word = if writer.dice.one_in(3) { "unless" } else { "when" };
        let depth = writer.dice.pick(&[2, 1, 2, 3, 3]);
        let condition =
            if place == 0 { writer.of(Kind::Bool, depth) } else { writer.unsure(|own| own.of(Kind::Bool, depth)) };
        text += &format!("\n  {word} {{ {condition} }}");
    }
    text
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "// {:?}\n{}", self.id, self.text)?;
        for link in self.links.iter().flatten() {
            let value = |uid: Option<Uid>| uid.map_or_else(|| "-".to_owned(), |uid| uid.to_string());
            writeln!(f, "// {:?}: {}, {}", link.id, value(link.principal), value(link.resource))?;
        }
        Ok(())
    }
}
