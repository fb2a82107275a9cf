//! Closed sets of words: enums whose values have one name each, in the database and on the wire.

/// Declares such an enum. A value is written once, with its name; reading a name that is not in the list is an error.
/// Documentation of the enum becomes its description in the API.
///
/// `closed! { /// The protocol of a channel. pub enum ChannelKind { Email = "email", .. } }`; further traits are derived
/// by `pub enum Presence: Default { .. }`.
macro_rules! closed {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident $(: $($derived:ident),+)? { $($(#[$meta:meta])* $variant:ident = $wire:literal),+ $(,)? }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord $($(, $derived)+)?)]
        pub enum $name { $($(#[$meta])* $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $wire),+ }
            }
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($wire => Some(Self::$variant),)+ _ => None }
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as ::serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| ::serde::de::Error::unknown_variant(&text, &[$($wire),+]))
            }
        }

        impl ::utoipa::PartialSchema for $name {
            fn schema() -> ::utoipa::openapi::RefOr<::utoipa::openapi::schema::Schema> {
                let lines: &[&str] = &[$($doc),*];
                let text = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n");
                ::utoipa::openapi::ObjectBuilder::new()
                    .schema_type(::utoipa::openapi::schema::Type::String)
                    .description(Some(text).filter(|text| !text.is_empty()))
                    .enum_values(Some(Self::ALL.iter().map(|value| value.as_str())))
                    .build()
                    .into()
            }
        }

        impl ::utoipa::ToSchema for $name {}
    };
}

pub(crate) use closed;

#[cfg(test)]
mod tests {
    use utoipa::{PartialSchema, ToSchema};

    closed! {
        /// What lies
        /// on the table.
        pub enum Fruit: Default {
            Apple = "apple",
            /// Peeled.
            #[default]
            Pear = "fruit.pear",
        }
    }

    #[test]
    fn names_are_the_same_everywhere() {
        assert_eq!(Fruit::ALL, [Fruit::Apple, Fruit::Pear]);
        for fruit in Fruit::ALL {
            assert_eq!(Fruit::parse(fruit.as_str()), Some(*fruit));
            let json = serde_json::to_string(fruit).unwrap();
            assert_eq!(json, format!("\"{}\"", fruit.as_str()));
            assert_eq!(serde_json::from_str::<Fruit>(&json).unwrap(), *fruit);
        }
        assert_eq!((Fruit::parse("pear"), Fruit::default()), (None, Fruit::Pear));
        assert!(serde_json::from_str::<Fruit>("\"pear\"").is_err());
        let keyed = std::collections::BTreeMap::from([(Fruit::Pear, 1)]);
        let json = serde_json::to_string(&keyed).unwrap();
        assert_eq!(json, r#"{"fruit.pear":1}"#);
        assert_eq!(serde_json::from_str::<std::collections::BTreeMap<Fruit, i32>>(&json).unwrap(), keyed);
    }

    #[test]
    fn the_description_of_the_api_lists_them() {
        let schema = serde_json::to_value(Fruit::schema()).unwrap();
        let expected = serde_json::json!({
            "type": "string", "description": "What lies\non the table.", "enum": ["apple", "fruit.pear"],
        });
        assert_eq!((schema, Fruit::name().as_ref()), (expected, "Fruit"));
    }
}
