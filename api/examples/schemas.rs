//! Prints what `schemas/` holds, as one JSON object: the name of each file, and what stands in it. `cargo xtask schemas`
//! writes the files, and compares them.

use std::collections::BTreeMap;

use store::messages::Topic;

#[expect(clippy::print_stdout, reason = "a program that is run for what it prints")]
fn main() {
    let mut files = BTreeMap::from([("openapi.json".to_owned(), api::openapi().to_owned())]);
    for topic in Topic::ALL {
        let schema = topic.schema().to_value();
        files.insert(format!("messages/{}.json", topic.name()), format!("{schema:#}\n"));
    }
    println!("{}", serde_json::json!(files));
}
