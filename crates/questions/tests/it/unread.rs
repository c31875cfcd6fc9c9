//! What no part of a question comes from is named.

use sureness_questions::{ClusterBy, LoadOptions, pack};

use crate::common::{load_dataset, plain};

fn unread(name: &str, text: &str, options: &LoadOptions) -> Vec<String> {
    let data = load_dataset(name, text, options).unwrap();
    data.unread.names().to_vec()
}

#[test]
fn keys_and_columns_that_are_not_read_are_named() {
    let row = r#"{"id":1,"Context":"c","question":"q","options":["a","b"],"choices":["x"],"answer":0,"note":"n","empty":null}"#;
    assert_eq!(
        unread("x.jsonl", row, &plain("own")),
        ["Context", "choices", "note"]
    );
    let csv = "question,A,B,answer,context,passage,page,blank\nq,a,b,A,c,p,7,\n";
    assert_eq!(unread("x.csv", csv, &plain("own")), ["passage", "page"]);
    // A column that makes the clusters is read.
    let clustered = LoadOptions {
        cluster: ClusterBy::Column("page".to_owned()),
        ..plain("own")
    };
    assert_eq!(unread("x.csv", csv, &clustered), ["passage"]);
    let paged = row.replace("\"note\"", "\"page\"");
    assert_eq!(
        unread("x.jsonl", &paged, &clustered),
        ["Context", "choices"]
    );
}

#[test]
fn a_passage_that_is_not_a_text_is_not_a_context() {
    let row = r#"{"question":"q","options":["a","b"],"answer":0,"passage":17}"#;
    assert_eq!(unread("x.jsonl", row, &plain("own")), ["passage"]);
}

#[test]
fn a_context_hides_a_passage_only_where_it_holds_something() {
    let csv = "question,A,B,answer,context,passage\nq,a,b,A,c,\nr,a,b,A,,p\n";
    assert!(unread("x.csv", csv, &plain("own")).is_empty());
}

#[test]
fn public_layouts_name_them_too() {
    let hellaswag = r#"{"ind":1,"ctx_a":"c","ctx_b":"d","ctx":"c d","endings":["a","b"],"label":0,"split_type":"x"}"#;
    assert_eq!(unread("x.jsonl", hellaswag, &plain("ci")), ["split_type"]);
    let cosmos =
        "id,context,question,answer0,answer1,answer2,answer3,label,by\nx,c,q,1,2,3,4,0,me\n";
    assert_eq!(unread("x.csv", cosmos, &plain("rc")), ["by"]);
    let paper =
        r#"[{"id":0,"source":"S","question":"q","choices":{"A":"a","B":"b"},"answer":"A"}]"#;
    assert_eq!(unread("x.json", paper, &plain("qa")), ["source"]);
}

#[test]
fn many_names_are_cut_short() {
    let fields: Vec<_> = (0..200).map(|n| format!("\"k{n}\":1,")).collect();
    let fields = fields.concat();
    let row = format!(r#"{{{fields}"question":"q","options":["a","b"],"answer":0}}"#);
    let data = load_dataset("x.jsonl", row, &plain("own")).unwrap();
    let shown = data.unread.to_string();
    assert!(
        shown.starts_with("\"k0\", \"k1\"") && shown.contains(" more"),
        "{shown}"
    );
    assert!(shown.len() < 200, "{shown}");
}

#[test]
fn the_pack_has_nothing_to_name() {
    assert!(pack::dataset("qa", true).unwrap().unread.is_empty());
}
