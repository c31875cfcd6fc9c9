//! Saved logits: tables with their own answers, and the paper's pickles.

use serde_json::{Value, json};
use sureness_importers::{Format, Options, Values, import};
use sureness_testkit::shared;

use super::common::{Folder, imported, named, refused, with};

fn task(task: &str) -> Options {
    Options {
        task: Some(task.to_owned()),
        ..Options::default()
    }
}

#[test]
fn a_table_with_its_own_answers() {
    let folder = Folder::new();
    let csv = "id,question,answer,category,A,B,C\n\
               1,\"two\nlines\",A,law,2.5,0,-1\n\
               2,one line,2,art,2.5,0,-1\n";
    let lines = "{\"id\": 1, \"answer\": \"A\", \"category\": \"law\", \"logits\": [2.5, 0, -1]}\n\n\
                 {\"id\": 2, \"answer\": 2, \"category\": \"art\", \"logits\": [2.5, 0, -1]}\n";
    let paths = [folder.write("m.csv", csv), folder.write("m.jsonl", lines)];
    let mut all = Vec::new();
    for path in &paths {
        let import = with(path, &task("t")).remove(0);
        assert_eq!(
            (&*import.model.name, &*import.task, &*import.strategy),
            ("m", "t", "imported")
        );
        assert_eq!(
            (import.format, import.values),
            (Format::Table, Values::Logits)
        );
        assert_eq!(import.accuracy(), Some(0.5));
        let row = &import.rows[1];
        assert_eq!(
            (
                &*row.question.id,
                row.question.right.only().unwrap(),
                row.question.category.as_deref()
            ),
            ("2", 2, Some("art"))
        );
        let scores = row.scores.as_ref().unwrap();
        assert_eq!(
            (scores.logprobs.as_slice(), scores.mass),
            ([2.5, 0.0, -1.0].as_slice(), None)
        );
        all.push(import.rows[0].question.content);
    }
    assert_eq!(all[0], all[1]);
    assert!(refused(&paths[0], &Options::default()).contains("the task's name is missing"));
}

#[test]
fn several_models_and_tasks_in_one_file() {
    let folder = Folder::new();
    let csv = "model,task,strategy,id,answer,logprob_a,logprob_b\n\
               one,x,base,1,A,-0.1,-3\n\
               two,x,base,1,A,-3,-0.1\n\
               one,y,base,1,B,-0.2,-3\n\
               one,x,base,2,B,-0.1,-3\n";
    let imports = imported(&folder.write("all.csv", csv));
    let names: Vec<_> = imports
        .iter()
        .map(|it| (&*it.model.name, &*it.task, it.rows.len()))
        .collect();
    assert_eq!(names, [("one", "x", 2), ("two", "x", 1), ("one", "y", 1)]);
    assert_eq!(imports[0].values, Values::Labels);
    let mass = imports[0].rows[0].scores.as_ref().unwrap().mass.unwrap();
    assert!((mass - ((-0.1_f64).exp() + (-3.0_f64).exp())).abs() < 1e-6);
    // The same question of two models has one digest, and another in another task.
    assert_eq!(
        imports[0].rows[0].question.cluster, None,
        "the file has no texts"
    );
    assert_eq!(
        imports[0].rows[0].question.content,
        imports[1].rows[0].question.content
    );
    assert_ne!(
        imports[0].rows[0].question.content,
        imports[2].rows[0].question.content
    );
}

#[test]
fn errors_name_the_line_of_the_whole_file() {
    let folder = Folder::new();
    let csv = "model,task,id,answer,A,B\n\
               one,x,1,A,1,2\n\
               two,x,1,A,1,2\n\
               one,x,2,A,1,2\n\
               two,x,2,A,1,NaN\n";
    let said = refused(&folder.write("all.csv", csv), &Options::default());
    assert!(said.contains("all.csv, line 5: value 2 is NaN"), "{said}");
    let said = refused(
        &folder.write("all.csv", csv.replace("2,A,1,NaN", "1,A,1,2")),
        &Options::default(),
    );
    assert!(
        said.contains("all.csv, line 5, field \"id\": duplicate id 1, first seen in line 3"),
        "{said}"
    );
    for (from, to, expected) in [
        (
            "one,x,2,A",
            "one,x,2,",
            "all.csv, line 4, field \"answer\": the right answer is missing",
        ),
        (
            "one,x,2,A",
            "one,x,2,C",
            "line 4, field \"answer\": the answer C is not one of the 2",
        ),
        (
            "one,x,2,A",
            "one,x,2,yes",
            "the answer yes is not one of the 2 options",
        ),
    ] {
        let text = csv.replace("NaN", "3").replace(from, to);
        let said = refused(&folder.write("all.csv", text), &Options::default());
        assert!(said.contains(expected), "{expected:?} is not in: {said}");
    }
    let lines =
        "{\"id\": 1, \"answer\": \"A\", \"logits\": [1, 2]}\n{\"id\": 2, \"logits\": [1, 2]}\n";
    let said = refused(&folder.write("m_d_base.jsonl", lines), &Options::default());
    assert!(
        said.contains("line 2, field \"answer\": the right answer is missing"),
        "{said}"
    );
    let lines = "{\"id\": 1, \"answer\": \"A\", \"logits\": [1, 2]}\n{\"id\": 2, \"answer\": [[0]], \"logits\": [1, 2]}\n";
    let said = refused(&folder.write("m_d_base.jsonl", lines), &Options::default());
    assert!(
        said.contains("line 2, field \"answer\": expected a list of letters or numbers, found"),
        "{said}"
    );
}

#[test]
fn answers_from_a_file_of_questions() {
    let folder = Folder::new();
    let questions: Vec<Value> = (0..20)
        .map(|id| {
            json!({"id": id, "question": format!("Q{id}?"), "category": "law", "answer": "B",
                "context": "", "choices": {"A": "x", "B": "y", "C": "I don't know"}})
        })
        .collect();
    let questions = folder.write("questions.json", json!(questions).to_string());
    let csv = (0..20).fold("id,A,B,C\n".to_owned(), |text, id| {
        format!("{text}{id},1,2,0\n")
    });
    let path = folder.write("m_mmlu_10k_base_icl0.csv", &csv);
    let options = Options {
        questions: Some(questions.clone()),
        ..Options::default()
    };
    let import = &with(&path, &options)[0];
    assert_eq!(
        (&*import.model.name, &*import.task, &*import.strategy),
        ("m", "qa", "base-0-shot")
    );
    assert_eq!(
        import.rows.len(),
        20,
        "few-shot examples are left out of pickles alone"
    );
    assert_eq!(import.rows[3].question.dont_know, Some(2));
    assert_eq!(import.rows[3].question.category.as_deref(), Some("law"));
    let own = sureness_questions::Question {
        accepted: Vec::new(),
        id: String::new(),
        category: None,
        context: None,
        stem: "Q3?".into(),
        options: vec!["x".into(), "y".into(), "I don't know".into()],
        right: 1.into(),
    };
    assert_eq!(import.rows[3].question.content, own.content_digest());
    assert_eq!(import.rows[3].question.cluster, Some(own.cluster_digest()));
    // A folder with the questions in it is the table alone.
    assert_eq!(with(folder.path(), &options).len(), 1);

    let mut dropping = options.clone();
    dropping.drop_ids = Some(["0", "1"].map(str::to_owned).into());
    assert_eq!(with(&path, &dropping)[0].rows.len(), 18);

    let said = refused(&path, &Options::default());
    assert!(said.contains("the file has no right answers"), "{said}");
    let more = folder.write("m_d_base.csv", csv.clone() + "77,1,2,0\n78,1,2,0\n");
    let said = refused(&more, &options);
    assert!(said.contains("id 77 and 1 other are not in"), "{said}");
    let wide = folder.write("m_d_base.csv", "id,A,B\n0,1,2\n");
    let said = refused(&wide, &options);
    assert!(said.contains("id 0 has 2 scores, but 3 options"), "{said}");
    let part = folder.write("m_d_base.csv", "id,A,B,C\n0,1,2,0\n");
    assert!(with(&part, &options)[0].notes[0].contains("1 of the 20 questions have scores"));
    let said = refused(&folder.write("x.txt", "hello"), &Options::default());
    assert!(said.contains("x.txt: has an unknown format"), "{said}");
}

/// The paper's own files: the accuracy of the whole file, and the same question known again in
/// the file of another model.
#[test]
fn the_papers_pickles() {
    let Some(paper) = shared("paper") else {
        return;
    };
    let options = Options {
        questions: Some(paper.join("mmlu_10k.json")),
        ..Options::default()
    };
    let imports = import(&[paper.join("logits")], &options).unwrap().groups;
    assert!(imports.len() >= 12, "{}", imports.len());
    let first = &imports[0];
    for import in &imports {
        assert_eq!(
            (import.format, import.values),
            (Format::Paper, Values::Logits)
        );
        assert_eq!(import.task, "qa");
        assert_eq!((import.rows.len(), import.answered()), (9995, 9995));
        assert!(import.notes[0].contains("5 few-shot examples"));
        assert_eq!(
            (
                import.rows[0].question.dont_know,
                import.rows[0].question.none_of_the_above
            ),
            (Some(4), Some(5))
        );
        // The published accuracies, from Falcon-7B's 23.75 % to Yi-34B's 71.24 %.
        assert!((0.22..0.76).contains(&import.accuracy().unwrap()));
        let digests = import.rows.iter().zip(&first.rows);
        assert!(
            digests
                .into_iter()
                .all(|(a, b)| a.question.content == b.question.content)
        );
    }
    let strategies: std::collections::BTreeSet<&str> =
        imports.iter().map(|import| &*import.strategy).collect();
    assert_eq!(
        strategies.into_iter().collect::<Vec<_>>(),
        ["base", "shared_instruction", "task_specific"]
    );
    assert!(
        import(&[paper.join("logits")], &named("x")).is_err(),
        "no answers"
    );
}

#[test]
fn probabilities_are_not_taken_for_logits() {
    let folder = Folder::new();
    let table = |header: &str, cells: &str| {
        let rows = [0, 1, 2, 3, 4]
            .map(|id| format!("{id},A,{cells}\n"))
            .concat();
        folder.write("m.csv", format!("{header}\n{rows}"))
    };
    for (header, cells, expected) in [
        (
            "id,answer,A,B",
            "0.9,0.1",
            "m.csv: these are probabilities, not logits",
        ),
        (
            "id,answer,A,B",
            "90,10",
            "m.csv: these are probabilities, not logits",
        ),
        (
            "id,answer,logprob_A,logprob_B",
            "0.9,0.1",
            "m.csv, line 2: these are probabilities, not log-probabilities",
        ),
    ] {
        let said = refused(&table(header, cells), &task("t"));
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn ids_may_be_texts_and_questions_of_different_width() {
    let folder = Folder::new();
    let csv = "id,options,answer,bounded,mass,logprob_A,logprob_B,logprob_C\n\
               q/1,3,C,true,0.9,-0.5,-2.5,-2.5\n\
               q 2,2,B,false,0.8,-0.5,-1.5,\n";
    let import = &with(&folder.write("m.csv", csv), &task("t"))[0];
    let ids: Vec<&str> = import.rows.iter().map(|row| &*row.question.id).collect();
    assert_eq!(ids, ["q/1", "q 2"]);
    let scores = |row: usize| import.rows[row].scores.as_ref().unwrap();
    assert_eq!(scores(0).observed, [true, false, false]);
    assert_eq!(
        (&*scores(1).logprobs, scores(1).mass),
        (&[-0.5, -1.5][..], Some(0.8))
    );
    // Without their number, an empty cell is a fault.
    let path = folder.write("m.csv", "id,answer,A,B,C\nq,A,1,2,\n");
    let said = refused(&path, &task("t"));
    assert!(said.contains("m.csv, line 2: field `C` is empty"), "{said}");
    let path = folder.write("m.csv", "id,answer,A,B\nq,A,1,2\nr,A,1,2\nq,A,1,2\n");
    let said = refused(&path, &task("t"));
    assert!(
        said.contains("line 4, field \"id\": duplicate id q, first seen in line 2"),
        "{said}"
    );
    let path = folder.write(
        "m.csv",
        "id,answer,A,B,logprob_A,logprob_B\nq,A,1,2,-1,-2\n",
    );
    let said = refused(&path, &task("t"));
    assert!(said.contains("columns `A` and `logprob_A` both"), "{said}");
}

#[test]
fn lists_of_rows_are_tables_and_dropped_rows_are_not_judged() {
    let folder = Folder::new();
    let rows = "[{\"id\": \"a\", \"answer\": \"A\", \"logits\": [1, 2]},\n\
                {\"id\": \"b\", \"answer\": \"B\", \"logits\": [1, NaN]}]";
    let lines = rows
        .replace("[{", "{")
        .replace("},", "}")
        .replace("}]", "}");
    let csv = "id,answer,A,B\na,A,1,2\nb,,1,NaN\n";
    for (name, text, place) in [
        ("m.json", rows, "row 2"),
        ("m.jsonl", &*lines, "line 2"),
        ("m.csv", csv, "line 3"),
    ] {
        let path = folder.write(name, text);
        let said = refused(&path, &task("t"));
        assert!(
            said.contains(&format!("{name}, {place}: value 2 is NaN")),
            "{said}"
        );
        let dropping = Options {
            drop_ids: Some(["b".to_owned()].into()),
            ..task("t")
        };
        let import = &with(&path, &dropping)[0];
        assert_eq!(
            (import.rows.len(), &*import.notes[0]),
            (1, "left out 1 question (--drop-ids)")
        );
    }
}

#[test]
fn columns_beside_the_scores_are_read_or_refused() {
    let folder = Folder::new();
    let tabs = "id\tanswer\tcluster\tbounded\tmass\toptions\tA\tB\tC\n\
                1\tA\tpassage 1\t1\t0.9\t3.0\t-1\t-2\t-3\n\
                2\tB\tpassage 1\tno\t0.8\t2.0\t-1\t-2\t\n\
                3\tB\tpassage 2\t\t\t3\t-1\t-2\t-3\n";
    let import = with(&folder.write("m.tsv", tabs), &task("t")).remove(0);
    let clusters = [0, 1, 2].map(|row| import.rows[row].question.cluster.unwrap());
    assert!(clusters[0] == clusters[1] && clusters[0] != clusters[2]);
    let observed = |row: usize| import.rows[row].scores.as_ref().unwrap().observed.clone();
    assert_eq!(observed(0), [true, true, false]);
    assert_eq!([observed(1).len(), observed(2).len()], [2, 3]);
    for (name, column, value, expected) in [
        (
            "a.csv",
            "mass",
            "12",
            "is 12, not a probability from 0 to 1",
        ),
        ("b.csv", "bounded", "perhaps", "expected true or false"),
        (
            "c.csv",
            "key",
            "k1",
            "expected a digest of 64 hexadecimal digits",
        ),
        ("d.csv", "options", "2.5", "expected a number of options"),
    ] {
        let text = format!("id,answer,{column},A,B\n1,A,{value},-1,-2\n");
        let refusal = refused(&folder.write(name, &text), &task("t"));
        assert!(
            refusal.contains(expected) && refusal.contains(column),
            "{refusal}"
        );
    }
}
