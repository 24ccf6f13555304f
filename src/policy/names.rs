//! The names of policies: one, and the few that decided.

use std::fmt;
use std::ops::Deref;

use serde::Serialize;
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::id::text;

text! {
    /// The name of a policy: its `@id`, unique in its set.
    PolicyName in SmolStr, "policy id", "1 to 128 printable ASCII characters without spaces",
    |text| crate::id::made_of(text, 128, |b| b.is_ascii_graphic())
}

/// Names of policies in order, each once. Up to four are held without allocating; more are rare.
///
/// ```
/// use bailiwick::policy::{PolicyName, PolicyNames};
///
/// let mut names: PolicyNames = ["reads", "closes", "reads"].into_iter().map(PolicyName::new).collect::<Result<_, _>>()?;
/// names.insert("owns".parse()?);
/// assert_eq!(names, ["closes".parse()?, "owns".parse()?, "reads".parse()?]);
/// # Ok::<(), bailiwick::id::IdError>(())
/// ```
#[derive(Clone, Default, Eq)]
pub struct PolicyNames(SmallVec<[PolicyName; 4]>);

impl PolicyNames {
    /// Adds a name in its place, unless it is there.
    pub fn insert(&mut self, name: PolicyName) {
        if let Err(place) = self.0.binary_search(&name) {
            self.0.insert(place, name);
        }
    }

    /// Adds names. Sorts once, however many there are.
    pub(super) fn insert_all(&mut self, names: impl Iterator<Item = PolicyName>) {
        names.for_each(|name| self.0.push(name));
        if self.0.len() > 1 {
            self.0.sort_unstable();
            self.0.dedup();
        }
    }
}

impl FromIterator<PolicyName> for PolicyNames {
    fn from_iter<I: IntoIterator<Item = PolicyName>>(names: I) -> Self {
        let mut all = Self::default();
        all.insert_all(names.into_iter());
        all
    }
}

impl Deref for PolicyNames {
    type Target = [PolicyName];
    fn deref(&self) -> &[PolicyName] {
        &self.0
    }
}

impl AsRef<[PolicyName]> for PolicyNames {
    fn as_ref(&self) -> &[PolicyName] {
        self
    }
}

impl<'a> IntoIterator for &'a PolicyNames {
    type Item = &'a PolicyName;
    type IntoIter = std::slice::Iter<'a, PolicyName>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// With another of these, or with names in a slice, an array or a vector, in order.
impl<T: AsRef<[PolicyName]> + ?Sized> PartialEq<T> for PolicyNames {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl fmt::Debug for PolicyNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for PolicyNames {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}
