//! Single expressions that are easily got wrong: what each comes to is written here, and Cedar is asked as well.

use bailiwick::policy::compiled::{Compiled, Entities, EntityUid, Name, Record};
use cedar_policy::{Authorizer, Context, PolicyId, PolicySet, Request, SlotId, Template};

use super::deep;
use super::oracle::Answer;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    True,
    False,
    Error,
}

use Says::{Error as E, False as F, True as T};

/// `Team::"gone"` and `User::"ghost"` are named, but nothing is known of them.
const ENTITIES: &str = r#"[
    {"uid": {"type": "User", "id": "ada"}, "parents": [{"type": "Team", "id": "core"}, {"type": "Team", "id": "gone"}],
     "attrs": {"n": 3, "name": "ada", "boss": {"__entity": {"type": "User", "id": "ghost"}}, "odd name": true},
     "tags": {"level": 3, "": "empty"}},
    {"uid": {"type": "Team", "id": "core"}, "parents": [{"type": "Team", "id": "all"}], "attrs": {}},
    {"uid": {"type": "Team", "id": "all"}, "parents": [], "attrs": {}},
    {"uid": {"type": "Action", "id": "read"}, "parents": [{"type": "Action", "id": "any"}], "attrs": {}}
]"#;

const CONTEXT: &str = r#"{
    "n": 3, "max": 9223372036854775807, "min": -9223372036854775808, "yes": true, "no": false, "text": "a*b",
    "inner": {"n": 3, "deep": {"flag": true}}, "ghost": {"__entity": {"type": "User", "id": "ghost"}},
    "one": {"__extn": {"fn": "decimal", "arg": "1.0"}}, "ip": {"__extn": {"fn": "ip", "arg": "10.0.0.1"}},
    "at": {"__extn": {"fn": "datetime", "arg": "2024-02-29T01:00:00+0100"}},
    "span": {"__extn": {"fn": "duration", "arg": "-1d1ms"}},
    "none": [], "numbers": [1, 2, 2, 3], "mixed": [1, "1", true, [1], {"a": 1}, {"__extn": {"fn": "decimal", "arg": "1.0"}}],
    "teams": [{"__entity": {"type": "Team", "id": "all"}}, {"__entity": {"type": "Team", "id": "other"}}]
}"#;

const TABLE: &[(&str, Says)] = &[
    // What is evaluated must have the right type; what is not, need not.
    ("3", E),
    ("context", E),
    ("false && 3", F),
    ("true && 3", E),
    ("3 && false", E),
    ("true || 3", T),
    ("false || 3", E),
    ("3 || true", E),
    ("(true && context.n) == 3", E),
    ("(false || context.n) == 3", E),
    ("(true && (if context.yes then 5 else true)) == 5", E),
    ("(false || (if context.yes then 5 else true)) == 5", E),
    ("(true && (if context.no then 5 else true)) == 5", F),
    ("context.no && context.missing", F),
    ("context.yes || context.missing", T),
    ("context.missing || context.yes", E),
    ("!3", E),
    ("if 3 then true else true", E),
    ("if context.yes then true else context.missing", T),
    ("if context.no then true else context.missing", E),
    ("(if context.yes then principal else context.inner).n == 3", T),
    ("(if context.no then principal else context.inner).deep.flag", T),
    ("(if context.yes then principal else context).name == \"ada\"", T),
    ("(if context.no then principal else context).name == \"ada\"", E),
    ("(if context.yes then context else principal) has inner", T),
    ("(if context.yes then context.numbers else [4]).contains(3)", T),
    // Values of different types are different, which is no error.
    ("3 == \"3\"", F),
    ("3 != \"3\"", T),
    ("context.n == context.text", F),
    ("true == 1", F),
    ("principal == \"ada\"", F),
    ("context.inner == principal", F),
    ("User::\"ada\" == Team::\"ada\"", F),
    ("[1] == 1", F),
    ("[] == {}", F),
    ("decimal(\"1.0\") == 10000", F),
    ("datetime(\"1970-01-01\") == duration(\"0ms\")", F),
    ("3 == context.missing", E),
    // Values of extension types are equal by value.
    ("decimal(\"1.0\") == decimal(\"1.0000\")", T),
    ("context.one == decimal(\"1.000\")", T),
    ("decimal(\"-0.0\") == decimal(\"0.0\")", T),
    ("ip(\"10.0.0.1\") == ip(\"10.0.0.1/32\")", T),
    ("context.ip == ip(\"10.0.0.1/32\")", T),
    ("ip(\"10.0.0.1/24\") == ip(\"10.0.0.0/24\")", F),
    ("ip(\"::ffff:a00:1\") == ip(\"10.0.0.1\")", F),
    ("ip(\"::1\") == ip(\"0:0::1/128\")", T),
    ("context.at == datetime(\"2024-02-29\")", T),
    ("duration(\"24h\") == duration(\"1d\")", T),
    ("context.span.toMilliseconds() == -86400001", T),
    // Integers have 64 bits and do not wrap.
    ("context.max + 1 == 0", E),
    ("context.max + 0 == context.max", T),
    ("context.min - 1 == 0", E),
    ("-context.min == 0", E),
    ("-context.max == context.min + 1", T),
    ("- -9223372036854775808 == 0", E),
    ("context.max * 2 == 0", E),
    ("context.min * -1 == 0", E),
    ("3037000500 * 3037000500 > 0", E),
    ("context.max * 0 == 0", T),
    ("context.n + true == 4", E),
    ("context.n + \"1\" == \"31\"", E),
    ("context.text < \"b\"", E),
    ("true < false", E),
    ("context.one < decimal(\"2.0\")", E),
    ("context.at < context.span", E),
    ("context.at < datetime(\"2024-03-01\")", T),
    ("context.at <= 0", E),
    ("context.span > duration(\"-2d\")", T),
    ("context.n.lessThan(decimal(\"4.0\"))", E),
    ("context.one.lessThanOrEqual(decimal(\"1.0\"))", T),
    ("context.one.lessThan(decimal(\"1.0\"))", F),
    ("context.one.greaterThan(decimal(\"1.0\"))", F),
    ("context.one.greaterThan(decimal(\"0.9999\"))", T),
    ("context.one.greaterThanOrEqual(1)", E),
    // Nothing is known of an entity that is missing.
    ("context.ghost == User::\"ghost\"", T),
    ("context.ghost has name", F),
    ("context.ghost has name.first", F),
    ("context.ghost.name == \"\"", E),
    ("context.ghost.hasTag(\"level\")", F),
    ("context.ghost.getTag(\"level\") == 1", E),
    ("context.ghost in Team::\"all\"", F),
    ("context.ghost in context.ghost", T),
    ("context.ghost in [context.ghost]", T),
    ("context.ghost is User", T),
    ("principal has boss", T),
    ("principal has boss.name", F),
    ("principal.boss has name", F),
    ("principal.boss.name == 1", E),
    // Membership is transitive, also in groups that are missing; every group must be an entity.
    ("principal in Team::\"all\"", T),
    ("principal in Team::\"gone\"", T),
    ("principal in Team::\"other\"", F),
    ("principal in principal", T),
    ("(principal in [resource, principal]) && (resource in [Team::\"all\", resource])", T),
    ("Team::\"all\" in principal", F),
    ("action in Action::\"any\"", T),
    ("principal in context.teams", T),
    ("principal in []", F),
    ("principal in [principal, 3]", E),
    ("principal in [principal, context.n]", E),
    ("principal in [context.n, principal]", E),
    ("principal in context.mixed", E),
    ("principal in context.none", F),
    ("principal in \"core\"", E),
    ("principal in context.inner", E),
    ("\"ada\" in principal", E),
    ("3 in []", E),
    ("[principal] in [principal]", E),
    ("principal in [resource, Team::\"core\"]", T),
    ("principal is User in Team::\"all\"", T),
    ("principal is Team in 3", F),
    ("principal is User in 3", E),
    ("principal is User in [Team::\"other\", Team::\"gone\"]", T),
    ("3 is User", E),
    // `has` looks at records and entities only.
    ("context has n", T),
    ("context has missing", F),
    ("context has inner.deep.flag", T),
    ("context has inner.missing.flag", F),
    ("context has missing.deep", F),
    ("context has n.deep", E),
    ("context has inner.n.deep", E),
    ("{a: 3} has a.b", E),
    ("{a: {b: 3}} has a.b", T),
    ("{a: {b: context.n}} has a.b.c", E),
    ("{a: context.ghost} has a.b", F),
    ("3 has a", E),
    ("context.numbers has a", E),
    ("principal has \"odd name\"", T),
    ("principal[\"odd name\"]", T),
    ("principal.missing", E),
    ("context.n.a == 1", E),
    ("{\"a\": 1, \"b\": context.n}.b == 3", T),
    ("{\"a\": 1}.b == 3", E),
    ("{\"a\": context.missing, \"b\": 1}.b == 1", E),
    ("{\"a\": decimal(\"x\"), \"b\": 1}.b == 1", E),
    // Tags are no attributes.
    ("principal.hasTag(\"level\")", T),
    ("principal.hasTag(\"\")", T),
    ("principal.hasTag(\"name\")", F),
    ("principal has level", F),
    ("principal.getTag(\"level\") == principal.n", T),
    ("principal.getTag(\"name\") == \"ada\"", E),
    ("principal.hasTag(3)", E),
    ("context.hasTag(\"level\")", E),
    ("context.ghost.hasTag(3)", E),
    // Sets have no order, and nothing twice.
    ("[1, 2, 2] == [2, 1]", T),
    ("context.numbers == [3, 2, 1]", T),
    ("[context.n, 2, 1, context.n] == context.numbers", T),
    ("[context.n] == [context.n, 4]", F),
    ("[context.n, 4] != [4, context.n, 4]", F),
    ("[1, true] == [true, 1]", T),
    ("[[1, 2], [context.n]] == [[3], [2, 1, 1]]", T),
    ("[{a: context.n}].contains({a: 3})", T),
    ("[decimal(\"1.0\"), context.one] == [decimal(\"1.00\")]", T),
    ("[context.ip].contains(ip(\"10.0.0.1/32\"))", T),
    ("context.mixed.contains(\"1\")", T),
    ("context.mixed.contains([1])", T),
    ("context.mixed.contains([context.n])", F),
    ("context.mixed.contains({a: 1})", T),
    ("context.mixed.contains({a: 1, b: context.n})", F),
    ("context.mixed.contains(decimal(\"1.0\"))", T),
    ("context.mixed.contains(false)", F),
    ("context.numbers.contains(context.numbers)", F),
    ("[context.missing].contains(1)", E),
    ("[decimal(\"x\")].contains(1)", E),
    ("[1, decimal(\"x\"), context.n].contains(1)", E),
    ("3.contains(3)", E),
    ("context.text.contains(\"a\")", E),
    ("context.inner.contains(\"n\")", E),
    ("context.numbers.containsAll([])", T),
    ("context.none.containsAll(context.none)", T),
    ("context.none.containsAny(context.none)", F),
    ("context.numbers.containsAny([])", F),
    ("context.numbers.containsAll([context.n, 1])", T),
    ("[context.n, 1].containsAll(context.numbers)", F),
    ("[context.n, 1].containsAny([4, context.n])", T),
    ("[context.n, 1].containsAll([1, \"1\"])", F),
    ("context.numbers.containsAll(3)", E),
    ("context.numbers.containsAny(context.inner)", E),
    ("context.n.containsAny([])", E),
    ("context.none.isEmpty()", T),
    ("[context.n].isEmpty()", F),
    ("[].isEmpty()", T),
    ("context.text.isEmpty()", E),
    ("{a: [context.n, 1], b: 2} == {b: 2, a: [1, 3, 3]}", T),
    ("{a: 1} == {a: 1, b: context.n}", F),
    ("{} == {}", T),
    ("context.inner == {n: 3, deep: {flag: true}}", T),
    // Texts.
    ("context.text like \"a*b\"", T),
    (r#"context.text like "a\*b""#, T),
    (r#""axb" like "a\*b""#, F),
    ("\"\" like \"\"", T),
    ("\"\" like \"*\"", T),
    ("\"ab\" like \"*ab*\"", T),
    ("\"aab\" like \"*ab\"", T),
    ("\"aba\" like \"ab*ba\"", F),
    ("\"ü💡\" like \"?*\"", F),
    ("\"ü💡\" like \"ü*\"", T),
    ("\"A\" like \"a\"", F),
    ("context.n like \"3\"", E),
    // Extension functions.
    ("decimal(context.text) == decimal(\"1.0\")", E),
    ("decimal(context.n) == decimal(\"3.0\")", E),
    ("decimal(\"1.00000\") == decimal(\"1.0\")", E),
    ("false && decimal(\"x\") == 1", F),
    ("ip(\"10.0.0.1\").isInRange(ip(\"10.0.0.0/8\"))", T),
    ("ip(\"10.0.0.0/8\").isInRange(ip(\"10.0.0.1\"))", F),
    ("ip(\"::1\").isInRange(ip(\"0.0.0.0/0\"))", F),
    ("context.ip.isInRange(\"10.0.0.0/8\")", E),
    ("ip(\"127.0.0.0/7\").isLoopback()", F),
    ("context.text.isIpv4()", E),
    ("context.at.offset(duration(\"1d\")) == datetime(\"2024-03-01\")", T),
    ("context.at.offset(86400000) == datetime(\"2024-03-01\")", E),
    ("context.at.offset(duration(\"9223372036854775807ms\")) == context.at", E),
    ("datetime(\"1970-01-01\").offset(duration(\"-9223372036854775808ms\")).toDate() == context.at", E),
    ("datetime(\"1970-01-01\").offset(duration(\"-1ms\")).toDate() == datetime(\"1969-12-31\")", T),
    ("datetime(\"1969-12-31T23:00:00Z\").toTime() == duration(\"23h\")", T),
    ("datetime(\"1970-01-01\").durationSince(context.at) < duration(\"0ms\")", T),
    ("context.span.durationSince(context.at) == context.span", E),
    ("context.span.toDays() == -1", T),
    ("duration(\"-1ms\").toSeconds() == 0", T),
    ("context.at.toDays() == 0", E),
];

/// Ways to write an expression around another that must change nothing: `E` is the expression.
const DRESSES: &[&str] = &[
    "when { E }",
    "unless { !(E) }",
    "when { (E) && true }",
    "when { true } when { E }",
    "when { false || (E) }",
    "when { if (E) then true else false }",
    "when { if context.yes then (E) else 3 } unless { false }",
    "when { if context.no then 3 else (E) }",
    "when { [!(E), 3].contains(false) }",
    "when { {a: (E), b: context.n}.a }",
];

#[test]
fn traps_are_known() {
    let mut wrong = Vec::new();
    deep(|| {
        let stage = Stage::new();
        for (expression, says) in TABLE {
            for dress in DRESSES {
                let condition = dress.replace('E', expression);
                let (cedar, ours) = stage.answers(&condition);
                if cedar != *says || ours != *says {
                    wrong.push(format!("{condition}: written is {says:?}, Cedar says {cedar:?}, we say {ours:?}"));
                }
            }
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A policy that is left to Cedar is asked about with copies of our values.
#[test]
fn traps_are_known_where_cedar_is_asked() {
    deep(|| {
        let stage = Stage::new();
        for (expression, says) in TABLE {
            let policy = format!("@engine(\"cedar\") permit(principal, action, resource) when {{ {expression} }};");
            let compiled = Compiled::parse(&policy).unwrap();
            assert_eq!(compiled.foreign().count(), 1);
            assert_eq!(stage.ours(&compiled), *says, "{policy}");
        }
    });
}

/// A link stands in no set without its template: it is filled first.
#[test]
fn links_are_known_where_cedar_is_asked() {
    let template = r#"@engine("cedar") permit(principal in ?principal, action, resource == ?resource);"#;
    let link = |principal: &str| {
        let mut policies = PolicySet::new();
        policies.add_template(Template::parse(Some(PolicyId::new("template")), template).unwrap()).unwrap();
        let values = [(SlotId::principal(), principal), (SlotId::resource(), r#"Page::"x""#)];
        let values = values.map(|(slot, uid)| (slot, uid.parse().unwrap())).into();
        policies.link(PolicyId::new("template"), PolicyId::new("link"), values).unwrap();
        Compiled::new(&policies).unwrap()
    };
    deep(|| {
        let stage = Stage::new();
        for (principal, says) in [(r#"Team::"all""#, T), (r#"Team::"gone""#, T), (r#"Team::"other""#, F)] {
            assert_eq!(link(principal).foreign().collect::<Vec<_>>(), ["link"]);
            assert_eq!(stage.ours(&link(principal)), says, "{principal}");
        }
    });
}

/// Large sets are compared in another way than small ones.
#[test]
fn large_sets_are_sets() {
    let up = |range: std::ops::Range<i32>| range.map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let down = |range: std::ops::Range<i32>| range.rev().map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let pairs =
        |range: std::ops::Range<i32>| range.map(|n| format!("[{n}, {{a: {n}}}]")).collect::<Vec<_>>().join(", ");
    let table = [
        (format!("[context.n, {}].containsAll([context.n, {}])", up(0..40), down(0..40)), T),
        (format!("[context.n, {}] == [{}]", up(0..40), down(0..40)), T),
        (format!("[context.n, {}] == [context.n, {}]", up(0..40), down(0..40)), T),
        (format!("[context.n, {}] == [context.n, {}]", up(0..40), down(1..40)), F),
        (format!("[context.n, {}].containsAll([{}])", up(4..40), down(3..40)), T),
        (format!("[context.n, {}].containsAll([{}])", up(4..40), down(2..40)), F),
        (format!("[context.text, {}].containsAny([context.n, {}])", up(10..40), up(40..80)), F),
        (format!("[context.text, {}].containsAny([context.n, {}])", up(10..40), down(39..80)), T),
        (format!("[context.inner, {}].containsAll([{}, context.inner])", pairs(0..20), pairs(0..20)), T),
        (format!("[{}].contains([context.n, {{a: 3}}])", pairs(0..20)), T),
        (format!("[{}].contains([{{a: context.n}}, 4])", pairs(0..20)), F),
        (format!("context.numbers.containsAny([{}])", down(3..90)), T),
    ];
    deep(|| {
        let stage = Stage::new();
        for (expression, says) in &table {
            assert_eq!(stage.answers(&format!("when {{ {expression} }}")), (*says, *says), "{expression}");
        }
    });
}

/// Records find their members in ways that depend on how many there are.
#[test]
fn large_records_are_records() {
    deep(|| {
        let mut stage = Stage::new();
        for size in [0, 1, 2, 3, 4, 5, 16, 17, 99, 100, 101, 300] {
            let members: Vec<String> = (0..size).map(|number| format!(r#""m{number}": {number}"#)).collect();
            stage.set_context(&format!("{{{}}}", members.join(", ")));
            let reads = (0..size).map(|number| (format!("context.m{number} == {number}"), T));
            let misses = (size..size + 40).map(|number| (format!("context has m{number}"), F));
            for (expression, says) in reads.chain(misses) {
                assert_eq!(stage.answers(&format!("when {{ {expression} }}")), (says, says), "{size}: {expression}");
            }
        }
    });
}

/// The request of the tables, as Cedar's and as ours.
struct Stage {
    request: Request,
    entities: cedar_policy::Entities,
    context: Record,
    own: Entities,
}

impl Stage {
    fn new() -> Self {
        let entities = cedar_policy::Entities::from_json_str(ENTITIES, None).unwrap();
        let own = Entities::try_from(&entities).unwrap();
        let (request, context) = Self::request(CONTEXT);
        Self { request, entities, context, own }
    }

    fn set_context(&mut self, json: &str) {
        (self.request, self.context) = Self::request(json);
    }

    fn request(json: &str) -> (Request, Record) {
        let context = Context::from_json_str(json, None).unwrap();
        let record = Record::try_from(&context).unwrap();
        let [ada, read, page] = [r#"User::"ada""#, r#"Action::"read""#, r#"Page::"x""#].map(|uid| uid.parse().unwrap());
        (Request::new(ada, read, page, context, None).unwrap(), record)
    }

    /// What Cedar says, and what we say.
    fn answers(&self, condition: &str) -> (Says, Says) {
        let text = format!("permit(principal, action, resource) {condition};");
        let policies: PolicySet = text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let compiled = Compiled::new(&policies).unwrap();
        assert_eq!(compiled.foreign().count(), 0, "{text}");
        let cedar = Authorizer::new().is_authorized(&self.request, &policies, &self.entities);
        (says(&Answer::cedars(&cedar)), self.ours(&compiled))
    }

    fn ours(&self, policies: &Compiled) -> Says {
        let uid = |kind: &str, id: &str| EntityUid::new(Name::new(kind), id);
        let asked = [uid("User", "ada"), uid("Action", "read"), uid("Page", "x")];
        says(&Answer::of(policies, asked, &self.context, &self.own))
    }
}

fn says(answer: &Answer) -> Says {
    match (answer.failed.is_empty(), answer.allowed) {
        (false, _) => Says::Error,
        (true, true) => Says::True,
        (true, false) => Says::False,
    }
}
