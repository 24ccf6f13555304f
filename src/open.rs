//! Open reading through serde: what a type does not have is looked at for strictness, and ignored.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::value::CowStrDeserializer;
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor};
use smallvec::SmallVec;

use crate::json::{Name, Strict};

/// Members that are ignored.
const MAX_OTHERS: usize = 64;

/// Reads a struct from an object in one go. Members that it does not have are ignored, unless they have a name that must not be
/// there, are named twice, or are not strict JSON. Its own must be strict themselves.
pub(crate) struct Open<D> {
    pub(crate) inner: D,
    pub(crate) never: &'static [&'static str],
    /// How deep the object and what is in it may be.
    pub(crate) depth: usize,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Open<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let within = Strict(self.depth.saturating_sub(1));
        self.inner.deserialize_map(OpenVisitor { visitor, fields, never: self.never, within })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, D::Error> {
        Err(D::Error::custom("only a struct is read openly"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct OpenVisitor<V> {
    visitor: V,
    fields: &'static [&'static str],
    never: &'static [&'static str],
    within: Strict,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for OpenVisitor<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let Self { visitor, fields, never, within } = self;
        visitor.visit_map(OpenMap { map, fields, never, within, others: SmallVec::new() })
    }
}

/// The members that the struct has; the others were looked at.
struct OpenMap<'de, A> {
    map: A,
    fields: &'static [&'static str],
    never: &'static [&'static str],
    within: Strict,
    others: SmallVec<[Cow<'de, str>; 4]>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for OpenMap<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(Name(name)) = self.map.next_key::<Name<'de>>()? {
            if self.fields.contains(&name.as_ref()) {
                let name: CowStrDeserializer<'de, A::Error> = name.into_deserializer();
                return seed.deserialize(name).map(Some);
            }
            let is_full = self.others.len() >= MAX_OTHERS;
            if is_full || self.never.contains(&name.as_ref()) || self.others.contains(&name) {
                return Err(A::Error::custom("a member that must not be there"));
            }
            self.map.next_value_seed(self.within)?;
            self.others.push(name);
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
