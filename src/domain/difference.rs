//! What changed between two documents, field by field, for a person to read: [`difference`].
//!
//! It compares JSON, so that it serves a record, a draft and a file alike. An object is compared by its fields, which
//! makes a text in several languages a change per language. A list of plain values is a set to a reader: its changes are
//! the members that came and went. A list of objects is matched by what names them (an id, a name), else by place, so
//! that a distribution put in front does not look like a change of all that follow. It is pure, and empty exactly where
//! the two are equal.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where, as a JSON pointer (RFC 6901). It resolves in the document that has the value: in the one before for what
    /// was removed, in the one after for all else.
    pub pointer: String,
    /// What stood there; nothing where it was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What stands there; nothing where it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The fields that name an object in a list, first choice first.
const NAMES: [&str; 5] = ["id", "iri", "name", "tokenizer", "start"];

/// What differs between two documents, in the order of their fields; empty where they are equal.
pub fn difference(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(&mut String::new(), before, after, &mut changes);
    changes
}

fn compare(at: &mut String, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(before), Value::Object(after)) => fields(at, before, after, changes),
        (Value::Array(old), Value::Array(new)) => {
            let found = changes.len();
            if old.iter().chain(new).any(|member| member.is_object() || member.is_array()) {
                objects(at, old, new, changes);
            } else {
                members(at, old, new, changes);
            }
            // The same members in another order: only the list as a whole can say that.
            if changes.len() == found {
                push(at, Some(before), Some(after), changes);
            }
        }
        _ => push(at, Some(before), Some(after), changes),
    }
}

fn push(at: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    changes.push(Change { pointer: at.to_owned(), before: before.cloned(), after: after.cloned() });
}

/// Does something one step further down the pointer.
fn below(at: &mut String, step: &str, then: impl FnOnce(&mut String)) {
    let length = at.len();
    at.push('/');
    at.push_str(&step.replace('~', "~0").replace('/', "~1"));
    then(at);
    at.truncate(length);
}

fn fields(at: &mut String, before: &Map<String, Value>, after: &Map<String, Value>, changes: &mut Vec<Change>) {
    for (name, old) in before {
        below(at, name, |at| match after.get(name) {
            Some(new) => compare(at, old, new, changes),
            None => push(at, Some(old), None, changes),
        });
    }
    for (name, new) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        below(at, name, |at| push(at, None, Some(new), changes));
    }
}

/// Plain values: which came, which went. A value that stands twice is two members.
fn members(at: &mut String, before: &[Value], after: &[Value], changes: &mut Vec<Change>) {
    // Sorted places of equal values beside each other, so that long lists stay cheap.
    let ordered = |list: &[Value]| {
        let mut keys: Vec<(String, usize)> = list.iter().map(ToString::to_string).zip(0..).collect();
        keys.sort_unstable();
        keys
    };
    let (old, new) = (ordered(before), ordered(after));
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    loop {
        match (old.peek(), new.peek()) {
            (Some((a, _)), Some((b, _))) if a == b => {
                old.next();
                new.next();
            }
            (Some((a, place)), Some((b, _))) if a < b => {
                removed.push(*place);
                old.next();
            }
            (Some((_, place)), None) => {
                removed.push(*place);
                old.next();
            }
            (_, Some((_, place))) => {
                added.push(*place);
                new.next();
            }
            (None, None) => break,
        }
    }
    removed.sort_unstable();
    added.sort_unstable();
    for place in removed {
        below(at, &place.to_string(), |at| push(at, Some(&before[place]), None, changes));
    }
    for place in added {
        below(at, &place.to_string(), |at| push(at, None, Some(&after[place]), changes));
    }
}

/// Objects: those of the same name are compared with each other, else those of the same place.
fn objects(at: &mut String, before: &[Value], after: &[Value], changes: &mut Vec<Change>) {
    let Some(key) = NAMES.into_iter().find(|key| names_all(key, before) && names_all(key, after)) else {
        for place in 0..before.len().max(after.len()) {
            below(at, &place.to_string(), |at| match (before.get(place), after.get(place)) {
                (Some(old), Some(new)) => compare(at, old, new, changes),
                (old, new) => push(at, old, new, changes),
            });
        }
        return;
    };
    let placed = |list: &[Value]| -> std::collections::BTreeMap<String, usize> {
        list.iter().map(|member| member[key].to_string()).zip(0..).collect()
    };
    let (old_places, new_places) = (placed(before), placed(after));
    for (place, old) in before.iter().enumerate() {
        if !new_places.contains_key(&old[key].to_string()) {
            below(at, &place.to_string(), |at| push(at, Some(old), None, changes));
        }
    }
    for (place, new) in after.iter().enumerate() {
        below(at, &place.to_string(), |at| match old_places.get(&new[key].to_string()) {
            Some(old) => compare(at, &before[*old], new, changes),
            None => push(at, None, Some(new), changes),
        });
    }
}

/// Whether every member has a plain value of its own under a key.
fn names_all(key: &str, list: &[Value]) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    list.iter().all(|member| match member.get(key) {
        Some(Value::Object(_) | Value::Array(_) | Value::Null) | None => false,
        Some(name) => seen.insert(name.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn told(before: Value, after: Value) -> Vec<(String, Option<Value>, Option<Value>)> {
        difference(&before, &after).into_iter().map(|change| (change.pointer, change.before, change.after)).collect()
    }

    #[test]
    fn a_field_that_changed_came_or_went_is_named_by_its_pointer() {
        assert_eq!(
            told(json!({"issued": "2024-01-01", "version": "1"}), json!({"a/b~c": true, "version": "2"})),
            [
                ("/issued".to_owned(), Some(json!("2024-01-01")), None),
                ("/version".to_owned(), Some(json!("1")), Some(json!("2"))),
                ("/a~1b~0c".to_owned(), None, Some(json!(true))),
            ]
        );
    }

    #[test]
    fn a_text_changes_in_the_language_that_changed() {
        assert_eq!(
            told(json!({"title": {"en": "Birds", "fi": "Linnut"}}), json!({"title": {"en": "Bees", "fi": "Linnut"}})),
            [("/title/en".to_owned(), Some(json!("Birds")), Some(json!("Bees")))]
        );
    }

    #[test]
    fn a_list_of_plain_values_tells_the_members_that_came_and_went() {
        assert_eq!(
            told(json!({"themes": ["a", "b", "c", "c"]}), json!({"themes": ["x", "a", "c"]})),
            [
                ("/themes/1".to_owned(), Some(json!("b")), None),
                ("/themes/3".to_owned(), Some(json!("c")), None),
                ("/themes/0".to_owned(), None, Some(json!("x"))),
            ]
        );
        let (old, new) = (json!(["a", "b"]), json!(["b", "a"]));
        assert_eq!(told(old.clone(), new.clone()), [(String::new(), Some(old), Some(new))]);
    }

    #[test]
    fn objects_of_a_list_are_known_again_by_their_name() {
        let before = json!([{"id": "csv", "bytes": 1}, {"id": "old", "bytes": 3}]);
        let after = json!([{"id": "parquet", "bytes": 9}, {"id": "csv", "bytes": 2}]);
        assert_eq!(
            told(before, after),
            [
                ("/1".to_owned(), Some(json!({"id": "old", "bytes": 3})), None),
                ("/0".to_owned(), None, Some(json!({"id": "parquet", "bytes": 9}))),
                ("/1/bytes".to_owned(), Some(json!(1)), Some(json!(2))),
            ]
        );
        assert_eq!(
            told(json!([{"place": {"x": 1}}]), json!([{"place": {"x": 2}}, {}])),
            [("/0/place/x".to_owned(), Some(json!(1)), Some(json!(2))), ("/1".to_owned(), None, Some(json!({}))),]
        );
    }

    fn document() -> impl Strategy<Value = Value> {
        let plain = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..4_i64).prop_map(Value::from),
            "[abc]{0,2}".prop_map(Value::from),
        ];
        plain.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("(id|name|[a~/]{1,2})", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_empty_exactly_where_the_two_are_equal(a in document(), b in document()) {
            prop_assert!(difference(&a, &a).is_empty());
            prop_assert_eq!(difference(&a, &b).is_empty(), a == b);
        }

        #[test]
        fn each_change_stands_where_it_says(a in document(), b in document()) {
            for change in difference(&a, &b) {
                prop_assert_ne!(&change.before, &change.after);
                match &change.after {
                    Some(after) => prop_assert_eq!(b.pointer(&change.pointer), Some(after)),
                    None => prop_assert_eq!(a.pointer(&change.pointer), change.before.as_ref()),
                }
            }
        }

        #[test]
        fn backwards_as_much_comes_and_goes_the_other_way_round(a in document(), b in document()) {
            let sides = |changes: Vec<Change>, swapped: bool| {
                let mut sides: Vec<String> = changes
                    .into_iter()
                    .map(|c| if swapped { (c.after, c.before) } else { (c.before, c.after) })
                    .map(|side| format!("{side:?}"))
                    .collect();
                sides.sort();
                sides
            };
            prop_assert_eq!(sides(difference(&a, &b), false), sides(difference(&b, &a), true));
        }
    }
}
