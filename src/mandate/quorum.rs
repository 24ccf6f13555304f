//! The quorum: how many people answer for one exact action, and which.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::grant::fewer;
use super::{Action, ActionRequest, Approval, Mandate, Mode, Standing};
use crate::canonical::Encoder;
use crate::identity::OperatorId;
use crate::strict::{Object, is_false, present};
use crate::time::Timestamp;

/// People whose approval one action needs, at most.
pub(super) const MAX_PEOPLE: u8 = 8;
/// People who may be listed.
pub(super) const MAX_LISTED: usize = 32;

/// How many people approve an exact action, which, and how long they have. A [`Grant`](super::Grant) that says so is asked for
/// every call, unless it is preapproved within its bounds.
///
/// Without it one person is asked: the one on whose behalf, or, for an autonomous action, one who approved the task.
///
/// ```
/// use std::time::Duration;
/// use bailiwick::identity::OperatorId;
/// use bailiwick::mandate::{Grant, Quorum, Scope};
///
/// let person = |name| OperatorId::new("https://idp.acme.example", name);
/// let two = Quorum::of(2)?.among_others([person("bob")?, person("carol")?, person("dan")?])?.within(Duration::from_secs(3600));
/// let scope = Scope::new().allow("role.grant", Grant::new().approved_by(two))?;
///
/// // The same, as a person writes it in a file.
/// let written: Scope = serde_json::from_str(r#"{"tools": {"role.grant": {"quorum": {
///     "people": 2, "among": [
///         {"iss": "https://idp.acme.example", "sub": "bob"}, {"iss": "https://idp.acme.example", "sub": "carol"},
///         {"iss": "https://idp.acme.example", "sub": "dan"}
///     ], "apart": true, "within": 3600
/// }}}}"#)?;
/// assert_eq!(scope, written);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Object<Written>")]
pub struct Quorum {
    people: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    among: Option<BTreeSet<OperatorId>>,
    #[serde(skip_serializing_if = "is_false")]
    apart: bool,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<u32>,
}

/// No such quorum could be reached, or none so large is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuorumError {
    /// So many people are none, or too many.
    #[error("1 to {MAX_PEOPLE} people approve an action, not {0}")]
    People(u8),
    /// Fewer people are listed than are to approve, or too many.
    #[error("of {listed} people listed {people} cannot approve; at most {MAX_LISTED} are listed")]
    Listed {
        /// How many are to approve.
        people: u8,
        /// How many are listed.
        listed: usize,
    },
    /// Those who approved the task are left out, and nobody else is listed.
    #[error("apart from those who approved the task, nobody is listed")]
    NobodyElse,
    /// No time to answer.
    #[error("a request that is over at once is answered by nobody")]
    NoTime,
}

/// The JSON of a [`Quorum`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    people: u8,
    #[serde(default, deserialize_with = "present")]
    among: Option<Vec<OperatorId>>,
    #[serde(default)]
    apart: bool,
    #[serde(default, deserialize_with = "present")]
    within: Option<u32>,
}

impl TryFrom<Object<Written>> for Quorum {
    type Error = QuorumError;
    fn try_from(Object(written): Object<Written>) -> Result<Self, QuorumError> {
        let quorum = Self::of(written.people)?;
        let quorum = match (written.among, written.apart) {
            (None, false) => quorum,
            (None, true) => return Err(QuorumError::NobodyElse),
            (Some(among), apart) => {
                let (many, quorum) = (among.len(), quorum.listing(among, apart)?);
                // Who is named twice is still one person.
                match quorum.listed().count() {
                    listed if listed == many => quorum,
                    listed => return Err(QuorumError::Listed { people: written.people, listed }),
                }
            }
        };
        match written.within {
            Some(0) => Err(QuorumError::NoTime),
            within => Ok(Self { within, ..quorum }),
        }
    }
}

impl Quorum {
    /// So many distinct people, of those who approved the task; for an action on somebody's behalf that person is one of them.
    ///
    /// # Errors
    ///
    /// `people` is 0, or more than 8.
    pub fn of(people: u8) -> Result<Self, QuorumError> {
        if !(1..=MAX_PEOPLE).contains(&people) {
            return Err(QuorumError::People(people));
        }
        Ok(Self { people, among: None, apart: false, within: None })
    }

    /// Of these people, whoever approved the task. They must be active when the task begins, and count as long as they are;
    /// nothing is done on behalf of one who did not approve the task.
    ///
    /// # Errors
    ///
    /// They are fewer than are to approve, or more than 32.
    pub fn among(self, people: impl IntoIterator<Item = OperatorId>) -> Result<Self, QuorumError> {
        self.listing(people, false)
    }

    /// Of these people, but of nobody who approved the task, nor the one on whose behalf: separation of duties.
    ///
    /// # Errors
    ///
    /// They are fewer than are to approve, or more than 32.
    pub fn among_others(self, people: impl IntoIterator<Item = OperatorId>) -> Result<Self, QuorumError> {
        self.listing(people, true)
    }

    fn listing(self, people: impl IntoIterator<Item = OperatorId>, apart: bool) -> Result<Self, QuorumError> {
        // One more than may be is enough to see that there are too many.
        let listed: Vec<_> = people.into_iter().take(MAX_LISTED + 1).collect();
        let (many, among) = (listed.len(), BTreeSet::from_iter(listed));
        if many > MAX_LISTED || among.len() < usize::from(self.people) {
            return Err(QuorumError::Listed { people: self.people, listed: among.len() });
        }
        Ok(Self { among: Some(among), apart, ..self })
    }

    /// A request is answered within this time, in whole seconds and one at least; without it, until the task ends.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { within: Some(u32::try_from(time.as_secs()).unwrap_or(u32::MAX).max(1)), ..self }
    }

    /// Who is listed, whether or not they approved the task.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &OperatorId> {
        self.among.iter().flatten()
    }

    /// Whether whatever one grant's quorum lets pass, the wider one's does as well.
    pub(super) fn is_subset(own: Option<&Self>, wider: Option<&Self>) -> bool {
        match (own, wider) {
            (None, wider) => wider.is_none(),
            // Others than those who approved the task would be a door that the wider one does not have.
            (Some(own), None) => own.among.is_none(),
            (Some(own), Some(wider)) => {
                let listed = match (&own.among, &wider.among) {
                    (Some(own), Some(wider)) => own.is_subset(wider),
                    (own, wider) => own.is_none() && wider.is_none(),
                };
                listed && own.people >= wider.people && (own.apart || !wider.apart) && fewer(own.within, wider.within)
            }
        }
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        encoder.tag(self.people).tag(u8::from(self.apart)).tag(u8::from(self.among.is_some()));
        encoder.count(self.among.as_ref().map_or(0, BTreeSet::len));
        for operator in self.listed() {
            encoder.text(operator.as_str());
        }
        super::grant::encode_limit(self.within, encoder);
    }
}

/// Who answers for one action of a task, and how many of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel<'m> {
    mandate: &'m Mandate,
    quorum: Option<&'m Quorum>,
    mode: &'m Mode,
}

impl<'m> Panel<'m> {
    pub(super) fn new(mandate: &'m Mandate, quorum: Option<&'m Quorum>, mode: &'m Mode) -> Self {
        Self { mandate, quorum, mode }
    }

    /// How many people it takes.
    pub(crate) fn people(&self) -> u8 {
        self.quorum.map_or(1, |quorum| quorum.people)
    }

    /// Who has to be one of them, if anybody.
    pub(super) fn needed(&self) -> Option<&'m OperatorId> {
        self.mode.operator().filter(|_| self.quorum.is_none_or(|quorum| quorum.among.is_none()))
    }

    /// Whether this person's answer counts.
    pub(crate) fn has(&self, operator: &OperatorId) -> bool {
        let approved_task = self.mandate.is_approved_by(operator);
        match self.quorum.and_then(|quorum| Some((quorum, quorum.among.as_ref()?))) {
            Some((quorum, among)) => among.contains(operator) && !(quorum.apart && approved_task),
            // Alone, the person on whose behalf answers.
            None if self.people() == 1 => approved_task && self.needed().is_none_or(|needed| needed == operator),
            None => approved_task,
        }
    }

    /// Everybody whose answer counts.
    pub(super) fn members(&self) -> BTreeSet<OperatorId> {
        let listed = self.quorum.into_iter().flat_map(Quorum::listed);
        let all = listed.chain(self.mandate.approvals().iter().map(|approval| approval.operator()));
        all.filter(|operator| self.has(operator)).cloned().collect()
    }

    /// When a request that is made at `now` is over, in a task that ends at `until`.
    pub(super) fn until(&self, now: Timestamp, until: Timestamp) -> Timestamp {
        let within = self.quorum.and_then(|quorum| quorum.within);
        within.map_or(until, |seconds| until.min(now.after(Duration::from_secs(seconds.into()))))
    }

    /// The approvals that count for this request, of each person the first; who is needed comes first.
    fn counted<'a>(
        self,
        action: &'a Action,
        request: &ActionRequest,
        standing: &Standing,
        now: Timestamp,
    ) -> Vec<&'a Arc<Approval>> {
        let mut counted: Vec<&Arc<Approval>> = Vec::new();
        for approval in action.approvals() {
            let operator = approval.operator();
            let counts = approval.is_for(request)
                && approval.is_presentable_at(now)
                && !standing.spent.contains(approval.id())
                && standing.operators.contains(operator)
                && self.has(operator)
                && !counted.iter().any(|one| one.operator() == operator);
            if counts {
                counted.push(approval);
            }
        }
        // The others stay as they came.
        counted.sort_by_key(|approval| self.needed().is_some_and(|needed| approval.operator() != needed));
        counted
    }

    /// The approvals of exactly this action that it takes, or else how many of them there are.
    pub(crate) fn consent<'a>(
        self,
        action: &'a Action,
        request: &ActionRequest,
        standing: &Standing,
        now: Timestamp,
    ) -> Result<Vec<&'a Arc<Approval>>, u8> {
        if action.approvals().is_empty() {
            return Err(0);
        }
        let mut counted = self.counted(action, request, standing, now);
        let has_needed = self.needed().is_none_or(|needed| counted.first().is_some_and(|one| one.operator() == needed));
        // One place is kept for who is needed.
        let places = self.people().saturating_sub(u8::from(!has_needed));
        let given = u8::try_from(counted.len()).unwrap_or(u8::MAX).min(places);
        counted.truncate(given.into());
        if given == self.people() { Ok(counted) } else { Err(given) }
    }
}
