//! Every fault in a row names file, line and field, says what is wrong and what to do.

use crate::common::{load_text, plain};
use sureness_hint::Hint;
use sureness_questions::{DataError, Format, LoadOptions};

/// A faulty file and what must be said of it.
struct Case {
    format: Format,
    text: &'static str,
    line: usize,
    field: &'static str,
    says: &'static str,
}

const fn case(
    format: Format,
    text: &'static str,
    line: usize,
    field: &'static str,
    says: &'static str,
) -> Case {
    Case {
        format,
        text,
        line,
        field,
        says,
    }
}

const HEADER: &str = "question,A,B,C,answer\n";

#[test]
// A table, not logic.
#[allow(clippy::too_many_lines)]
fn faults_are_placed() {
    use Format::{
        CosmosQaCsv, CosmosQaJsonl, HaluEvalDialogue, HaluEvalSummarization, HellaSwag, Jsonl,
        Mmlu, Paper,
    };
    let cases = [
        case(
            Mmlu,
            "Q,a,b,c,d,A\nQ,a,b,c,d,E\n",
            2,
            "answer",
            "the answer is \"E\", but the options are A to D",
        ),
        case(
            Mmlu,
            "\"Q\n1\",a,b,c,d,A\n\nQ,a,b,d,A\n",
            4,
            "",
            "expected 6 columns, found 5",
        ),
        case(Mmlu, "Q,a,,c,d,A\n", 1, "options", "option B is empty"),
        case(Mmlu, " ,a,b,c,d,A\n", 1, "question", "empty"),
        case(
            CosmosQaCsv,
            "id,context,question,answer0,answer1,answer3,label\n",
            1,
            "answer2",
            "found \"id\", \"context\"",
        ),
        case(
            CosmosQaCsv,
            "id,context,question,answer0,answer1,answer2,answer3\nx,c,q,1,2,3,4\n",
            1,
            "label",
            "no answer",
        ),
        case(
            CosmosQaCsv,
            "id,context,question,answer0,answer1,answer2,answer3,label\nx,c,q,1,2,3,4,4\n",
            2,
            "label",
            "\"4\", but the options are \"0\", \"1\", \"2\", \"3\"",
        ),
        case(
            CosmosQaCsv,
            "id,context,question,answer0,answer1,answer2,answer3,label\nx,c,q,1,2,3,4,0\nx,c,q,1,2,3,4,0\n",
            3,
            "id",
            "first seen in line 2",
        ),
        case(
            CosmosQaJsonl,
            r#"{"id":"x","context":"c","question":"q","answer0":"1","answer1":"2","answer3":"4","label":0}"#,
            1,
            "answer2",
            "missing; found \"id\"",
        ),
        case(
            CosmosQaJsonl,
            r#"{"id":"x","context":"c","question":"q","answer0":"1","answer1":"2","answer2":"3","answer3":"4"}"#,
            1,
            "label",
            "no answer",
        ),
        case(
            HellaSwag,
            r#"{"ind":1,"ctx":"c","endings":["a","b"],"label":""}"#,
            1,
            "label",
            "no answer",
        ),
        case(
            HellaSwag,
            r#"{"ind":1,"ctx":"c","endings":["a","b"],"label":"2"}"#,
            1,
            "label",
            "\"2\", but the options are \"0\", \"1\"",
        ),
        case(
            HellaSwag,
            r#"{"ind":1,"endings":["a","b"],"label":0}"#,
            1,
            "ctx",
            "missing; found \"ind\", \"endings\", \"label\"",
        ),
        case(
            HellaSwag,
            r#"{"ind":1,"ctx":"c","endings":"a","label":0}"#,
            1,
            "endings",
            "expected an array, found a string",
        ),
        case(
            HaluEvalDialogue,
            r#"{"dialogue_history":"d","right_response":"r"}"#,
            1,
            "hallucinated_response",
            "missing",
        ),
        case(
            HaluEvalDialogue,
            r#"{"dialogue_history":"d","right_response":"r","hallucinated_response":"w"}"#,
            1,
            "",
            "too few different options",
        ),
        case(
            HaluEvalSummarization,
            r#"{"document":"d","right_summary":" ","hallucinated_summary":"w"}"#,
            1,
            "right_summary",
            "empty",
        ),
        case(
            Paper,
            "[\n{\"id\":0,\"question\":\"q\",\"choices\":{\"A\":\"a\",\"B\":\"b\"},\"answer\":\"A\"},\n{\"id\":1,\"question\":\"q\",\n\"choices\":{\"A\":\"a\",\"B\":\"b\"},\"answer\":\"G\"}]",
            3,
            "answer",
            "\"G\", but the options are A to B",
        ),
        case(
            Paper,
            r#"[{"id":0,"question":"q","choices":{"A":"a","C":"b"},"answer":"A"}]"#,
            1,
            "choices",
            "the letters are A, C",
        ),
        case(
            Paper,
            r#"[{"id":0,"question":"q","answer":"A"}]"#,
            1,
            "choices",
            "missing; found \"id\", \"question\", \"answer\"",
        ),
        case(
            Paper,
            r#"[{"id":0,"answer":"A"}]"#,
            1,
            "question",
            "ids and answers",
        ),
        case(Paper, "[\n{\"id\":0,\n]", 3, "", "not valid JSON"),
        case(
            Jsonl,
            "\n{\"question\":\"q\",\"options\":[\"a\",\"b\"]",
            2,
            "",
            "not valid JSON: EOF",
        ),
        case(
            Jsonl,
            "[[]]",
            1,
            "",
            "expected a JSON object, found an array",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":["a",null,"c",null],"answer":"A"}"#,
            1,
            "options",
            "option B is null",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":{"B":null,"A":"a","C":"c"},"answer":"A"}"#,
            1,
            "options",
            "option B is null",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":["a","b",null],"answer":2}"#,
            1,
            "answer",
            "the answer is 2, but the options are A to B",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":["a",{"text":"b"}],"answer":0}"#,
            1,
            "options",
            "option B is an object; expected a string or a number",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":["a",true],"answer":0}"#,
            1,
            "options",
            "option B is true or false",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":[{"label":"A","text":"a"},{"label":"A","text":"b"}],"answer":"A"}"#,
            1,
            "options",
            "two options have the label \"A\"",
        ),
        case(
            Jsonl,
            "{\"question\":\"q\",\"options\":[\"a\",\"b\"],\"answer\":null}",
            1,
            "answer",
            "null, but a value is needed",
        ),
        case(
            Jsonl,
            "{\"question\":\"q\",\"options\":[\"a\",\"b\"],\"answer\":NaN}",
            1,
            "answer",
            "NaN stands here, which is not a value in JSON",
        ),
        case(
            Jsonl,
            "[{\"question\":\"q\",\"options\":[\"a\",\"b\"],\"answer\":0},\n{\"question\":\"NaN\",\"score\":-Infinity}]",
            2,
            "score",
            "-Infinity stands here",
        ),
        case(
            Paper,
            "[\n{\"id\":0,\"question\":\"q\",\"choices\":{\"A\":\"a\",\"B\":NaN},\"answer\":\"A\"}]",
            2,
            "choices",
            "NaN stands here",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":["a"],"answer":0}"#,
            1,
            "options",
            "1 option, but a question has 2 to 26",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":["a","b"," a "],"answer":0}"#,
            1,
            "options",
            "options A and C are the same: \"a\"",
        ),
        case(
            Jsonl,
            r#"{"question":"q","choices":["a",""],"answer":0}"#,
            1,
            "choices",
            "option B is empty",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":["a","b"],"answer":2}"#,
            1,
            "answer",
            "the answer is 2, but the options are A to B",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":["a","b"],"answer":-1}"#,
            1,
            "answer",
            "the answer is -1",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":["a","b"],"answer":0.5}"#,
            1,
            "answer",
            "expected a string, a whole number or a list of them, found a fraction",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":{"x":"1","y":"0"},"answer":0}"#,
            1,
            "answer",
            "both the text of option y and the number of option x",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":{"yes":"x","no":"y"},"answer":"maybe"}"#,
            1,
            "answer",
            "\"maybe\", but the options are \"yes\", \"no\"",
        ),
        case(
            Jsonl,
            r#"{"question":"q","options":["a","b"],"answer":0,"example":"yes"}"#,
            1,
            "example",
            "expected true or false",
        ),
        case(
            Jsonl,
            r#"{"query":"q","options":["a","b"],"answer":0}"#,
            1,
            "question",
            "missing; found \"query\", \"options\", \"answer\"",
        ),
        case(
            Jsonl,
            "{\"id\":1,\"question\":\"q\",\"options\":[\"a\",\"b\"],\"answer\":0}\r\n{\"id\":\"1\",\"question\":\"q\",\"options\":[\"a\",\"b\"],\"answer\":0}",
            2,
            "id",
            "duplicate id \"1\", first seen in line 1",
        ),
    ];
    for case in cases {
        let error = fault(case.format, case.text);
        check(&error, case.text, case.line, case.field, case.says);
    }
}

#[test]
fn faults_in_csv_of_ones_own_are_placed() {
    for (rows, line, field, says) in [
        (
            "q,a,b,c,D\n",
            2,
            "answer",
            "\"D\", but the options are A to C",
        ),
        (
            "q,a,b,,C\n",
            2,
            "answer",
            "\"C\", but the options are A to B",
        ),
        ("q,a,,c,A\n", 2, "options", "option B is empty"),
        ("q,a,,,A\n", 2, "options", "1 option, but"),
        ("q,a,b,b,A\n", 2, "options", "options B and C are the same"),
        ("q,a,b,c,\n", 2, "answer", "no answer"),
        (
            "q,a,b,c,A\n\"q\nq\",a,b,c,A\nq,a,b,c\n",
            5,
            "",
            "expected 5 columns, found 4",
        ),
        ("q,2,1,0,1\n", 2, "", ""),
        (
            "q,1,2,0,1\n",
            2,
            "answer",
            "both the text of option A and the number of option B",
        ),
    ] {
        let text = format!("{HEADER}{rows}");
        if says.is_empty() {
            // Text and index agree: the second of 2, 1, 0 is 1.
            assert!(load_text("x.csv", &text, &plain("mine")).is_ok());
            continue;
        }
        check(&fault(Format::Csv, &text), &text, line, field, says);
    }
    for (header, field, says) in [
        (
            "question,A,B,C",
            "answer",
            "missing; found \"question\", \"A\", \"B\", \"C\"",
        ),
        ("question,A,C,answer", "B", "missing; found"),
        (
            "question,option1,option3,answer",
            "option2",
            "missing; found",
        ),
        ("question,answer", "A", "missing; found"),
        ("query,A,B,answer", "question", "missing; found \"query\""),
        ("question,A,A,answer", "A", "duplicate column"),
    ] {
        check(&fault(Format::Csv, header), header, 1, field, says);
    }
}

fn fault(format: Format, text: &str) -> DataError {
    let options = LoadOptions {
        format: Some(format),
        ..plain("mine")
    };
    match load_text("faulty.txt", text, &options) {
        Ok(_) => panic!("read without complaint: {text}"),
        Err(error) => error,
    }
}

fn check(error: &DataError, text: &str, line: usize, field: &str, says: &str) {
    let message = error.to_string();
    assert!(message.contains("faulty.txt"), "{message}\n{text}");
    assert_eq!(error.line, Some(line), "{message}\n{text}");
    assert_eq!(
        error.field.as_deref().unwrap_or_default(),
        field,
        "{message}\n{text}"
    );
    assert!(message.contains(says), "{message}\n{text}");
    assert!(message.contains(&format!("line {line}")), "{message}");
    assert!(!error.hint().is_empty(), "no hint: {message}");
}

#[test]
fn a_message_reads_like_this() {
    let error = fault(Format::Csv, "question,A,B,answer\nWhat?,yes,no,E\n");
    let message = error.to_string();
    let (_, tail) = message.split_once("faulty.txt").unwrap();
    assert_eq!(
        tail,
        ", line 2, field \"answer\": the answer is \"E\", but the options are A to B"
    );
    assert!(error.hint().contains("letter"));
}
