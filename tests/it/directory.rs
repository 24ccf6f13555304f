//! The directory: groups of agents, teams of people, resources with what is known of them.

use bailiwick::mandate::{Action, ArgumentType, Arguments, Resource};
use bailiwick::policy::{Bundle, Catalog, Directory, DirectoryError, Evaluator, GroupName, PolicyError, ReasonCode};

use crate::steps::{alone, on_behalf};
use crate::world::{World, args, catalog, operator, scope, ticket};

fn group(name: &str) -> GroupName {
    name.parse().expect("a group name")
}

fn owned() -> Catalog {
    let name = |text: &str| text.parse().expect("an attribute name");
    catalog()
        .resource_attribute(name("owner"), ArgumentType::Text)
        .and_then(|catalog| catalog.resource_attribute(name("weight"), ArgumentType::Number))
        .expect("two attributes")
}

fn world(condition: &str, directory: Directory) -> World {
    let policies =
        format!(r#"@id("p") permit(principal, action in Action::"any read", resource) when {{ {condition} }};"#);
    World::under(Evaluator::new(owned(), Bundle::new(&policies).with(directory)).expect("a bundle"))
}

fn answer(world: &World, action: &Action) -> Result<(), ReasonCode> {
    world.task(scope()).authorize(action).map(drop).map_err(|denial| denial.code())
}

#[test]
fn a_policy_sees_the_groups_of_agents_directly_and_through_others() {
    let triage = World::new("").triage;
    let directory =
        || Directory::new().agent(&triage, [group("triagers")]).agent_group(group("triagers"), [group("all")]);
    let read = alone("ticket.read");
    for (name, expected) in [("triagers", Ok(())), ("all", Ok(())), ("payers", Err(ReasonCode::NotPermitted))] {
        let world = world(&format!(r#"principal in AgentGroup::"{name}""#), directory());
        assert_eq!(answer(&world, &read), expected, "{name}");
    }
}

#[test]
fn a_policy_sees_the_teams_of_the_person() {
    let directory =
        || Directory::new().operator(&operator("ada"), [group("support")]).team(group("support"), [group("staff")]);
    for (name, expected) in [("support", Ok(())), ("staff", Ok(())), ("sales", Err(ReasonCode::NotPermitted))] {
        let condition = format!(r#"context has operator && context.operator in Team::"{name}""#);
        let world = world(&condition, directory());
        assert_eq!(answer(&world, &on_behalf(&world.ada, "ticket.read")), expected, "{name}");
        assert_eq!(answer(&world, &alone("ticket.read")), Err(ReasonCode::NotPermitted), "{name}, alone");
    }
}

#[test]
fn a_policy_sees_what_a_resource_is_part_of_and_what_is_known_of_it() {
    let project = Resource::new("project", "apollo").expect("a resource");
    let directory = || {
        Directory::new().resource(&project, Arguments::none(), []).resource(
            &ticket(),
            args(r#"{"owner": "ada", "weight": 2}"#),
            [&project],
        )
    };
    let rows = [
        (r#"resource in Resource::"project/apollo""#, true),
        (r#"resource in Resource::"project/gemini""#, false),
        (r#"resource has owner && resource.owner == "ada""#, true),
        (r#"resource has owner && resource.owner == "bob""#, false),
        (r#"resource has weight && resource.weight.lessThan(decimal("2.5"))"#, true),
        (r#"resource.kind == "ticket" && resource.name == "T-42""#, true),
    ];
    for (condition, permitted) in rows {
        let world = world(condition, directory());
        let expected = if permitted { Ok(()) } else { Err(ReasonCode::NotPermitted) };
        assert_eq!(answer(&world, &alone("ticket.read")), expected, "{condition}");
    }
}

#[test]
fn what_comes_along_of_a_resource_is_declared_and_equal_to_what_is_known() {
    let known = Directory::new().resource(&ticket(), args(r#"{"owner": "ada"}"#), []);
    let rows = [
        ("nothing is known", Directory::new(), r#"{"owner": "ada"}"#, Ok(())),
        ("equal", known.clone(), r#"{"owner": "ada"}"#, Ok(())),
        ("nothing comes along", known.clone(), "{}", Ok(())),
        ("another value", known.clone(), r#"{"owner": "bob"}"#, Err(ReasonCode::ResourceDiffers)),
        ("one more", known.clone(), r#"{"owner": "ada", "weight": 1}"#, Err(ReasonCode::ResourceDiffers)),
        ("one less", known, r#"{"weight": 1}"#, Err(ReasonCode::ResourceDiffers)),
        ("not declared", Directory::new(), r#"{"color": "red"}"#, Err(ReasonCode::ResourceDiffers)),
        ("of another type", Directory::new(), r#"{"owner": 7}"#, Err(ReasonCode::ResourceDiffers)),
        ("reserved", Directory::new(), r#"{"kind": "folder"}"#, Err(ReasonCode::ResourceDiffers)),
    ];
    for (what, directory, attributes, expected) in rows {
        let world = world(
            r#"resource.kind == "ticket" && (if resource has owner then resource.owner == "ada" else true)"#,
            directory,
        );
        let read = alone("ticket.read").of_resource(args(attributes));
        assert_eq!(answer(&world, &read), expected, "{what}");
    }
}

#[test]
fn a_directory_that_contradicts_itself_or_the_catalogue_does_not_load() {
    let load = |directory| Evaluator::new(owned(), Bundle::new("").with(directory)).expect_err("a refusal");
    let circle = Directory::new().team(group("a"), [group("b")]).team(group("b"), [group("a")]);
    assert!(matches!(load(circle), PolicyError::Directory(DirectoryError::Entities(_))));
    let twice = Directory::new().team(group("a"), []).team(group("a"), []);
    assert!(matches!(load(twice), PolicyError::Directory(DirectoryError::Entities(_))));
    for attributes in [r#"{"color": "red"}"#, r#"{"owner": 7}"#, r#"{"name": "x"}"#] {
        let odd = Directory::new().resource(&ticket(), args(attributes), []);
        assert!(matches!(load(odd), PolicyError::Directory(DirectoryError::Attribute { .. })), "{attributes}");
    }
}
