//! Broken glass: what an emergency lets a person do, by name, and loudly.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::audit::Administered;
use crate::authorizer::Authorizer;
use crate::door::Door;
use crate::error::Error;
use crate::id::Prose;
use crate::identity::OperatorSession;
use crate::policy::{AdminAction, On};
use crate::time::Timestamp;

/// How long broken glass is a cover at most.
const GLASS_FOR: Duration = Duration::from_secs(3600);

/// On whose word something is stopped or resumed: a person's session, or the glass that they broke.
#[derive(Debug, Clone, Copy)]
pub struct By<'b> {
    session: &'b OperatorSession,
    glass: Option<&'b BreakGlass>,
}

impl<'b> By<'b> {
    pub(crate) fn session(&self) -> &'b OperatorSession {
        self.session
    }

    pub(crate) fn glass(&self) -> Option<&'b BreakGlass> {
        self.glass
    }
}

impl<'b> From<&'b OperatorSession> for By<'b> {
    fn from(session: &'b OperatorSession) -> Self {
        Self { session, glass: None }
    }
}

impl<'b> From<&'b BreakGlass> for By<'b> {
    fn from(glass: &'b BreakGlass) -> Self {
        Self { session: &glass.session, glass: Some(glass) }
    }
}

/// Broken glass: one person's emergency at one door, for an hour at most. It covers stopping and resuming, and nothing that an agent
/// does.
///
/// Made by [`Authorizer::break_glass`].
pub struct BreakGlass {
    session: OperatorSession,
    why: Prose,
    until: Timestamp,
    /// Where it was broken: it covers nothing elsewhere.
    door: Weak<Door>,
}

impl fmt::Debug for BreakGlass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakGlass")
            .field("operator", self.session.operator())
            .field("why", &self.why)
            .field("until", &self.until)
            .finish()
    }
}

impl BreakGlass {
    /// Why it was broken.
    pub fn why(&self) -> &Prose {
        &self.why
    }

    pub(crate) fn is_of(&self, door: &Door) -> bool {
        std::ptr::eq(self.door.as_ptr(), door)
    }

    /// Until when it is a cover; it is over at this moment.
    pub fn until(&self) -> Timestamp {
        self.until
    }
}

impl Authorizer {
    /// Breaks the glass: for at most an hour of this session, and as far as policies of
    /// [`Administration`](crate::policy::Administration) let it, this person stops agents that are not theirs, and resumes,
    /// without being an administrator. Each use is told as an error to `tracing`, and recorded as an emergency.
    ///
    /// # Errors
    ///
    /// The operator is none of those whom the host [lists](crate::Builder::may_break_glass), the session is over, or the
    /// record was not taken.
    pub fn break_glass(&self, by: &OperatorSession, why: Prose) -> Result<BreakGlass, Error> {
        let now = self.0.allow(by.into(), AdminAction::BreakGlass, On::House, Vec::new())?;
        let until = by.until().min(now.after(GLASS_FOR));
        tracing::error!(operator = %by.operator().id(), %why, %until, "the glass was broken");
        let what = Administered::GlassBroken { why: why.clone(), until };
        self.0.administered(by.into(), None, what, now)?;
        Ok(BreakGlass { session: by.clone(), why, until, door: Arc::downgrade(&self.0) })
    }
}
