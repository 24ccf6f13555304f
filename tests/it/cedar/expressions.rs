//! Expressions as policy text: of a kind that is asked for, but for mistakes; every operator of the language.

use std::collections::BTreeSet;

use super::dice::Dice;
use super::things::{
    ATTRIBUTES, DATETIME_TEXTS, DECIMAL_TEXTS, DURATION_TEXTS, IP_TEXTS, KINDS, Kind, TAGS, TYPES, Thing, quoted,
};

/// Everything that [`Writer`] notes when it is sure to be evaluated.
pub(crate) const OPERATORS: &[&str] = &[
    "!",
    "neg",
    "isEmpty",
    "decimal",
    "datetime",
    "duration",
    "ip",
    "isIpv4",
    "isIpv6",
    "isLoopback",
    "isMulticast",
    "toDate",
    "toTime",
    "toMilliseconds",
    "toSeconds",
    "toMinutes",
    "toHours",
    "toDays",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "+",
    "-",
    "*",
    "in",
    "in set",
    "contains",
    "containsAll",
    "containsAny",
    "getTag",
    "hasTag",
    "isInRange",
    "offset",
    "durationSince",
    "lessThan",
    "lessThanOrEqual",
    "greaterThan",
    "greaterThanOrEqual",
    ".",
    "[\"\"]",
    "has",
    "has \"\"",
    "has .",
    "like",
    "is",
    "is in",
    "if",
    "[]",
    "{}",
    "principal",
    "action",
    "resource",
    "context",
];

pub(crate) struct Writer<'d, 'b> {
    pub(crate) dice: &'d mut Dice<'b>,
    /// One operand in so many is of a kind that was not asked for.
    pub(crate) mistakes: usize,
    /// What is certainly evaluated, unless something else errs.
    pub(crate) ran: BTreeSet<&'static str>,
    sure: bool,
}

impl<'d, 'b> Writer<'d, 'b> {
    pub(crate) fn new(dice: &'d mut Dice<'b>, mistakes: usize) -> Self {
        Self { dice, mistakes, ran: BTreeSet::new(), sure: true }
    }

    /// An expression that stands on its own, with no more than so many levels of operators.
    pub(crate) fn of(&mut self, kind: Kind, depth: usize) -> String {
        let kind = if self.dice.one_in(self.mistakes) { self.dice.pick(KINDS) } else { kind };
        if depth == 0 || self.dice.one_in(6) {
            return self.leaf(kind);
        }
        let depth = depth - 1;
        match self.dice.below(24) {
            22 => return self.choice(kind, depth),
            23 => return self.attribute(kind, depth),
            _ => {}
        }
        match kind {
            Kind::Bool => self.bool(depth),
            Kind::Long => self.long(depth),
            Kind::Text => self.leaf(kind),
            Kind::Decimal => self.parsed("decimal", DECIMAL_TEXTS, depth),
            Kind::Datetime => match self.dice.below(3) {
                0 => self.parsed("datetime", DATETIME_TEXTS, depth),
                1 => self.method(("offset", Kind::Datetime, &[Kind::Duration]), depth),
                _ => self.method(("toDate", Kind::Datetime, &[]), depth),
            },
            Kind::Duration => match self.dice.below(3) {
                0 => self.parsed("duration", DURATION_TEXTS, depth),
                1 => self.method(("durationSince", Kind::Datetime, &[Kind::Datetime]), depth),
                _ => self.method(("toTime", Kind::Datetime, &[]), depth),
            },
            Kind::Ip => self.parsed("ip", IP_TEXTS, depth),
            Kind::Entity => self.leaf(kind),
            Kind::Longs => self.set(&[Kind::Long], depth),
            Kind::Texts => self.set(&[Kind::Text], depth),
            Kind::Entities => self.set(&[Kind::Entity], depth),
            Kind::Mixed => self.set(KINDS, depth),
            Kind::Record => self.record(depth),
        }
    }

    fn bool(&mut self, depth: usize) -> String {
        let sets: &[Kind] = &[Kind::Longs, Kind::Texts, Kind::Entities, Kind::Mixed];
        match self.dice.below(27) {
            0 => self.leaf(Kind::Bool),
            1 => {
                self.note("!");
                format!("(!{})", self.of(Kind::Bool, depth))
            }
            2 | 3 => self.short_cut("&&", depth),
            4 | 5 => self.short_cut("||", depth),
            6 | 7 => {
                let kind = self.dice.pick(KINDS);
                let op = self.dice.pick(&["==", "!="]);
                self.infix(op, (kind, kind), depth)
            }
            8 | 9 => {
                let kind = self.dice.pick(&[Kind::Long, Kind::Long, Kind::Datetime, Kind::Duration]);
                let op = self.dice.pick(&["<", "<=", ">", ">="]);
                self.infix(op, (kind, kind), depth)
            }
            10 => {
                let name = self.dice.pick(&["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"]);
                self.method((name, Kind::Decimal, &[Kind::Decimal]), depth)
            }
            11 => self.infix("in", (Kind::Entity, Kind::Entity), depth),
            12 => {
                self.note("in set");
                let groups = self.dice.pick(&[Kind::Entities, Kind::Entities, Kind::Mixed]);
                self.infix("in", (Kind::Entity, groups), depth)
            }
            13 => {
                self.note("is");
                format!("({} is {})", self.of(Kind::Entity, depth), self.dice.pick(TYPES))
            }
            14 => {
                self.note("is in");
                let entity = self.of(Kind::Entity, depth);
                let kind = self.dice.pick(TYPES);
                let groups = self.dice.pick(&[Kind::Entity, Kind::Entities]);
                format!("({entity} is {kind} in {})", self.unsure(|own| own.of(groups, depth)))
            }
            15 | 16 => self.has(depth),
            17 => {
                let tag = quoted(self.dice.pick(TAGS).0);
                self.note("hasTag");
                format!("{}.hasTag({tag})", self.of(Kind::Entity, depth))
            }
            18 => {
                self.note("like");
                format!("({} like \"{}\")", self.of(Kind::Text, depth), self.pattern())
            }
            19 => {
                let (set, member) = self.dice.pick(&[
                    (Kind::Longs, Kind::Long),
                    (Kind::Texts, Kind::Text),
                    (Kind::Entities, Kind::Entity),
                ]);
                self.method(("contains", set, &[member]), depth)
            }
            20 => {
                let (set, member) = (Kind::Mixed, self.dice.pick(KINDS));
                self.method(("contains", set, &[member]), depth)
            }
            21 | 22 => {
                let set = self.dice.pick(sets);
                let name = self.dice.pick(&["containsAll", "containsAny"]);
                self.method((name, set, &[set]), depth)
            }
            23 => {
                let set = self.dice.pick(sets);
                self.method(("isEmpty", set, &[]), depth)
            }
            24 => self.method(("isInRange", Kind::Ip, &[Kind::Ip]), depth),
            25 => {
                let name = self.dice.pick(&["isIpv4", "isIpv6", "isLoopback", "isMulticast"]);
                self.method((name, Kind::Ip, &[]), depth)
            }
            _ => {
                let op = self.dice.pick(&["==", "<", ">="]);
                self.note(op);
                let (left, right) = (self.units(depth), self.of(Kind::Long, 0));
                format!("({left} {op} {right})")
            }
        }
    }

    fn long(&mut self, depth: usize) -> String {
        match self.dice.below(8) {
            0..=2 => {
                let op = self.dice.pick(&["+", "-", "*"]);
                self.infix(op, (Kind::Long, Kind::Long), depth)
            }
            3 => {
                self.note("neg");
                format!("(-{})", self.of(Kind::Long, depth))
            }
            4..=6 => self.units(depth),
            _ => self.tag(Kind::Long, depth),
        }
    }

    fn units(&mut self, depth: usize) -> String {
        let name = self.dice.pick(&["toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"]);
        self.method((name, Kind::Duration, &[]), depth)
    }

    /// A constant, a variable, or something of a variable.
    fn leaf(&mut self, kind: Kind) -> String {
        match self.dice.below(4) {
            0 if kind == Kind::Entity => self.variable(&["principal", "action", "resource"]),
            0 if kind == Kind::Record => self.variable(&["context"]),
            0 | 1 => Thing::of(self.dice, kind, 2).to_string(),
            2 if self.dice.one_in(6) => self.tag(kind, 0),
            _ => self.attribute(kind, 0),
        }
    }

    fn variable(&mut self, names: &[&'static str]) -> String {
        let name = self.dice.pick(names);
        self.note(name);
        name.to_owned()
    }

    fn attribute(&mut self, kind: Kind, depth: usize) -> String {
        let of = if depth == 0 {
            self.variable(&["context", "principal", "resource", "action"])
        } else {
            let of = self.dice.pick(&[Kind::Entity, Kind::Record]);
            self.of(of, depth - 1)
        };
        let names: Vec<&'static str> =
            ATTRIBUTES.iter().filter(|(_, own)| *own == kind).map(|(name, _)| *name).collect();
        let name = self.dice.pick(&names);
        let dotted = is_plain(name) && !self.dice.one_in(8);
        self.note(if dotted { "." } else { "[\"\"]" });
        if dotted { format!("{of}.{name}") } else { format!("{of}[{}]", quoted(name)) }
    }

    fn tag(&mut self, kind: Kind, depth: usize) -> String {
        self.note("getTag");
        let tags: Vec<&'static str> = TAGS.iter().filter(|(_, own)| *own == kind).map(|(name, _)| *name).collect();
        let tag = match tags.as_slice() {
            [] => self.of(Kind::Text, depth.saturating_sub(1)),
            tags => quoted(self.dice.pick(tags)),
        };
        format!("{}.getTag({tag})", self.of(Kind::Entity, depth.saturating_sub(1)))
    }

    fn has(&mut self, depth: usize) -> String {
        let of = self.dice.pick(&[Kind::Entity, Kind::Record]);
        let of = self.of(of, depth);
        let plain: Vec<&str> = ATTRIBUTES.iter().map(|(name, _)| *name).filter(|name| is_plain(name)).collect();
        match self.dice.below(4) {
            0 => {
                self.note("has \"\"");
                format!("({of} has {})", quoted(self.dice.pick(ATTRIBUTES).0))
            }
            1 => {
                self.note("has");
                format!("({of} has {})", self.dice.pick(&plain))
            }
            _ => {
                self.note("has .");
                let first = self.dice.pick(&["inner", "owner", "inner", "n"]);
                let rest: Vec<&str> = (0..=self.dice.below(2)).map(|_| self.dice.pick(&plain)).collect();
                format!("({of} has {first}.{})", rest.join("."))
            }
        }
    }

    fn pattern(&mut self) -> String {
        let whole = Thing::of(self.dice, Kind::Text, 0);
        let Thing::Text(text) = whole else { return String::new() };
        let mut elements: Vec<String> = text
            .chars()
            .map(|letter| if letter == '*' { r"\*".to_owned() } else { letter.escape_debug().to_string() })
            .collect();
        for _ in 0..self.dice.below(4) {
            let at = self.dice.below(elements.len() + 1);
            if at < elements.len() && self.dice.one_in(2) {
                elements.remove(at);
            }
            elements.insert(at, "*".to_owned());
        }
        elements.concat()
    }

    fn short_cut(&mut self, op: &'static str, depth: usize) -> String {
        self.note(op);
        let left = self.of(Kind::Bool, depth);
        let right = self.unsure(|own| own.of(Kind::Bool, depth));
        format!("({left} {op} {right})")
    }

    fn choice(&mut self, kind: Kind, depth: usize) -> String {
        self.note("if");
        let condition = self.of(Kind::Bool, depth);
        let (yes, no) = self.unsure(|own| (own.of(kind, depth), own.of(kind, depth)));
        format!("(if {condition} then {yes} else {no})")
    }

    fn infix(&mut self, op: &'static str, (left, right): (Kind, Kind), depth: usize) -> String {
        self.note(op);
        format!("({} {op} {})", self.of(left, depth), self.of(right, depth))
    }

    fn method(&mut self, (name, of, arguments): (&'static str, Kind, &[Kind]), depth: usize) -> String {
        self.note(name);
        let of = self.of(of, depth);
        let arguments: Vec<String> = arguments.iter().map(|kind| self.of(*kind, depth)).collect();
        format!("{of}.{name}({})", arguments.join(", "))
    }

    /// A call of a constructor, mostly on a text that it can read.
    fn parsed(&mut self, name: &'static str, texts: &[&'static str], depth: usize) -> String {
        self.note(name);
        let text = if self.dice.one_in(12) { self.of(Kind::Text, depth) } else { quoted(self.dice.pick(texts)) };
        format!("{name}({text})")
    }

    fn set(&mut self, kinds: &[Kind], depth: usize) -> String {
        self.note("[]");
        let members: Vec<String> = (0..self.dice.below(5))
            .map(|_| {
                let kind = self.dice.pick(kinds);
                self.of(kind, depth)
            })
            .collect();
        format!("[{}]", members.join(", "))
    }

    fn record(&mut self, depth: usize) -> String {
        self.note("{}");
        let mut members: Vec<String> = Vec::new();
        for (name, kind) in ATTRIBUTES {
            if self.dice.one_in(6) {
                let name = if is_plain(name) { (*name).to_owned() } else { quoted(name) };
                members.push(format!("{name}: {}", self.of(*kind, depth.min(1))));
            }
        }
        format!("{{{}}}", members.join(", "))
    }

    pub(crate) fn unsure<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let sure = std::mem::replace(&mut self.sure, false);
        let written = write(self);
        self.sure = sure;
        written
    }

    fn note(&mut self, operator: &'static str) {
        debug_assert!(OPERATORS.contains(&operator), "{operator}");
        if self.sure {
            self.ran.insert(operator);
        }
    }
}

/// Whether a name can be written without quotes.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "if") && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
