//! Entities and contexts from Cedar's, and values as text: nothing is lost, and what cannot be read is refused.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick::policy::compiled::{Entities, EntitiesError, Entity, EntityUid, Name, Record, Value};
use cedar_policy::{Context, RestrictedExpression};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::dice::Dice;
use super::oracle::{cedar_entities, our_entities};
use super::policies::Style;
use super::scene::Scene;
use super::things::{ATTRIBUTES, KINDS, Thing, UIDS, cedar_pairs, our_record, things};
use crate::any::cases;

type Shown = BTreeMap<String, (Record, BTreeMap<Name, Value>, BTreeSet<EntityUid>)>;

fn shown(entities: &Entities) -> Shown {
    let show = |entity: Entity| {
        let tags = entity.tags().map(|(name, value)| (name.clone(), value.clone())).collect();
        let ancestors = entity.ancestors().iter().cloned().collect();
        (entity.uid().to_string(), (entity.attributes().clone(), tags, ancestors))
    };
    entities.iter().map(show).collect()
}

fn hold(times: u32, law: impl Fn(&mut Dice<'_>) -> Result<(), TestCaseError>) {
    let outcome = TestRunner::new(cases(times)).run(&vec(any::<u8>(), 0..3_000), |bytes| law(&mut Dice::new(&bytes)));
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn entities_come_over_as_they_are() {
    hold(100, |dice| {
        let scene = Scene::of(dice, Style::Typed);
        let (read, made) = (Entities::try_from(&cedar_entities(&scene)).unwrap(), our_entities(&scene));
        prop_assert_eq!(read.len(), scene.entities.len());
        prop_assert_eq!(shown(&read), shown(&made));
        Ok(())
    });
}

#[test]
fn contexts_come_over_as_they_are() {
    hold(200, |dice| {
        let context = things(dice, (ATTRIBUTES, 0), 3);
        let cedar = Context::from_pairs(cedar_pairs(&context)).unwrap();
        prop_assert_eq!(Record::try_from(&cedar).unwrap(), our_record(&context));
        Ok(())
    });
}

#[test]
fn what_is_shown_is_read_by_cedar_as_the_same_value() {
    hold(1_000, |dice| {
        let kind = dice.pick(KINDS);
        let value = Thing::of(dice, kind, 2).ours();
        let text = value.to_string();
        let read: RestrictedExpression =
            text.parse().map_err(|error| TestCaseError::fail(format!("{text}: {error:?}")))?;
        let context = Context::from_pairs([("value".to_owned(), read)]).unwrap();
        let record = Record::try_from(&context).unwrap();
        prop_assert_eq!(record.get("value"), Some(&value), "{}", text);
        Ok(())
    });
}

#[test]
fn uids_come_over_as_they_are() {
    for uid in UIDS {
        assert_eq!(EntityUid::from(&uid.cedar()), uid.ours());
        assert_eq!(uid.ours().to_string().parse::<cedar_policy::EntityUid>().unwrap(), uid.cedar());
    }
}

#[test]
fn what_cannot_be_entities_is_refused() {
    let uid = |id: &str| EntityUid::new(Name::new("Group"), id);
    let entity = |id: &str, parents: &[&str]| {
        Entity::new(uid(id), Record::default()).within(parents.iter().map(|parent| uid(parent)))
    };
    let many: Vec<String> = (0..1_001).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let chain: Vec<Entity> = many.windows(2).map(|pair| entity(pair[0], &pair[1..])).collect();
    let too_many = |id: &str| EntitiesError::TooManyAncestors { uid: uid(id), max: 1_000 };

    assert_eq!(Entities::new([entity("a", &["gone"])]).unwrap().len(), 1);
    assert_eq!(Entities::new([entity("a", &["b", "b"]), entity("b", &[])]).unwrap().len(), 2);
    assert_eq!(Entities::new([entity("x", &many[1..])]).unwrap().len(), 1);
    assert_eq!(Entities::new(chain.clone()).unwrap().len(), 1_000);

    let refused = |entities: Vec<Entity>| Entities::new(entities).unwrap_err();
    assert_eq!(refused(vec![entity("a", &[]), entity("a", &["b"])]), EntitiesError::Duplicate(uid("a")));
    assert_eq!(refused(vec![entity("a", &["a"])]), EntitiesError::Cycle(uid("a")));
    assert!(matches!(refused(vec![entity("a", &["b"]), entity("b", &["a"])]), EntitiesError::Cycle(_)));
    let below = vec![entity("x", &["a"]), entity("a", &["b"]), entity("b", &["c"]), entity("c", &["a"])];
    assert!(matches!(refused(below), EntitiesError::Cycle(_)));
    assert_eq!(refused(vec![entity("x", &many)]), too_many("x"));
    assert_eq!(refused(chain.into_iter().chain([entity("x", &["0"])]).collect()), too_many("x"));
}

#[test]
fn what_cedar_cannot_show_is_refused() {
    // Names that mean something in Cedar's JSON format cannot be written in it.
    let reserved = |name: &str| {
        let inner = RestrictedExpression::new_record([(name.to_owned(), RestrictedExpression::new_long(1))]).unwrap();
        [("value".to_owned(), inner)]
    };
    let uid: cedar_policy::EntityUid = r#"User::"a""#.parse().unwrap();
    for pairs in [reserved("__entity"), reserved("__extn"), reserved("__expr")] {
        let context = Context::from_pairs(pairs.clone()).unwrap();
        assert_eq!(
            Record::try_from(&context).unwrap_err().to_string(),
            "cedar's `context` has a value that is not known here"
        );
        let with = |attributes: Vec<(String, RestrictedExpression)>, tags: Vec<(String, RestrictedExpression)>| {
            let entity = cedar_policy::Entity::new_with_tags(uid.clone(), attributes, None, tags).unwrap();
            let entities = cedar_policy::Entities::from_entities([entity], None).unwrap();
            Entities::try_from(&entities).unwrap_err()
        };
        for error in [with(pairs.to_vec(), vec![]), with(vec![], pairs.to_vec())] {
            assert!(matches!(error, EntitiesError::Unreadable { .. }), "{error}");
        }
    }
}
