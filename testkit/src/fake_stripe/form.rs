//! Forms with brackets, as Stripe's API takes them: `items[0][price]=p&expand[]=customer` becomes a tree.

use serde_json::{Map, Value};

/// How deep brackets may nest. Stripe's own parameters stay below ten.
const DEPTH_MAX: usize = 20;

/// The tree that these pairs spell; leaves are text.
pub(super) fn tree(pairs: Vec<(String, String)>) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, value) in pairs {
        let path: Vec<&str> = name.split('[').map(|part| part.trim_end_matches(']')).collect();
        if path.len() <= DEPTH_MAX {
            insert(&mut root, &path, value);
        }
    }
    with_lists(root)
}

fn insert(node: &mut Value, path: &[&str], value: String) {
    let Some((first, rest)) = path.split_first() else {
        *node = Value::String(value);
        return;
    };
    if !node.is_object() {
        *node = Value::Object(Map::new());
    }
    if let Value::Object(map) = node {
        let name = if first.is_empty() { map.len().to_string() } else { (*first).to_owned() };
        insert(map.entry(name).or_insert(Value::Null), rest, value);
    }
}

/// What is named by numbers alone is a list.
fn with_lists(node: Value) -> Value {
    let Value::Object(map) = node else { return node };
    let mut numbered: Vec<(Option<u32>, String, Value)> =
        map.into_iter().map(|(name, value)| (name.parse().ok(), name, with_lists(value))).collect();
    if !numbered.is_empty() && numbered.iter().all(|(number, ..)| number.is_some()) {
        numbered.sort_by_key(|(number, ..)| *number);
        return Value::Array(numbered.into_iter().map(|(_, _, value)| value).collect());
    }
    Value::Object(numbered.into_iter().map(|(_, name, value)| (name, value)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::tree;

    #[test]
    fn brackets_become_a_tree() {
        let pairs = [
            ("amount", "100"),
            ("line_items[1][price]", "price_b"),
            ("line_items[0][price]", "price_a"),
            ("line_items[0][quantity]", "2"),
            ("expand[]", "customer"),
            ("expand[]", "latest_charge"),
            ("metadata[user_id]", "u_1"),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert_eq!(
            tree(pairs),
            json!({
                "amount": "100",
                "line_items": [{ "price": "price_a", "quantity": "2" }, { "price": "price_b" }],
                "expand": ["customer", "latest_charge"],
                "metadata": { "user_id": "u_1" },
            })
        );
    }
}
