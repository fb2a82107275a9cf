//! The API description and the gate table say the same, and neither has holes.

use crate::app::TestApp;
use serde_json::Value;
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn every_described_operation_has_a_gate_and_no_schema_is_described_twice() {
    let app = TestApp::new().await;
    assert_eq!(app.assembled.conflicts, Vec::<String>::new());
    let description: Value = serde_json::from_str(&app.assembled.openapi).unwrap();
    let mut dangling = BTreeSet::new();
    references(&description, &mut |name| {
        if description.pointer(name.trim_start_matches('#')).is_none() {
            dangling.insert(name.to_owned());
        }
    });
    assert!(dangling.is_empty(), "{dangling:?}");
    let mut described = BTreeSet::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let gated: BTreeSet<_> =
        app.assembled.table.iter().filter(|e| e.described).map(|e| (e.method.to_string(), e.path.clone())).collect();
    assert_eq!(described, gated);
    assert!(described.len() > 80, "only {} operations", described.len());
}

/// Every `$ref` below a value.
fn references(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match (name.as_str(), inner) {
                    ("$ref", Value::String(target)) => found(target),
                    _ => references(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}
