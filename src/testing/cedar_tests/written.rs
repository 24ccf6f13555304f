//! Tests in the JSON of `cedar run-tests`, by way of Cedar's own reader and writer.

use std::collections::BTreeSet;
use std::error::Error;

use cedar_policy as cedar;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Decision, Test, TestsError};
use crate::policy::Message;
use crate::policy::compiled::{Entities, EntityUid, Record, Request};

/// The JSON of a [`Test`].
#[derive(Serialize, Deserialize)]
pub(super) struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    request: Asked,
    entities: Json,
    decision: Decision,
    reason: BTreeSet<String>,
    num_errors: usize,
}

#[derive(Serialize, Deserialize)]
struct Asked {
    principal: String,
    action: String,
    resource: String,
    context: Json,
}

impl Written {
    pub(super) fn of(test: &Test) -> Result<Self, TestsError> {
        let (request, entities) = test.request.to_cedar().map_err(unwritten)?;
        let uid = |uid: Option<&cedar::EntityUid>| uid.map(ToString::to_string).unwrap_or_default();
        let context = request.context().map(cedar::Context::to_json_value).transpose().map_err(unwritten)?;
        let asked = Asked {
            principal: uid(request.principal()),
            action: uid(request.action()),
            resource: uid(request.resource()),
            context: context.unwrap_or_default(),
        };
        let mut entities: Vec<&cedar::Entity> = entities.iter().collect();
        entities.sort_by_key(|entity| entity.uid());
        Ok(Self {
            name: test.name.clone(),
            request: asked,
            entities: entities.into_iter().map(written).collect::<Result<_, _>>()?,
            decision: test.decision,
            reason: test.reason.clone(),
            num_errors: test.num_errors,
        })
    }

    /// Reads the test with this number.
    pub(super) fn read(self, number: usize) -> Result<Test, TestsError> {
        let unreadable = |what, why| TestsError::Unreadable { number, what, why };
        let refuse = |what| move |why: &dyn Error| unreadable(what, Message::in_full(why));
        let uid = |what, text: &str| {
            let uid: Result<cedar::EntityUid, _> = text.parse();
            uid.map(|uid| EntityUid::from(&uid)).map_err(|error| refuse(what)(&error))
        };
        let Asked { principal, action, resource, context } = self.request;
        let (principal, action) = (uid("principal", &principal)?, uid("action", &action)?);
        let resource = uid("resource", &resource)?;
        let context = cedar::Context::from_json_value(context, None).map_err(|error| refuse("context")(&error))?;
        let context = Record::try_from(&context).map_err(|error| refuse("context")(&error))?;
        if self.entities.is_string() {
            return Err(unreadable("entities", Message::of(&"they are the name of a file")));
        }
        let entities = cedar::Entities::from_json_value(self.entities, None);
        let entities = entities.map_err(|error| refuse("entities")(&error))?;
        let entities = Entities::try_from(&entities).map_err(|error| refuse("entities")(&error))?;
        Ok(Test {
            name: self.name,
            request: Request::new(principal, action, resource, context, entities),
            decision: self.decision,
            reason: self.reason,
            num_errors: self.num_errors,
        })
    }
}

/// An entity, its parents in order.
fn written(entity: &cedar::Entity) -> Result<Json, TestsError> {
    let mut json = entity.to_json_value().map_err(unwritten)?;
    if let Some(parents) = json.get_mut("parents").and_then(Json::as_array_mut) {
        parents.sort_by_key(ToString::to_string);
    }
    Ok(json)
}

fn unwritten(error: impl Error) -> TestsError {
    TestsError::Unwritten(Message::in_full(&error))
}
