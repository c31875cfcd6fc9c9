//! A JSON object that notices when it has a key twice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The fields of an object.
#[derive(Debug, Default)]
pub(super) struct Object {
    /// The last value of each key.
    pub(super) fields: Map<String, Value>,
    /// The first key that occurs a second time.
    pub(super) repeated: Option<String>,
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Object::default();
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    if object.fields.contains_key(&key) {
                        object.repeated.get_or_insert_with(|| key.clone());
                    }
                    object.fields.insert(key, value);
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}
