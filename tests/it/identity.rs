//! Names: what is one, what is none, and that no two are the same.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{Debug, Display};

use bailiwick::id::{Audience, Found, IdError, Issuer, Subject};
use bailiwick::identity::{AgentId, AgentUserId, Handle, OperatorId, SpiffeId, SystemName};
use bailiwick::mandate::{Resource, ToolName};
use proptest::prelude::*;

#[test]
fn a_spiffe_id_is_what_the_standard_says_and_nothing_else() {
    // SPIFFE-ID, section 2.
    let valid = [
        "spiffe://acme.example/agent",
        "spiffe://acme.example/ns/prod/agent/invoice-reconciler",
        "spiffe://acme/a",
        "spiffe://1.2.3.4/a",
        "spiffe://a_b-c.d/A.b_C-9",
        "spiffe://acme.example/...",
        "spiffe://acme.example/.hidden/a..b",
        "spiffe://-/-",
    ];
    for text in valid {
        let id = SpiffeId::parse(text).expect(text);
        assert_eq!(id.as_str(), text);
        assert_eq!(format!("spiffe://{}{}", id.trust_domain(), id.path()), text);
        assert_eq!(AgentId::spiffe(text).expect(text).authority(), id.trust_domain());
    }
    let (scheme, domain, path, segment) = ("the scheme", "a trust domain", "a path", "path segments");
    let invalid = [
        ("", scheme),
        ("acme.example/agent", scheme),
        ("SPIFFE://acme.example/agent", scheme),
        ("Spiffe://acme.example/agent", scheme),
        ("spiffe:/acme.example/agent", scheme),
        ("https://acme.example/agent", scheme),
        (" spiffe://acme.example/agent", scheme),
        ("spiffe://", path),
        ("spiffe://acme.example", path),
        ("spiffe:///agent", domain),
        ("spiffe://Acme.example/agent", domain),
        ("spiffe://acme.example:443/agent", domain),
        ("spiffe://ada@acme.example/agent", domain),
        ("spiffe://acme%2eexample/agent", domain),
        ("spiffe://acme\u{0}/agent", domain),
        ("spiffe://\u{430}cme.example/agent", domain),
        ("spiffe://acme.example?x=/agent", domain),
        ("spiffe://acme.example/", segment),
        ("spiffe://acme.example/agent/", segment),
        ("spiffe://acme.example//agent", segment),
        ("spiffe://acme.example/./agent", segment),
        ("spiffe://acme.example/a/../agent", segment),
        ("spiffe://acme.example/agent?x=1", segment),
        ("spiffe://acme.example/agent#x", segment),
        ("spiffe://acme.example/agent%2Fx", segment),
        ("spiffe://acme.example/age nt", segment),
        ("spiffe://acme.example/agent\n", segment),
        ("spiffe://acme.example/agent\u{0}", segment),
        ("spiffe://acme.example/agent\u{1b}[2J", segment),
        ("spiffe://acme.example/\u{430}gent", segment),
    ];
    for (text, want) in invalid {
        let error = SpiffeId::parse(text).expect_err(text);
        assert!(error.want.starts_with(want), "{text:?}: {error}");
        assert_eq!(error.found, Found::new(text));
        assert!(is_plain(&error), "{error}");
        assert!(text.parse::<AgentId>().is_err(), "{text:?}");
    }
}

#[test]
fn a_spiffe_id_is_as_long_as_the_standard_lets_it_be_and_no_longer() {
    let domain = |length: usize| format!("spiffe://{}/a", "d".repeat(length));
    let whole = |length: usize| format!("spiffe://d/{}", "a".repeat(length - "spiffe://d/".len()));
    let rows = [(domain(255), true), (domain(256), false), (whole(2048), true), (whole(2049), false)];
    for (text, valid) in rows {
        assert_eq!(SpiffeId::parse(&text).is_ok(), valid, "{} bytes", text.len());
    }
}

/// Whether a message shows nothing but printable characters.
fn is_plain(message: &impl Display) -> bool {
    message.to_string().chars().all(|c| c == '…' || c == ' ' || c.is_ascii_graphic())
}

/// Checks a kind of text: these are, and are kept as they are; these are not, and the message says what was wanted and
/// what was found.
fn check<T: Display + Debug>(parse: fn(&str) -> Result<T, IdError>, what: &str, valid: &[&str], invalid: &[&str]) {
    for text in valid {
        assert_eq!(parse(text).expect(text).to_string(), *text);
    }
    for text in invalid {
        let error = parse(text).expect_err(text);
        assert_eq!((error.what, &error.found), (what, &Found::new(text)));
        assert_eq!(error.to_string(), format!("{what} must be {}, found {}", error.want, error.found));
        assert!(is_plain(&error), "{error}");
    }
}

#[test]
fn names_are_ascii_bounded_and_kept_byte_for_byte() {
    let long = |prefix: &str, length: usize| prefix.to_owned() + &"a".repeat(length - prefix.len());
    let never = ["", " ", "a b", "a\u{0}", "a\n", "\u{1b}[31ma", "a\t", "\u{430}da", "ad\u{e4}", "\u{200b}", "a\u{7f}"];
    let with = |more: &[&'static str]| never.iter().chain(more).copied().collect::<Vec<_>>();

    let (fits, over) = (long("https://", 512), long("https://", 513));
    let issuers =
        ["https://idp.acme.example", "https://idp.acme.example/", "https://a:8443/tenant/1", "https://A", &fits];
    let never_issuers = [
        "http://idp.acme.example",
        "HTTPS://idp.acme.example",
        "https:/idp",
        "https://",
        "https:///path",
        "https://idp?tenant=1",
        "https://idp#x",
        "https://ada@idp",
        "https://idp/a\\b",
        "https://idp/\"",
        "https://idp\n",
        "https://idp\u{0}",
        "https://\u{456}dp.acme.example",
        " https://idp",
        &over,
    ];
    check(Issuer::new, "issuer", &issuers, &with(&[]));
    check(Issuer::new, "issuer", &[], &never_issuers);

    let (fits, over) = (long("", 255), long("", 256));
    let subjects = ["u_7Qm2c1", "auth0|1", "a@b", "https://x/y?z#1", "../..", "*", &fits];
    check(Subject::new, "subject", &subjects, &with(&[]));
    check(Subject::new, "subject", &[], &[&over]);

    let (fits, over) = (long("", 512), long("", 513));
    check(Audience::new, "audience", &["https://jira.acme.example", "jira", &fits], &with(&["*", "https://*.example"]));
    check(Audience::new, "audience", &[], &[&over]);

    let (fits, over) = (long("", 128), long("", 129));
    check(
        SystemName::new,
        "system name",
        &["jira.acme.example", "1", "a-b", &fits],
        &with(&["Jira", "a/b", "a_b", "a:1"]),
    );
    check(SystemName::new, "system name", &[], &[&over]);
    check(Handle::new, "handle", &["invoice-bot", "Invoice_Bot", "a@b", "#", &fits], &with(&["a/b", "/"]));
    check(Handle::new, "handle", &[], &[&over]);
}

#[test]
fn what_was_found_is_cut_and_escaped() {
    let error = Subject::new(&format!("\u{1b}]0;{}", "a".repeat(300))).expect_err("a refusal");
    let found = error.found.to_string();
    assert!(found.starts_with("`\\u{1b}]0;aaa") && found.ends_with("…`"), "{found}");
    assert!(found.chars().count() < 80, "{found}");
}

#[test]
fn names_are_the_same_only_byte_for_byte() {
    let operator = |issuer, subject| OperatorId::new(issuer, subject).expect("an operator id");
    let ada = operator("https://idp.acme.example", "ada");
    let others = [
        operator("https://idp.acme.example/", "ada"),
        operator("https://IDP.acme.example", "ada"),
        operator("https://idp.acme.example:443", "ada"),
        operator("https://idp.acme.example", "Ada"),
        operator("https://idp.acme.example", "ada."),
        operator("https://idp.acme.example", "#ada"),
    ];
    for other in &others {
        assert_ne!(*other, ada);
        assert_ne!(other.to_string(), ada.to_string());
    }
    let user = |system, handle| AgentUserId::new(system, handle).expect("an agent user id");
    assert_ne!(user("jira", "bot"), user("jira", "Bot"));
    assert_ne!(user("jira", "bot"), user("jira.", "bot"));
    let agent = |subject| AgentId::issued("https://token.ci.example", subject).expect("an agent id");
    assert_ne!(agent("repo"), agent("Repo"));
    assert_ne!(AgentId::spiffe("spiffe://a/b").expect("an id"), AgentId::spiffe("spiffe://a/B").expect("an id"));
}

#[test]
fn names_are_ordered_by_their_parts_not_by_their_text() {
    // `!` comes before `#`, and `-` and `.` before `/`: the texts are the other way round.
    let operator = |issuer| OperatorId::new(issuer, "x").expect("an operator id");
    let user = |system| AgentUserId::new(system, "x").expect("an agent user id");
    let resource = |kind| Resource::new(kind, "x").expect("a resource");
    let (one, other) = (operator("https://a"), operator("https://a!"));
    assert!(one < other && one.as_str() > other.as_str());
    let (one, other) = (user("a"), user("a-"));
    assert!(one < other && one.as_str() > other.as_str());
    let (one, other) = (resource("a"), resource("a-"));
    assert!(one < other && one.as_str() > other.as_str());
    // In base64url, digits are the last values and not the first.
    let agent = |subject| AgentId::issued("https://a", subject).expect("an agent id");
    let (one, other) = (agent("c0"), agent("cA"));
    assert!(one < other && one.as_str() > other.as_str());
    assert!(AgentId::spiffe("spiffe://z/z").expect("an id") < one);
}

#[test]
fn a_map_by_name_is_asked_by_text() {
    let names = ["b", "a", "ab", "A"].map(|name| ToolName::new(name).expect("a tool name"));
    let sorted: BTreeMap<ToolName, usize> = names.iter().cloned().zip(0..).collect();
    let hashed: HashMap<ToolName, usize> = names.iter().cloned().zip(0..).collect();
    for text in ["a", "A", "ab", "b", "", "abc", "not a name"] {
        let place = names.iter().position(|name| name.as_str() == text);
        assert_eq!((sorted.get(text), hashed.get(text)), (place.as_ref(), place.as_ref()), "{text}");
    }
}

#[test]
fn a_pair_is_refused_for_either_of_its_parts() {
    assert_eq!(OperatorId::new("http://idp", "ada").expect_err("an issuer").what, "issuer");
    assert_eq!(OperatorId::new("https://idp", "").expect_err("a subject").what, "subject");
    assert_eq!(AgentId::issued("http://idp", "ada").expect_err("an issuer").what, "issuer");
    assert_eq!(AgentId::issued("https://idp", "a b").expect_err("a subject").what, "subject");
    assert_eq!(AgentUserId::new("Jira", "bot").expect_err("a system").what, "system name");
    assert_eq!(AgentUserId::new("jira", "a/b").expect_err("a handle").what, "handle");
}

#[test]
fn the_json_of_a_name_is_as_strict_as_its_constructor() {
    let operator = |json: &str| serde_json::from_str::<OperatorId>(json);
    assert!(operator(r#"{"iss": "https://idp", "sub": "ada"}"#).is_ok());
    for json in [
        r#"{"iss": "http://idp", "sub": "ada"}"#,
        r#"{"iss": "https://idp", "sub": ""}"#,
        r#"{"iss": "https://idp"}"#,
        r#"{"iss": "https://idp", "sub": "ada", "sub": "bob"}"#,
        r#"{"iss": "https://idp", "sub": "ada", "aud": "x"}"#,
        r#""https://idp#ada""#,
    ] {
        assert!(operator(json).is_err(), "{json}");
    }
    for json in [r#""spiffe://Acme/agent""#, r#""urn:bailiwick:agent:""#, "7", "null"] {
        assert!(serde_json::from_str::<AgentId>(json).is_err(), "{json}");
    }
    let user = |json: &str| serde_json::from_str::<AgentUserId>(json);
    assert!(user(r#"{"system": "jira", "handle": "bot"}"#).is_ok());
    assert!(user(r#"{"system": "jira", "handle": "bot", "agent": "x"}"#).is_err());
}

#[test]
fn an_agent_id_is_read_back_only_from_its_one_text() {
    let issued = AgentId::issued("https://token.ci.example", "repo:acme/app:ref:refs/heads/main").expect("an agent id");
    let text = issued.to_string();
    assert_eq!(text.parse(), Ok(issued));
    let (urn, subject) = text.rsplit_once(':').expect("three parts");
    let bent = [
        text.to_uppercase(),
        format!("{text}="),
        format!("{text}:"),
        format!("{text}:x"),
        format!(" {text}"),
        format!("{urn}:"),
        format!("{urn}{subject}"),
        text.replace("urn:", "URN:"),
        format!("urn:bailiwick:agent:{subject}:{}", urn.trim_start_matches("urn:bailiwick:agent:")),
    ];
    for text in bent {
        let error = text.parse::<AgentId>().expect_err(&text);
        assert_eq!((error.what, error.found), ("agent id", Found::new(&text)));
    }
}

/// Ids from few letters, so that many are nearly the same.
fn agent_ids() -> impl Strategy<Value = AgentId> {
    let issued = ("[a:/.]{1,4}", "[a:/.#]{1,4}")
        .prop_filter_map("an issuer", |(host, subject)| AgentId::issued(&format!("https://{host}"), &subject).ok());
    let spiffe = ("[a.]{1,3}", "[a./]{1,4}")
        .prop_filter_map("a SPIFFE ID", |(domain, path)| AgentId::spiffe(&format!("spiffe://{domain}/{path}")).ok());
    prop_oneof![issued, spiffe]
}

proptest! {
    #[test]
    fn every_agent_id_is_read_back_from_its_text(id in agent_ids()) {
        prop_assert_eq!(id.to_string(), id.as_str());
        prop_assert_eq!(id.to_string().parse::<AgentId>(), Ok(id.clone()));
        let json = serde_json::to_string(&id).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<AgentId>(&json).expect("an agent id"), id);
    }

    #[test]
    fn no_two_agent_ids_share_a_text(one in agent_ids(), other in agent_ids()) {
        prop_assert_eq!(one == other, one.to_string() == other.to_string());
    }

    #[test]
    fn no_text_panics_and_what_is_read_is_written_the_same(text in ".{0,80}") {
        if let Ok(id) = text.parse::<AgentId>() {
            prop_assert_eq!(id.to_string(), text.clone());
        }
        if let Ok(id) = Issuer::new(&text) {
            prop_assert_eq!(id.as_str(), text);
        }
    }
}
