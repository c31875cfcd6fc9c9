//! The published JSON Schemas: as the types are, and met by what is written.

mod validate;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sureness_report::export;
use sureness_report::schema::{document_schema, figures_schema, results_schema};
use validate::errors;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema")
}

#[test]
fn published_schemas_are_those_of_the_types() {
    for (name, schema) in [
        ("document", document_schema()),
        ("results", results_schema()),
        ("figures", figures_schema()),
    ] {
        let path = folder().join(format!("{name}.schema.json"));
        let now = format!("{schema:#}\n");
        if std::env::var_os("SURENESS_WRITE_SCHEMAS").is_some() {
            fs::write(&path, &now).unwrap();
        }
        let published = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == now,
            "docs/schema/{name}.schema.json is not what the types say. If they were meant to \
             change, write it anew: SURENESS_WRITE_SCHEMAS=1 cargo test -p sureness-report --test it \
             schema"
        );
    }
}

#[test]
fn a_document_meets_its_schema() {
    let text = export::json(&crate::common::document()).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let schema = document_schema();
    assert_eq!(errors(&schema, &document), Vec::<String>::new());

    // What is wrong is found: a schema that takes anything would be of no use.
    for (pointer, wrong) in [
        ("/version", json!("one")),
        ("/version", json!(-1)),
        ("/sections/0/tables/0/columns/1/unit", json!("furlongs")),
        ("/sections/0/tables/0/rows/0/0", json!({"text": 5})),
        ("/sections/0/charts/0/kind", json!({"pie": {}})),
        ("/sections/0/charts/0/kind/dots/rows/0/value", Value::Null),
        (
            "/sections/0/charts/0/kind/dots/rows/0/interval",
            json!([0.1]),
        ),
        ("/title", Value::Null),
    ] {
        let mut broken = document.clone();
        *broken.pointer_mut(pointer).unwrap() = wrong;
        assert!(!errors(&schema, &broken).is_empty(), "{pointer}");
    }
    let mut broken = document;
    broken.as_object_mut().unwrap().remove("title");
    assert!(!errors(&schema, &broken).is_empty(), "no title");
}

#[test]
fn figures_meet_their_schema() {
    let list = export::figures(&crate::common::document());
    assert!(list.figures.len() > 3, "{list:?}");
    let written = serde_json::to_value(&list).unwrap();
    let schema = figures_schema();
    assert_eq!(errors(&schema, &written), Vec::<String>::new());
    let read: export::FigureList = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(read, list);
    for (pointer, wrong) in [
        ("/figures/0/value", json!("0.5")),
        ("/figures/0/unit", json!("furlongs")),
        ("/figures/0/section", Value::Null),
    ] {
        let mut broken = written.clone();
        *broken.pointer_mut(pointer).unwrap() = wrong;
        assert!(!errors(&schema, &broken).is_empty(), "{pointer}");
    }
}

#[test]
fn results_meet_their_schema() {
    let results: Value = serde_json::from_str(include_str!("data/results.json")).unwrap();
    let schema = results_schema();
    assert_eq!(errors(&schema, &results), Vec::<String>::new());
    // The file is as the program writes it: it reads, and writes the same again.
    let read: sureness_report::Results = serde_json::from_value(results.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), results);

    let mut broken = results;
    broken["models"][0]["groups"][0]["evaluation"]["lac"]["coverage"] = json!("high");
    assert!(!errors(&schema, &broken).is_empty());
}
