//! Drift: what another system made of a record, held against what the record should be. It changes nothing here.

use std::collections::BTreeMap;

use super::patch::{Attribute, Change, Schema, read_patch, read_record};
use super::scim::{AGENT, ENTERPRISE, USER, USER_TYPE};
use super::{ScimError, ScimOp, ScimUser};
use crate::id::Found;
use crate::identity::AgentUser;
use crate::json::Json;

/// Differences of one report at most, the gravest first.
const MAX_DIFFERENCES: usize = 64;

/// How grave a difference is, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// The record does less than it should, or says more than we know of.
    Notice,
    /// People or systems may take the record for something else.
    Warning,
    /// Something can be done as the record that should not be.
    Critical,
}

/// What became of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DriftKind {
    /// It is active, or may be, and its agent is not.
    Reactivated,
    /// It has a way to sign in: a password, a certificate.
    GainedCredential,
    /// It has a role, an entitlement or a group, of which we know none.
    GainedAuthority,
    /// It can be reached, and so perhaps be given a password: a mail address, a phone.
    GainedContact,
    /// It no longer says which agent is behind it.
    Detached,
    /// It looks like a person's: another type, a name, a place in a company.
    Disguised,
    /// It has another handle.
    Renamed,
    /// Somebody else is shown to answer for it.
    OtherManager,
    /// It is gone.
    Deleted,
    /// It is inactive, and its agent is not.
    Deactivated,
    /// It says something that we say nothing of.
    Other,
}

impl DriftKind {
    /// How grave it is.
    pub fn severity(self) -> Severity {
        match self {
            Self::Reactivated | Self::GainedCredential | Self::GainedAuthority => Severity::Critical,
            Self::GainedContact
            | Self::Detached
            | Self::Disguised
            | Self::Renamed
            | Self::OtherManager
            | Self::Deleted => Severity::Warning,
            Self::Deactivated | Self::Other => Severity::Notice,
        }
    }
}

/// One difference: what was done, to which attribute, and what that makes of the record. Values are not kept: one of them
/// may be a password.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// What became of the record.
    pub kind: DriftKind,
    /// What was done.
    pub op: ScimOp,
    /// The attribute, in lower case; none where it was the whole record.
    pub path: Option<Found>,
}

/// What another system made of a record, where that is not what it should be.
///
/// It is a report: the agent, its user here, and what is projected stay as they are.
/// [`Authorizer::drifted`](crate::Authorizer::drifted) writes it down, and [`ScimUser::replace`] puts the record right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    user: AgentUser,
    differences: Vec<Difference>,
    left_out: usize,
}

impl Drift {
    /// Whose record it is.
    pub fn user(&self) -> &AgentUser {
        &self.user
    }

    /// The differences, the gravest first, at most 64.
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// How many more there were, none of them graver.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Whether the record is as it should be.
    pub fn is_none(&self) -> bool {
        self.differences.is_empty()
    }

    /// The gravest of it, if there is any.
    pub fn severity(&self) -> Option<Severity> {
        self.differences.first().map(|difference| difference.kind.severity())
    }

    fn of(user: &ScimUser, mut differences: Vec<Difference>) -> Self {
        differences.sort_by_key(|difference| std::cmp::Reverse(difference.kind.severity()));
        let left_out = differences.len().saturating_sub(MAX_DIFFERENCES);
        differences.truncate(MAX_DIFFERENCES);
        Self { user: user.user().clone(), differences, left_out }
    }
}

/// What comes back.
impl ScimUser {
    /// The other system was told this PATCH by somebody else (RFC 7644, section 3.5.2).
    ///
    /// # Errors
    ///
    /// It is not such a message: at most 64 KiB, 16 levels and 100 operations, nothing named twice, nothing unknown beside
    /// attributes.
    pub fn patched(&self, message: &str) -> Result<Drift, ScimError> {
        let changes = read_patch(message)?;
        Ok(Drift::of(self, changes.iter().filter_map(|change| self.difference(change)).collect()))
    }

    /// The other system was told by somebody else that this is the record, or says that it is (RFC 7644, section 3.5.1).
    ///
    /// # Errors
    ///
    /// It is not a SCIM user, or larger than what [`patched`](Self::patched) reads.
    pub fn replaced(&self, record: &str) -> Result<Drift, ScimError> {
        let changes = read_record(record)?;
        let there = |schema: Schema, name: &str| {
            changes.iter().any(|change| change.at.schema == schema && change.at.name == name)
        };
        let left_out = PROJECTED.iter().filter(|(schema, name)| !there(*schema, name)).map(|(schema, name)| {
            let at = Attribute { schema: *schema, name: (*name).to_owned(), sub: None, filtered: false };
            Change { op: ScimOp::Remove, at, to: None }
        });
        let left_out: Vec<_> = left_out.collect();
        let all = changes.iter().chain(&left_out);
        Ok(Drift::of(self, all.filter_map(|change| self.difference(change)).collect()))
    }

    /// The other system deleted the record (RFC 7644, section 3.6), or has it no more.
    pub fn deleted(&self) -> Drift {
        Drift::of(self, vec![Difference { kind: DriftKind::Deleted, op: ScimOp::Delete, path: None }])
    }

    fn difference(&self, change: &Change) -> Option<Difference> {
        let kind = match change.at.schema {
            // All that a schema says was removed.
            Schema::User if change.at.name.is_empty() => Some(DriftKind::Detached),
            Schema::Agent if change.at.name.is_empty() => Some(DriftKind::Disguised),
            Schema::Enterprise if change.at.name.is_empty() => self.manager().map(|_| DriftKind::OtherManager),
            Schema::User => self.of_user(change),
            Schema::Enterprise => self.of_enterprise(change),
            Schema::Agent => self.of_agent(change),
            Schema::Other => change.set().map(|_| DriftKind::Other),
        }?;
        Some(Difference { kind, op: change.op, path: Some(Found::new(&change.at.to_string())) })
    }

    fn of_user(&self, change: &Change) -> Option<DriftKind> {
        let id = self.user().id();
        match change.at.name.as_str() {
            // The other side's own.
            "id" | "meta" => None,
            "schemas" => of_schemas(change),
            "externalid" => change.unless(|text| text == self.user().agent().as_str(), DriftKind::Detached),
            "username" => change.unless(|text| text.eq_ignore_ascii_case(id.handle().as_str()), DriftKind::Renamed),
            "displayname" => change.unless(|text| text == self.display_name(), DriftKind::Disguised),
            "usertype" => change.unless(|text| text.eq_ignore_ascii_case(USER_TYPE), DriftKind::Disguised),
            "active" => match (self.active(), change.whole().and_then(truth)) {
                (true, Some(true)) | (false, Some(false)) => None,
                (true, _) => Some(DriftKind::Deactivated),
                (false, _) => Some(DriftKind::Reactivated),
            },
            name => {
                let kind = match name {
                    "password" | "x509certificates" => DriftKind::GainedCredential,
                    "roles" | "entitlements" | "groups" => DriftKind::GainedAuthority,
                    "emails" | "phonenumbers" | "ims" | "addresses" => DriftKind::GainedContact,
                    "name" | "nickname" | "profileurl" | "title" | "photos" => DriftKind::Disguised,
                    _ => DriftKind::Other,
                };
                change.set().map(|_| kind)
            }
        }
    }

    fn of_enterprise(&self, change: &Change) -> Option<DriftKind> {
        match (change.at.name.as_str(), change.at.sub.as_deref()) {
            // The other side's own (RFC 7643, section 4.3): it looks them up by the value.
            ("manager", Some("displayname" | "$ref")) => None,
            ("manager", sub) => {
                let to = match change.set().filter(|_| !change.at.filtered) {
                    Some(Json::Record(members)) if sub.is_none() => only_value(members),
                    to => to,
                };
                let same = match (to, self.manager()) {
                    (Some(Json::Text(to)), Some(manager)) => to == manager,
                    (None, None) => change.set().is_none(),
                    _ => false,
                };
                (!same).then_some(DriftKind::OtherManager)
            }
            ("employeenumber" | "costcenter" | "organization" | "division" | "department", _) => {
                change.set().map(|_| DriftKind::Disguised)
            }
            _ => change.set().map(|_| DriftKind::Other),
        }
    }

    fn of_agent(&self, change: &Change) -> Option<DriftKind> {
        let says = |is: bool| change.whole().and_then(truth) == Some(is);
        match change.at.name.as_str() {
            "nonhuman" => (!says(true)).then_some(DriftKind::Disguised),
            "agent" => change.unless(|text| text == self.user().agent().as_str(), DriftKind::Detached),
            "interactivesignin" => (!says(false)).then_some(DriftKind::GainedCredential),
            _ => change.set().map(|_| DriftKind::Other),
        }
    }
}

/// What the record has; what is left out of a whole record was removed.
const PROJECTED: &[(Schema, &str)] = &[
    (Schema::User, "externalid"),
    (Schema::User, "username"),
    (Schema::User, "displayname"),
    (Schema::User, "usertype"),
    (Schema::User, "active"),
    (Schema::Enterprise, "manager"),
    (Schema::Agent, "nonhuman"),
    (Schema::Agent, "agent"),
    (Schema::Agent, "interactivesignin"),
];

impl Change {
    /// What is there afterwards; `null` and an empty list are nothing (RFC 7643, section 2.5).
    fn set(&self) -> Option<&Json> {
        self.to.as_ref().filter(|to| **to != Json::Null && **to != Json::List(Vec::new()))
    }

    /// The same, of the attribute as a whole.
    fn whole(&self) -> Option<&Json> {
        self.set().filter(|_| self.at.sub.is_none() && !self.at.filtered)
    }

    /// This kind of difference, unless the attribute as a whole is such a text.
    fn unless(&self, is_same: impl Fn(&str) -> bool, kind: DriftKind) -> Option<DriftKind> {
        let same = matches!(self.whole(), Some(Json::Text(text)) if is_same(text));
        (!same).then_some(kind)
    }
}

/// The member `value`, in whatever case; none, where there are two that a reader could choose from.
fn only_value(members: &BTreeMap<String, Json>) -> Option<&Json> {
    let mut values = members.iter().filter(|(name, _)| name.eq_ignore_ascii_case("value"));
    let (_, value) = values.next()?;
    values.next().is_none().then_some(value)
}

/// A truth value, which some systems write as a text.
fn truth(json: &Json) -> Option<bool> {
    match json {
        Json::Bool(value) => Some(*value),
        Json::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Json::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn of_schemas(change: &Change) -> Option<DriftKind> {
    let Some(Json::List(schemas)) = change.whole() else {
        return Some(DriftKind::Detached);
    };
    let names = |urn: &str| schemas.iter().any(|one| matches!(one, Json::Text(one) if one.eq_ignore_ascii_case(urn)));
    let ours = [USER, ENTERPRISE, AGENT];
    let missing = change.op != ScimOp::Add && !ours.into_iter().all(names);
    let foreign = schemas
        .iter()
        .any(|one| !matches!(one, Json::Text(one) if ours.iter().any(|urn| one.eq_ignore_ascii_case(urn))));
    match (missing, foreign) {
        (true, _) => Some(DriftKind::Detached),
        (false, true) => Some(DriftKind::Other),
        (false, false) => None,
    }
}
