//! Typed arguments: what is refused, what is accepted, what of it policies see, and what another implementation makes of it.

use bailiwick::mandate::{
    Action, ActionClass, ArgumentType, Bound, Command, Email, Grant, Money, Path, Prefix, Scope, Tool, ToolError, Url,
    Value,
};
use bailiwick::policy::{Catalog, Evaluator, ReasonCode};
use proptest::prelude::*;

use crate::any;
use crate::steps::{alone, code};
use crate::world::{World, args};

/// Path, and whether it is one.
const PATHS: &[(&str, bool)] = &[
    ("/", true),
    ("/srv", true),
    ("/srv/reports/2026-09.csv", true),
    ("srv/reports", true),
    ("/srv/.hidden", true),
    ("/srv/a b", true),
    ("/srv/100%", true),
    ("/srv/100%25", false),
    ("/srv/übersicht.txt", true),
    ("/srv/...x", true),
    ("/srv/C:x", true),
    ("", false),
    ("/srv/", false),
    ("//srv", false),
    ("/srv//x", false),
    (".", false),
    ("..", false),
    ("/srv/./x", false),
    ("/srv/../x", false),
    ("/srv/x/..", false),
    ("../x", false),
    ("/srv/.. /x", false),
    ("/srv/...", false),
    ("/srv/x.", false),
    ("/srv/x ", false),
    ("/srv/ x", false),
    ("/srv/%2e%2e/x", false),
    ("/srv/%2E./x", false),
    ("/srv%2fx", false),
    ("/srv%2Fx", false),
    ("/srv%5cx", false),
    ("/srv/%252e%252e", false),
    ("/srv/x%00.csv", false),
    ("/srv/x\0.csv", false),
    ("/srv/x\n", false),
    ("\\srv\\x", false),
    ("/srv\\..\\x", false),
    ("\\\\host\\share", false),
    ("C:/x", false),
    ("c:x", false),
    ("~/x", false),
    ("~root/x", false),
    ("/srv/\u{2024}\u{2024}/x", false),
    ("/srv/\u{FF0E}\u{FF0E}/x", false),
    ("/srv\u{2215}x", false),
    ("/srv\u{FF0F}x", false),
    ("/srv/\u{202E}fdp.exe", false),
    ("/srv/x\u{200B}", false),
];

/// URL, whether it is one, and whether its host is private.
const URLS: &[(&str, Option<bool>)] = &[
    ("https://acme.example", Some(false)),
    ("https://acme.example/", Some(false)),
    ("https://acme.example:8443/a/b?q=1#f", Some(false)),
    ("http://acme.example/a%20b", Some(false)),
    ("wss://acme.example/socket", Some(false)),
    ("https://xn--mnchen-3ya.example/", Some(false)),
    ("https://8.8.8.8/", Some(false)),
    ("https://[2606:4700:4700::1111]/", Some(false)),
    ("https://sub_domain.acme.example/", Some(false)),
    // Spellings that others normalise.
    ("HTTPS://acme.example/", None),
    ("https://ACME.example/", None),
    ("https://acme.example:443/", None),
    ("http://acme.example:80/", None),
    ("https://acme.example:0443/", None),
    ("https://acme.example:/", None),
    ("https://acme.example:0/", None),
    ("https://acme.example:65536/", None),
    ("https://acme.example:+80/", None),
    ("https://acme.example./", None),
    ("https://acme..example/", None),
    ("https://.acme.example/", None),
    ("https:acme.example", None),
    ("https:/acme.example", None),
    ("https:///acme.example", None),
    ("https:\\\\acme.example", None),
    ("https://acme.example\\@evil.example/", None),
    ("https://acme.example\\a", None),
    ("//acme.example/", None),
    ("acme.example/", None),
    ("", None),
    (" https://acme.example/", None),
    ("https://acme.example/ ", None),
    ("https://acme.example/a b", None),
    ("https://ac\tme.example/", None),
    ("https://acme.example/\n", None),
    ("https://acme.example/\0", None),
    ("https://acme.example/%00", None),
    // Users.
    ("https://ada@acme.example/", None),
    ("https://ada:secret@acme.example/", None),
    ("https://@acme.example/", None),
    ("https://acme.example%40evil.example/", None),
    ("https://acme.example@evil.example/", None),
    // Hosts that look alike.
    ("https://аcme.example/", None),
    ("https://acme\u{3002}example/", None),
    ("https://ⓐcme.example/", None),
    ("https://acme\u{AD}.example/", None),
    ("https://%61cme.example/", None),
    // Paths.
    ("https://acme.example/a/../b", None),
    ("https://acme.example/a/./b", None),
    ("https://acme.example/a/..", None),
    ("https://acme.example/a/%2e%2e/b", None),
    ("https://acme.example/a/%2E%2e", None),
    ("https://acme.example/a/.%2e/b", None),
    ("https://acme.example/a%2fb", None),
    ("https://acme.example/a%5Cb", None),
    ("https://acme.example/a%252fb", None),
    ("https://acme.example//a", None),
    ("https://acme.example/a//b", None),
    ("https://acme.example/a\\b", None),
    ("https://acme.example/%", None),
    ("https://acme.example/%zz", None),
    ("https://acme.example/?q=%+1", None),
    // Schemes.
    ("file:///etc/passwd", None),
    ("ftp://acme.example/", None),
    ("javascript:alert(1)//", None),
    ("data:text/html,x", None),
    ("gopher://acme.example/", None),
    // Private hosts.
    ("http://localhost/", Some(true)),
    ("http://a.localhost/", Some(true)),
    ("http://notlocalhost.example/", Some(false)),
    ("http://router/", Some(true)),
    ("http://printer.local/", Some(true)),
    ("http://metadata.google.internal/", Some(true)),
    ("http://127.0.0.1/", Some(true)),
    ("http://127.255.0.1:8080/", Some(true)),
    ("http://0.0.0.0/", Some(true)),
    ("http://10.0.0.1/", Some(true)),
    ("http://172.16.0.1/", Some(true)),
    ("http://172.15.255.255/", Some(false)),
    ("http://172.32.0.1/", Some(false)),
    ("http://192.168.1.1/", Some(true)),
    ("http://169.254.169.254/latest/meta-data", Some(true)),
    ("http://100.64.0.1/", Some(true)),
    ("http://100.127.255.255/", Some(true)),
    ("http://100.128.0.1/", Some(false)),
    ("http://100.63.255.255/", Some(false)),
    ("http://192.0.2.1/", Some(true)),
    ("http://198.18.0.1/", Some(true)),
    ("http://224.0.0.1/", Some(true)),
    ("http://255.255.255.255/", Some(true)),
    ("http://[::1]/", Some(true)),
    ("http://[::]/", Some(true)),
    ("http://[::ffff:7f00:1]/", Some(true)),
    ("http://[::ffff:808:808]/", Some(false)),
    ("http://[::ffff:a9fe:a9fe]/", Some(true)),
    ("http://[64:ff9b::a00:1]/", Some(true)),
    ("http://[64:ff9b::808:808]/", Some(false)),
    ("http://[2002:7f00:1::]/", Some(true)),
    ("http://[fe80::1]/", Some(true)),
    ("http://[fc00::1]/", Some(true)),
    ("http://[fd00:ec2::254]/", Some(true)),
    ("http://[fec0::1]/", Some(true)),
    ("http://[ff02::1]/", Some(true)),
    ("http://[2001:db8::1]/", Some(true)),
    // Addresses in other spellings.
    ("http://[::ffff:127.0.0.1]/", None),
    ("http://[0:0:0:0:0:0:0:1]/", None),
    ("http://[::0001]/", None),
    ("http://[2606:4700::ABCD]/", None),
    ("http://[fe80::1%25eth0]/", None),
    ("http://[::1", None),
    ("http://::1/", None),
    ("http://0x7f.0.0.1/", None),
    ("http://0x7f000001/", None),
    ("http://2130706433/", None),
    ("http://0177.0.0.1/", None),
    ("http://127.1/", None),
    ("http://127.0.0.01/", None),
    ("http://127.0.0.1./", None),
    ("http://256.0.0.1/", None),
    ("http://1.2.3.4.5/", None),
    ("http://example.1/", None),
    ("http://example.0x1/", None),
    ("http://example.0x/", None),
];

/// Address, and whether it is one.
const EMAILS: &[(&str, bool)] = &[
    ("ada@acme.example", true),
    ("ada.l+x@mail.acme.example", true),
    ("Ada@acme.example", true),
    ("ada@acme.example.", false),
    ("ada@ACME.example", false),
    ("ada@acme", false),
    ("ada@localhost", false),
    ("ada@127.0.0.1", false),
    ("ada@[127.0.0.1]", false),
    ("ada@acme.123", false),
    ("ada@@acme.example", false),
    ("ada@acme.example@evil.example", false),
    ("\"ada@evil.example\"@acme.example", false),
    ("ada(x)@acme.example", false),
    ("<ada@acme.example>", false),
    ("Ada <ada@acme.example>", false),
    ("ada@acme.example, eve@evil.example", false),
    ("ada@acme.example\r\nBcc: eve@evil.example", false),
    ("ada@acme.example\0", false),
    (" ada@acme.example", false),
    ("a da@acme.example", false),
    (".ada@acme.example", false),
    ("ada.@acme.example", false),
    ("a..da@acme.example", false),
    ("@acme.example", false),
    ("ada@", false),
    ("ada", false),
    ("", false),
    ("ada@-acme.example", false),
    ("ada@acme-.example", false),
    ("ada@ac_me.example", false),
    ("ada@аcme.example", false),
    ("ädä@acme.example", false),
    ("ada@acme..example", false),
];

/// Money as JSON, and what it is.
const SUMS: &[(&str, Option<(&str, &str)>)] = &[
    (r#""12.00 EUR""#, Some(("12", "EUR"))),
    (r#""0 USD""#, Some(("0", "USD"))),
    (r#""0.0001 XAU""#, Some(("0.0001", "XAU"))),
    (r#"{"amount": "12.5", "currency": "EUR"}"#, Some(("12.5", "EUR"))),
    (r#"{"amount": 12.5, "currency": "EUR"}"#, Some(("12.5", "EUR"))),
    (r#""12""#, None),
    ("12", None),
    (r#""EUR 12""#, None),
    (r#""12 eur""#, None),
    (r#""12 EURO""#, None),
    (r#""12 €""#, None),
    (r#""12 E\u00dcR""#, None),
    (r#""12  EUR""#, None),
    (r#""12 EUR ""#, None),
    (r#"" 12 EUR""#, None),
    (r#""12\tEUR""#, None),
    (r#""12\u00a0EUR""#, None),
    (r#""-12 EUR""#, None),
    (r#""-0 EUR""#, None),
    (r#""+12 EUR""#, None),
    (r#""1e3 EUR""#, None),
    (r#""1,000 EUR""#, None),
    (r#""1_000 EUR""#, None),
    (r#""012 EUR""#, None),
    (r#""12. EUR""#, None),
    (r#"".5 EUR""#, None),
    (r#""0.00001 EUR""#, None),
    (r#""\u0661 EUR""#, None),
    (r#""9223372036854775807 EUR""#, None),
    (r#"{"amount": "12"}"#, None),
    (r#"{"currency": "EUR"}"#, None),
    (r#"{"amount": "12", "currency": "EUR", "fee": "99"}"#, None),
    (r#"{"amount": -12, "currency": "EUR"}"#, None),
    (r#"{"amount": 9223372036854775807, "currency": "EUR"}"#, None),
    (r#"{"amount": ["12"], "currency": "EUR"}"#, None),
    (r#"["12", "EUR"]"#, None),
    ("null", None),
];

/// A command as JSON, and its program.
const COMMANDS: &[(&str, Option<&str>)] = &[
    (r#"["git"]"#, Some("git")),
    (r#"["git", "log", "--format=%h; rm -rf /"]"#, Some("git")),
    (r#"["/usr/bin/git", ""]"#, Some("/usr/bin/git")),
    (r#""git log""#, None),
    ("[]", None),
    (r#"[""]"#, None),
    (r#"[["git"]]"#, None),
    (r#"["git", 1]"#, None),
    (r#"["git", null]"#, None),
    (r#"["git log"]"#, None),
    (r#"["git\u0000", "log"]"#, None),
    (r#"["git", "log\u0000"]"#, None),
    (r#"["../bin/git"]"#, None),
    (r#"["/usr/bin/../../tmp/git"]"#, None),
    (r#"["-c"]"#, None),
    (r#"["~/git"]"#, None),
    (r#"{"0": "git"}"#, None),
];

fn value(json: &str) -> Value {
    args(&format!(r#"{{"x": {json}}}"#)).get("x").expect("a value").clone()
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    for (text, is_good) in PATHS {
        assert_eq!(Path::new(text).is_ok(), *is_good, "{text:?}");
    }
    for (text, private) in URLS {
        assert_eq!(Url::new(text).ok().map(Url::is_private), *private, "{text:?}");
    }
    for (text, is_good) in EMAILS {
        assert_eq!(Email::new(text).is_ok(), *is_good, "{text:?}");
    }
    for (json, sum) in SUMS {
        let read = Money::try_from(&value(json)).ok();
        let wanted = sum.map(|(amount, currency)| (amount.parse().unwrap(), currency.parse().unwrap()));
        assert_eq!(read.map(|sum| (sum.amount(), sum.currency())), wanted, "{json}");
    }
    for (json, program) in COMMANDS {
        assert_eq!(
            Command::new(&value(json)).ok().map(|command| command.program().to_owned()).as_deref(),
            *program,
            "{json}"
        );
    }
    let long = |text: &str, times| text.repeat(times);
    assert!(Path::new(&long("/ab", 1365)).is_ok() && Path::new(&long("/ab", 1366)).is_err());
    let url = |times| format!("https://a.example/{}", long("x", times));
    assert!(Url::new(&url(7982)).is_ok() && Url::new(&url(7983)).is_err());
}

/// Whether `url` reads what was accepted as it was read here, and writes it as it stands.
fn agrees(text: &str) -> Result<bool, TestCaseError> {
    let Ok(ours) = Url::new(text) else { return Ok(false) };
    let Ok(theirs) = url::Url::parse(text) else {
        // Whether a label of Punycode stands for something is not looked at here.
        prop_assert!(ours.host().contains("xn--"), "{} is refused by others", text);
        return Ok(false);
    };
    let written = theirs.as_str();
    prop_assert!(
        written == text || written.replacen(theirs.path(), "", 1) == text || ours.path() == "/",
        "{} is {}",
        text,
        written
    );
    prop_assert_eq!((theirs.scheme(), theirs.host_str()), (ours.scheme(), Some(ours.host())));
    prop_assert_eq!((theirs.port_or_known_default(), theirs.path()), (Some(ours.port()), ours.path()));
    prop_assert_eq!((theirs.username(), theirs.password()), ("", None));
    Ok(true)
}

#[test]
fn another_implementation_reads_every_url_that_is_accepted_alike() {
    for (text, _) in URLS {
        agrees(text).unwrap();
    }
    let host = prop_oneof![
        "[a-z0-9_.-]{1,12}",
        "[a-z]{1,6}\\.example",
        "[0-9]{1,3}(\\.[0-9]{1,3}){3}",
        "(0x[0-9a-f]{0,3}|[0-9]{1,4})(\\.(0x[0-9a-f]{0,2}|[0-9]{1,4})){0,3}",
        any::<[u16; 8]>().prop_map(|segments| format!("[{}]", std::net::Ipv6Addr::from(segments))),
        proptest::array::uniform8(prop_oneof![Just(0_u16), any::<u16>()])
            .prop_map(|segments| format!("[{}]", std::net::Ipv6Addr::from(segments))),
    ];
    let port = prop_oneof![Just(String::new()), "[0-9]{0,5}".prop_map(|port| format!(":{port}"))];
    let text = (
        proptest::sample::select(&["https", "http", "ws", "wss"][..]),
        host,
        port,
        "(/[!-~]{0,6}){0,3}",
        "([?#][!-~]{0,6})?",
    );
    any::hold_often((6000, 600), text, |(scheme, host, port, path, rest)| {
        agrees(&format!("{scheme}://{host}{port}{path}{rest}"))
    });
}

#[test]
fn a_prefix_covers_whole_parts_of_its_own_kind() {
    let rows = [
        ("/srv", "/srv", true),
        ("/srv", "/srv/x/y", true),
        ("/srv", "/srvx", false),
        ("/srv", "srv/x", false),
        ("/srv", "/srv/../etc", false),
        ("/srv/x", "/srv", false),
        ("/", "/etc/passwd", true),
        ("/", "etc/passwd", false),
        ("srv", "srv/x", true),
        ("srv", "/srv/x", false),
        ("/srv", "https://h.example/srv", false),
        ("https://h.example", "https://h.example", true),
        ("https://h.example", "https://h.example/x?q", true),
        ("https://h.example/", "https://h.example", true),
        ("https://h.example", "https://h.example.evil.example/", false),
        ("https://h.example", "https://h.example@evil.example/", false),
        ("https://h.example", "https://h.example:8443/", false),
        ("https://h.example", "http://h.example/", false),
        ("https://h.example/v1", "https://h.example/v1", true),
        ("https://h.example/v1", "https://h.example/v1?admin", true),
        ("https://h.example/v1", "https://h.example/v1/x", true),
        ("https://h.example/v1", "https://h.example/v10", false),
        ("https://h.example/v1", "https://h.example/v1/../v2", false),
        ("https://h.example/v1/", "https://h.example/v1/x", true),
        ("https://h.example/v1/", "https://h.example/v1", false),
        ("@acme.example", "ada@acme.example", true),
        ("@acme.example", "ada@sub.acme.example", false),
        ("@acme.example", "ada@notacme.example", false),
        ("@acme.example", "ada@acme.example.evil.example", false),
        ("@acme.example", "ada@evil.example@acme.example", false),
        ("@*.acme.example", "ada@sub.acme.example", true),
        ("@*.acme.example", "ada@a.b.acme.example", true),
        ("@*.acme.example", "ada@acme.example", false),
        ("@*.acme.example", "ada@notacme.example", false),
    ];
    let covered = |prefix: &str, text: &str| {
        let bound = Bound::under([prefix]).unwrap();
        let scope = Scope::new().allow("t", Grant::new().autonomous().bound("x", bound).unwrap()).unwrap();
        let action = alone("t").with(args(&serde_json::json!({ "x": text }).to_string()));
        scope.covers(&action, ActionClass::Read).rank() == 2
    };
    for (prefix, text, wanted) in rows {
        assert_eq!(covered(prefix, text), wanted, "{text} under {prefix}");
    }
    for refused in [
        "",
        "/a/",
        "/a/..",
        "@",
        "@*",
        "@*.",
        "@*.com.",
        "*@acme.example",
        "/srv/*",
        "https://h.example/?q",
        "https://H.example",
    ] {
        assert!(Prefix::new(refused).is_err(), "{refused}");
    }
}

#[test]
fn an_amount_is_limited_in_its_currency() {
    let bound = Bound::at_most("12.00".parse().unwrap()).in_currency("EUR".parse().unwrap());
    let scope = Scope::new().allow("t", Grant::new().autonomous().bound("x", bound).unwrap()).unwrap();
    let rows = [
        (r#""12.00 EUR""#, true),
        (r#"{"amount": 12, "currency": "EUR"}"#, true),
        (r#""12.01 EUR""#, false),
        (r#""1 USD""#, false),
        ("12", false),
        (r#"["1 EUR", "2 EUR"]"#, true),
        (r#"["1 EUR", "20 EUR"]"#, false),
    ];
    for (json, within) in rows {
        let action = alone("t").with(args(&format!(r#"{{"x": {json}}}"#)));
        assert_eq!(scope.covers(&action, ActionClass::Read).rank() == 2, within, "{json}");
    }
}

fn catalog() -> Catalog {
    let name = |text: &str| text.parse().unwrap();
    let tool = Tool::new("act".parse().unwrap(), ActionClass::Write)
        .required(name("url"), ArgumentType::Url)
        .and_then(|tool| tool.optional(name("path"), ArgumentType::Path))
        .and_then(|tool| tool.optional(name("mail"), ArgumentType::Email))
        .and_then(|tool| tool.optional(name("sum"), ArgumentType::Money))
        .and_then(|tool| tool.optional(name("run"), ArgumentType::Command))
        .unwrap();
    Catalog::new().with(tool).unwrap()
}

fn act(more: &str) -> Action {
    alone("act").with(args(&format!(r#"{{"url": "https://api.acme.example:8443/v1/x?q"{more}}}"#)))
}

#[test]
fn policies_see_the_parts_of_typed_arguments() {
    let rows = [
        (r#"context.args.url.scheme == "https" && context.args.url.host == "api.acme.example""#, "", true),
        (r#"context.args.url.port == 8443 && context.args.url.path == "/v1/x" && !context.args.url.private"#, "", true),
        (r#"context.args.url.text like "*?q""#, "", true),
        (r#"context.args.url.private"#, "", false),
        (
            r#"context.args has mail && context.args.mail.domain == "acme.example""#,
            r#", "mail": "ada@acme.example""#,
            true,
        ),
        (r#"context.args has mail && context.args.mail.local == "ada""#, r#", "mail": "eve@acme.example""#, false),
        (r#"context.args has mail"#, r#", "mail": null"#, false),
        (r#"context.args has path && context.args.path like "/srv/*""#, r#", "path": "/srv/x""#, true),
        (
            r#"context.args has sum && context.args.sum.currency == "EUR" && context.args.sum.amount.lessThan(decimal("9.0"))"#,
            r#", "sum": "8.99 EUR""#,
            true,
        ),
        (
            r#"context.args has sum && context.args.sum == {amount: decimal("8.5"), currency: "EUR"}"#,
            r#", "sum": {"amount": "8.50", "currency": "EUR"}"#,
            true,
        ),
        (
            r#"context.args has run && context.args.run.program == "git" && !context.args.run.argv.contains("push")"#,
            r#", "run": ["git", "log"]"#,
            true,
        ),
        (r#"context.args has run && context.args.run.argv.contains("push")"#, r#", "run": ["git", "push"]"#, true),
    ];
    let scope = Scope::new().allow("act", Grant::new().autonomous()).unwrap();
    for (condition, more, permitted) in rows {
        for engine in ["", r#"@engine("cedar")"#] {
            let policies = format!(r#"@id("p") {engine} permit(principal, action, resource) when {{ {condition} }};"#);
            let world = World::under(Evaluator::new(catalog(), policies.as_str()).unwrap());
            let answer = code(world.task(scope.clone()).authorize(&act(more)));
            assert_eq!(answer.is_none(), permitted, "{condition} {engine} with {more}: {answer:?}");
        }
    }
    for misspelt in ["context.args.url.hots == \"x\"", "context.args.mail.domain == \"x\"", "context.args.url == \"x\""]
    {
        let policies = format!(r#"@id("p") permit(principal, action, resource) when {{ {misspelt} }};"#);
        assert!(Evaluator::new(catalog(), policies.as_str()).is_err(), "{misspelt}");
    }
}

#[test]
fn a_call_with_an_argument_that_is_spelt_otherwise_is_refused_and_told_why() {
    let world = World::under(Evaluator::new(catalog(), crate::world::OPEN).unwrap());
    let task = world.task(Scope::new().allow("act", Grant::new().autonomous()).unwrap());
    let rows = [
        (r#", "path": "/srv/../etc""#, "the argument path of the tool act must be a path: it has a part `..`"),
        (r#", "mail": "ada""#, "the argument mail of the tool act must be an e-mail address: it has no `@`"),
        (
            r#", "sum": 12"#,
            "the argument sum of the tool act must be an amount of money: it is neither a text nor an object",
        ),
        (
            r#", "run": "ls""#,
            "the argument run of the tool act must be a command: it is no list of a program and its arguments",
        ),
    ];
    for (more, why) in rows {
        let denial = task.authorize(&act(more)).expect_err("a denial");
        assert_eq!((denial.code(), denial.reason().to_string().as_str()), (ReasonCode::Arguments, why));
    }
}

#[test]
fn a_tool_that_was_listed_with_a_text_can_be_declared_more_exactly() {
    let listed = Tool::new("get".parse().unwrap(), ActionClass::Read)
        .required("url".parse().unwrap(), ArgumentType::Text)
        .unwrap();
    let http = args(r#"{"url": "http:\\evil.example"}"#);
    assert!(listed.check(&http).is_ok());
    let typed = listed.clone().typed("url", ArgumentType::Url).unwrap();
    assert!(matches!(typed.check(&http), Err(ToolError::Malformed { .. })));
    assert!(listed.typed("uri", ArgumentType::Url).is_err());
    let read: Tool = serde_json::from_str(&serde_json::to_string(&typed).unwrap()).unwrap();
    assert_eq!(read, typed);
}

#[test]
fn a_schema_of_the_hosts_must_have_the_parts_of_what_may_be_missing_too() {
    let ours = catalog().schema();
    assert!(catalog().check_schema(&ours).is_ok());
    for (from, to) in [
        (r#""domain": String"#, r#""domain": Long"#),
        (r#""private": Bool"#, r#""private"?: Bool"#),
        (r#""currency": String"#, r#""currencies": String"#),
        (r#""mail"?: String,"#, r#""mail"?: Long,"#),
    ] {
        assert!(ours.contains(from), "our schema says {from}");
        let answer = catalog().check_schema(&ours.replace(from, to));
        assert_eq!(answer.is_err(), from != r#""private": Bool"#, "{to}: {answer:?}");
    }
}
