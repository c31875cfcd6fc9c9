//! What to do about each problem.

use std::borrow::Cow;

use sureness_hint::Hint;

use crate::DataError;
use crate::error::Problem;

impl Hint for DataError {
    fn hint(&self) -> Cow<'_, str> {
        let hint = match &*self.problem {
            Problem::Empty => "add at least one question",
            Problem::NothingToAsk => {
                "add questions that are not few-shot examples, or reduce the number of examples"
            }
            Problem::UnknownFormat(_) => {
                "say what the columns are, as in --columns question=prompt,options=a+b+c,answer=key, or \
                 name the layout; docs/data.md lists them all"
            }
            Problem::RepeatedKey(_) => "keep one of them: only one can be meant",
            Problem::NoneRight | Problem::NotAList { .. } => {
                "leave such rows out, or name their right options"
            }
            Problem::NoAccepted => "leave questions without an answer out, as SQuAD 2 has some",
            Problem::RepeatedAnswer(_) => "name each right option once",
            Problem::MarksOfLabels => "name the labels of the right options",
            Problem::MarkCount { .. } => "give each option one mark",
            Problem::IndicesOrMarks => {
                "write the letters of the right options, or true and false for each option"
            }
            Problem::NotAskable { column, values, .. } => {
                return format!(
                    "leave such rows out, for instance with pandas: rows[rows.{column}.isin({values:?})]"
                )
                .into();
            }
            Problem::Json(_) => "write one JSON object per line, or one JSON array of objects",
            Problem::BareWord(_) => {
                "write null where a value is missing, which at the end of a list of options means \
                 fewer options"
            }
            Problem::OptionType { found: "null", .. } => {
                "fill it in: only nulls at the end mean fewer options"
            }
            Problem::OptionType { .. } => {
                "write the options as a list of texts, or as an object from label to text"
            }
            Problem::Columns { .. } => {
                "put cells with a separator, a quote or a line break in double quotes, and double the \
                 quotes inside"
            }
            Problem::Missing { .. } if self.field.as_deref() == Some("options") => {
                "put all options of a question into one field \"options\": a list of texts, or an \
                 object from label to text"
            }
            Problem::Missing { .. } if self.field.as_deref() == Some("A") => {
                "give each option a column of its own: A, B, C and so on"
            }
            Problem::Missing { .. } => {
                "rename or add it; see docs/data.md for an example of every layout"
            }
            Problem::Null | Problem::Blank => "fill it in, or leave the row out",
            Problem::Type { .. } | Problem::NotALetter(_)
                if self.field.as_deref() == Some("answer") =>
            {
                "give the letter of the right option; docs/data.md says where an index or a text is \
                 read as well"
            }
            Problem::Type { .. } | Problem::NotALetter(_) => {
                "write it as in the example of its layout in docs/data.md"
            }
            Problem::OptionCount(_) => "give each question 2 to 26 options",
            Problem::Letters(_) => "label the options A, B, C and so on",
            Problem::RepeatedColumn => "rename or remove one of the columns",
            Problem::RepeatedLabel(_) => "give each option a label of its own",
            Problem::RepeatedOption { .. } => "reword or remove one: options need different texts",
            Problem::EmptyOption(_) => {
                "fill it in: only at the end may an option be missing, as an empty cell in CSV or \
                 null in JSON"
            }
            Problem::NoRoomForAbstention(_) => {
                "turn the abstention options off, or keep to 24 options"
            }
            Problem::Answer { .. } => {
                "give the option's letter, its label, its index counted from 0, or its exact text; where all \
                 answers count from 1, say so with --columns …,first=1"
            }
            Problem::NotALabel { .. } => {
                "write letters as answers, A for the first option: a number would be read as a label"
            }
            Problem::Contradicted { .. } => {
                "correct one of the two, or leave the row out; an index counts from 0"
            }
            Problem::AmbiguousAnswer { .. } => "give the option's letter instead",
            Problem::Unlabelled => {
                "use the validation or train split: test splits are published without answers"
            }
            Problem::RepeatedId { .. } => "make ids unique within a task",
            Problem::AnswerKeyOnly => "use it with `sureness score`, which needs no question texts",
            Problem::NoCluster => {
                "give every question a category, or choose another --cluster: none, or a column"
            }
            Problem::NoColumns => "choose --cluster category or --cluster none",
            Problem::TooFewToDrawFrom => {
                "add questions: the layout takes two wrong options from other questions"
            }
            other => of_file(other),
        };
        hint.into()
    }
}

/// What to do about a file as a whole.
fn of_file(problem: &Problem) -> &'static str {
    match problem {
        Problem::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
            "check the path; relative paths start at the current folder"
        }
        Problem::Bank(_) => {
            "free some space in the folder for temporary files, or name another one in TMPDIR"
        }
        Problem::NotUtf8 => "save the file as UTF-8 (for instance with iconv -t UTF-8)",
        Problem::Foreign(foreign) => foreign.hint,
        Problem::Parquet(sureness_parquet::Error::CutOff) => {
            "copy or download the file again, whole"
        }
        Problem::Parquet(sureness_parquet::Error::Codec(_)) => {
            "write it with zstd, snappy, gzip, lz4 or uncompressed, for instance with pandas: \
             read_parquet(FILE).to_parquet(FILE, compression='zstd')"
        }
        Problem::Parquet(_) => {
            "write or download the file again; if others can read it, turn it into JSON lines with \
             pandas: read_parquet(FILE).to_json(FILE, orient='records', lines=True)"
        }
        Problem::Packed { .. } => {
            "copy or download the file again, whole; `gunzip --test` or `zstd --test` checks it"
        }
        Problem::TooLong => {
            "unpack the file, and write one JSON object per line; in CSV, look for a quote that is not \
             closed"
        }
        Problem::Pattern(_) => "put the pattern in quotes; it may have *, ? and [0-9]",
        Problem::NoFiles => {
            "name files that end in parquet, jsonl, json or csv, or in these with .gz or .zst"
        }
        Problem::Folders(_) => "name one of these folders",
        Problem::NoSplit => "name the files to read with a pattern, or rename this one",
        Problem::OtherTotal { .. } => {
            "keep the files of one version, or name them with a pattern such as 'test-*-of-00002*'"
        }
        Problem::DoubledShard { .. } => {
            "keep one of them, or name the files to read with a pattern"
        }
        Problem::BeyondTotal { .. } => "rename the file, or name the ones to read with a pattern",
        Problem::MissingShard => "download it, or name the one file to read instead of the folder",
        Problem::OtherLayout { .. } => {
            "keep files of one layout in a folder, or name the ones to read with a pattern"
        }
        _ => "check the file and the permissions",
    }
}
