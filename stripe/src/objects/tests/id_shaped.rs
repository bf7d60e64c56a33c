//! Values that look like a user's id.

use serde_json::{Value, json};

use super::super::id_shaped_values;
use super::found;

#[test]
fn id_shaped_values_are_found_wherever_they_stand() {
    const A: &str = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
    const B: &str = "6F9619FF-8B86-D011-B42D-00C04FC964FF";
    let object = json!({
        "id": "cs_1", "metadata": {"ref": A, "user_id": format!(" {B}\n")}, "custom_fields": [{"text": {"value": A}}],
        "a": "6f9619ff8b86d011b42d00c04fc964ff", "b": format!("{{{A}}}"), "c": format!("{A}-1"), "d": &A[1..],
        "e": "6f9619fg-8b86-d011-b42d-00c04fc964ff", "f": "6f9619ff8-b86-d011-b42d-00c04fc964ff", "g": "----", "h": 1,
        "i": "6f9619f\u{ff}-8b86-d011-b42d-00c04fc964ff",
    });
    let expected = [
        found("custom_fields.0.text.value", A),
        found("metadata.ref", A),
        found("metadata.user_id", B),
    ];
    assert_eq!(Vec::from_iter(id_shaped_values(&object)), expected);
    assert_eq!(Vec::from_iter(id_shaped_values(&json!(A))), [found("", A)]);
}

#[test]
fn id_shaped_values_are_limited_in_number_and_depth() {
    const A: &str = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
    let many: Value = vec![json!(A); 10_000].into();
    assert_eq!(id_shaped_values(&many).len(), 16);

    let under = |key: String| id_shaped_values(&json!({ key: A })).len();
    assert_eq!((under("k".repeat(256)), under("k".repeat(257))), (1, 0));
}
