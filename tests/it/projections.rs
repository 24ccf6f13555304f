//! What other systems are shown of an agent user: closed shapes, read off its agent at that moment.

use std::collections::BTreeSet;

use bailiwick::Halt;
use bailiwick::identity::projection::{
    Accepts, LegacySurface, ScimId, ScimRequest, ScimUser, Strategy, UserInfo, UserInfoError,
};
use bailiwick::identity::{AgentId, AgentState, AgentUserId, HandleError, Namespace, Registry, RegistryError};
use serde_json::{Value, json};

use crate::world::{OPEN, World, operator};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const AGENT: &str = "urn:bailiwick:scim:schemas:agent:1.0:User";

/// What a record of no person may have (RFC 7643, sections 4.1 and 4.3), and what nobody says who did not sign in
/// (OpenID Connect Core 1.0, sections 2 and 5.1), in lower case.
const FORBIDDEN: &[&str] = &[
    "password",
    "phonenumbers",
    "roles",
    "entitlements",
    "groups",
    "x509certificates",
    "emails",
    "ims",
    "photos",
    "addresses",
    "nickname",
    "profileurl",
    "title",
    "preferredlanguage",
    "locale",
    "timezone",
    "givenname",
    "familyname",
    "middlename",
    "honorificprefix",
    "honorificsuffix",
    "formatted",
    "employeenumber",
    "costcenter",
    "organization",
    "division",
    "department",
    "acr",
    "amr",
    "auth_time",
    "azp",
    "nonce",
    "at_hash",
    "c_hash",
    "sid",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "given_name",
    "family_name",
    "middle_name",
    "gender",
    "birthdate",
    "picture",
    "profile",
    "website",
    "zoneinfo",
    "address",
    "updated_at",
    "iss",
    "aud",
    "exp",
    "iat",
];

/// Every member's name, at any depth.
fn members(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(object) => object.iter().fold(BTreeSet::new(), |mut names, (name, value)| {
            names.insert(name.clone());
            names.extend(members(value));
            names
        }),
        Value::Array(items) => items.iter().flat_map(members).collect(),
        _ => BTreeSet::new(),
    }
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}

fn body(request: &ScimRequest) -> Value {
    serde_json::from_str(request.body()).expect("JSON")
}

fn scim(world: &World) -> ScimUser {
    ScimUser::of(&world.registry, &world.triage_bot).expect("a bound agent user")
}

#[test]
fn a_scim_user_says_that_it_is_an_agents_and_which() {
    let world = World::new(OPEN);
    let expected = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE, AGENT],
        "externalId": "spiffe://acme.example/agent/triage",
        "userName": "triage-bot",
        "displayName": "triage-bot (AI agent)",
        "userType": "Agent",
        "active": true,
        ENTERPRISE: { "manager": { "value": "https://idp.acme.example#ada", "displayName": "ada" } },
        AGENT: { "nonHuman": true, "agent": "spiffe://acme.example/agent/triage", "interactiveSignIn": false },
    });
    assert_eq!(json(&scim(&world)), expected);
    let known = scim(&world).sponsor_known_as(ScimId::new("2819c223").expect("an id"));
    assert_eq!(json(&known)[ENTERPRISE]["manager"]["value"], "2819c223");
}

#[test]
fn no_projection_has_a_member_that_is_a_persons_or_a_credentials() {
    let world = World::new(OPEN);
    let claims = UserInfo::of(&world.registry, &world.triage_bot).expect("an active agent");
    let user = members(&json(&scim(&world)));
    // The manager's value and display name are the sponsor's; nothing else here has a name of a person.
    for (shown, names) in [("SCIM", &user), ("claims", &members(&json(&claims)))] {
        let forbidden: Vec<_> =
            names.iter().filter(|name| FORBIDDEN.contains(&name.to_ascii_lowercase().as_str())).collect();
        assert!(forbidden.is_empty(), "{shown}: {forbidden:?}");
    }
    // `name` with a person's parts is SCIM's; `name` as one text is a claim.
    assert!(!user.contains("name"));
    let all = ["sub", "sub_profile", "name", "preferred_username", "agent_user", "system", "handle"];
    assert_eq!(members(&json(&claims)), all.map(str::to_owned).into());
}

#[test]
fn a_record_is_active_exactly_as_long_as_its_agent_is() {
    let world = World::new(OPEN);
    let before = scim(&world);
    world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
    assert!(!scim(&world).active() && json(&scim(&world))["active"] == false, "at once");
    assert!(before.active(), "what was projected was true then");
    assert!(
        ScimUser::of(&world.registry, &world.payer_bot).expect("a bound agent user").active(),
        "of this agent only"
    );

    world.door.retire(&world.ada, &world.payer).expect("an end");
    let retired = ScimUser::of(&world.registry, &world.payer_bot).expect("a bound agent user");
    assert_eq!((retired.active(), retired.sponsor()), (false, Some(&operator("ada"))), "somebody still answers for it");
    let id = ScimId::new("7").expect("an id");
    assert_eq!(
        body(&retired.set_active(&id))["Operations"],
        json!([{ "op": "replace", "path": "active", "value": false }])
    );
}

#[test]
fn nobody_who_left_is_shown_as_the_manager() {
    let world = World::new(OPEN);
    let _ = world.door.offboard(&world.bob, &operator("ada")).expect("Ada leaves");
    let shown = scim(&world);
    assert_eq!((shown.active(), shown.sponsor()), (false, None));
    assert_eq!(json(&shown)[ENTERPRISE], json!({}));
}

#[test]
fn requests_are_what_the_protocol_says() {
    let world = World::new(OPEN);
    let (user, id) = (scim(&world), ScimId::new("2819c223-7f76").expect("an id"));
    let rows = [
        (user.create(), "POST", "/Users", json(&user)),
        (user.replace(&id), "PUT", "/Users/2819c223-7f76", json(&user)),
        (
            user.set_active(&id),
            "PATCH",
            "/Users/2819c223-7f76",
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{ "op": "replace", "path": "active", "value": true }],
            }),
        ),
    ];
    for (request, method, path, sent) in rows {
        assert_eq!((request.method(), request.path()), (method, path));
        assert_eq!(body(&request), sent, "{method}");
    }
}

#[test]
fn what_we_send_is_no_drift() {
    let world = World::new(OPEN);
    let id = ScimId::new("7").expect("an id");
    for _ in 0..2 {
        let user = scim(&world);
        assert!(user.replaced(user.create().body()).expect("a record").is_none());
        assert!(user.replaced(user.replace(&id).body()).expect("a record").is_none());
        assert!(user.patched(user.set_active(&id).body()).expect("a patch").is_none());
        let _ = world.door.halt(&world.ada, Halt::Agent(world.triage.clone()));
    }
}

#[test]
fn an_id_leads_nowhere_else() {
    for text in ["7", "2819c223-7f76-453a", "urn:x:1", "a@b", "..."] {
        let valid = text != "...";
        assert_eq!(ScimId::new(text).is_ok(), valid, "{text}");
    }
    for text in ["", ".", "..", "a/b", "../x", "a?b", "a#b", "%2e", "a b", "a\n"] {
        assert!(ScimId::new(text).is_err(), "{text:?}");
    }
}

#[test]
fn another_registrys_agent_user_is_not_shown() {
    let (world, other) = (World::new(OPEN), World::new(OPEN));
    let refused = ScimUser::of(&world.registry, &other.triage_bot);
    assert_eq!(refused, Err(HandleError::NotBound(other.triage_bot.id().clone())));
    let refused = UserInfo::of(&world.registry, &other.triage_bot).expect_err("bound elsewhere");
    assert_eq!(refused, RegistryError::from(HandleError::NotBound(other.triage_bot.id().clone())).into());
}

#[test]
fn claims_name_the_agent_as_the_subject_and_only_while_it_is_active() {
    let world = World::new(OPEN);
    let claims = UserInfo::of(&world.registry, &world.triage_bot).expect("an active agent");
    assert_eq!(claims.subject().as_str(), world.triage.as_str());
    world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
    let refused = UserInfo::of(&world.registry, &world.triage_bot).expect_err("a suspended agent");
    let state = AgentState::Suspended;
    assert_eq!(refused, RegistryError::AgentNotActive { agent: world.triage.clone(), state }.into());

    let long = AgentId::spiffe(&format!("spiffe://acme.example/{}", "a".repeat(300))).expect("a SPIFFE ID");
    world.registry.register(long.clone(), [operator("ada")]).expect("a new agent");
    let user = AgentUserId::new("jira.acme.example", "long-bot").expect("an agent user id");
    let user = world.registry.bind(&long, user).expect("a free handle");
    let refused = UserInfo::of(&world.registry, &user).expect_err("a long name");
    assert!(matches!(&refused, UserInfoError::Subject(error) if error.what == "subject"), "{refused}");
}

#[test]
fn a_surface_is_met_with_what_says_most_clearly_that_it_is_an_agent() {
    use Accepts::{Nothing, Person, Record, ServiceAccount};
    let rows: &[(&[Accepts], Strategy, Strategy)] = &[
        // What it accepts, then the strategy without and with a namespace for agents.
        (&[Nothing], Strategy::WithoutUser, Strategy::WithoutUser),
        (&[ServiceAccount], Strategy::ServiceAccount, Strategy::ServiceAccount),
        (&[Record], Strategy::ByAPerson, Strategy::Record),
        (&[Person], Strategy::ByAPerson, Strategy::MarkedRecord),
        (&[Person, Record], Strategy::ByAPerson, Strategy::Record),
        (&[Person, ServiceAccount], Strategy::ServiceAccount, Strategy::ServiceAccount),
        (&[Record, ServiceAccount], Strategy::ServiceAccount, Strategy::ServiceAccount),
        (&[Person, Record, ServiceAccount, Nothing], Strategy::WithoutUser, Strategy::WithoutUser),
        (&[], Strategy::ByAPerson, Strategy::ByAPerson),
    ];
    let covered: BTreeSet<Accepts> = rows.iter().flat_map(|(accepts, ..)| accepts.iter().copied()).collect();
    assert_eq!(covered, BTreeSet::from(Accepts::ALL));
    let (bare, declared) = (Registry::new(), Registry::new());
    bare.declare(Namespace::suffix("other.acme.example", "-bot").expect("a namespace"));
    declared.declare(Namespace::suffix("jira.acme.example", "-bot").expect("a namespace"));
    for (accepts, without, with) in rows {
        let surface = LegacySurface::new("jira.acme.example".parse().expect("a system"), accepts.iter().copied());
        assert_eq!((surface.strategy(&bare), surface.strategy(&declared)), (*without, *with), "{accepts:?}");
        let presents = matches!(with, Strategy::Record | Strategy::MarkedRecord);
        assert_eq!(with.presents_user(), presents, "{with}");
    }
}
