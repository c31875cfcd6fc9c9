//! Lays questions out as the paper does.

use std::sync::Arc;

use sureness_questions::{MAX_OPTIONS, Question, Task, letter};

use crate::wording::Labels;
use crate::{Prompt, PromptError, Strategy, Wording};

/// What opens the prompts of open questions.
const SHORT: &str =
    "Answer the question with a name, a number or a short phrase, and nothing else.";

/// Makes the prompts of one (task, strategy). Cheap to clone: the prefix is shared.
#[derive(Debug, Clone)]
pub struct PromptBuilder {
    prefix: Arc<str>,
    layout: Layout,
}

impl PromptBuilder {
    /// Lays out the instructions and the first `shots` of `examples`. Zero-shot prompts (`shots` = 0)
    /// have their own instruction.
    pub fn new(
        task: &Task,
        strategy: Strategy,
        wording: &Wording,
        examples: &[Question],
        shots: usize,
    ) -> Result<Self, PromptError> {
        let examples = chosen(task, examples, shots)?;
        let layout = Layout::new(task, &wording.labels);
        let instructions = wording.instructions(task, strategy);

        let mut prefix = String::new();
        if examples.is_empty() {
            push_paragraph(&mut prefix, instructions.zero_shot.as_deref());
        } else {
            push_paragraph(&mut prefix, instructions.before_examples.as_deref());
            for example in examples {
                let right = check(task, example)?;
                layout.push_question(&mut prefix, example);
                prefix.push(' ');
                prefix.push(letter(right));
                prefix.push_str("\n\n");
            }
            push_paragraph(&mut prefix, instructions.before_question.as_deref());
        }
        Ok(Self {
            prefix: prefix.into(),
            layout,
        })
    }

    /// Lays out open questions, which are asked in one way: a sentence that wants a short answer, the
    /// first `shots` of `examples` with their first accepted answers, the question.
    pub fn open(
        task: &Task,
        wording: &Wording,
        examples: &[Question],
        shots: usize,
    ) -> Result<Self, PromptError> {
        let examples = chosen(task, examples, shots)?;
        let layout = Layout::new(task, &wording.labels);
        let mut prefix = String::new();
        push_paragraph(&mut prefix, Some(SHORT));
        for example in examples {
            layout.push_question(&mut prefix, example);
            prefix.push(' ');
            prefix.push_str(example.accepted.first().map_or("", String::as_str));
            prefix.push_str("\n\n");
        }
        Ok(Self {
            prefix: prefix.into(),
            layout,
        })
    }

    /// The common beginning of all prompts: instructions and few-shot examples. Empty for zero-shot
    /// prompts without instruction.
    pub fn prefix(&self) -> &Arc<str> {
        &self.prefix
    }

    /// The prompt that asks `question`. It ends with the answer label, no space after it.
    pub fn build(&self, question: &Question) -> Prompt {
        let mut suffix = String::new();
        self.layout.push_question(&mut suffix, question);
        Prompt {
            prefix: Arc::clone(&self.prefix),
            suffix,
        }
    }

    /// The letters of the question's options, in order.
    pub fn labels(&self, question: &Question) -> Vec<String> {
        (0..question.options.len())
            .map(|index| letter(index).to_string())
            .collect()
    }
}

/// The layout of a question.
#[derive(Debug, Clone)]
struct Layout {
    labels: Arc<Labels>,
    background: sureness_questions::Background,
}

impl Layout {
    fn new(task: &Task, labels: &Labels) -> Self {
        Self {
            labels: Arc::new(labels.clone()),
            background: task.background,
        }
    }

    /// Appends the question from its background line to the answer label. Texts stay
    /// unchanged and may have several lines.
    fn push_question(&self, text: &mut String, question: &Question) {
        let labels = &self.labels;
        let context = question.context.as_deref();
        if let (Some(background), Some(context)) = (
            labels.background(self.background),
            context.filter(|context| !context.trim().is_empty()),
        ) {
            push_line(text, background, context);
        }
        push_line(text, &labels.question, &question.stem);
        if !question.is_open() {
            text.push_str(&labels.choices);
            text.push('\n');
        }
        for (index, option) in question.options.iter().enumerate() {
            text.push(letter(index));
            push_line(text, ".", option);
        }
        text.push_str(&labels.answer);
    }
}

/// The few-shot examples that a prompt shows.
fn chosen<'a>(
    task: &Task,
    examples: &'a [Question],
    shots: usize,
) -> Result<&'a [Question], PromptError> {
    examples
        .get(..shots)
        .ok_or_else(|| PromptError::TooFewExamples {
            task: task.id.clone(),
            wanted: shots,
            found: examples.len(),
        })
}

fn push_line(text: &mut String, label: &str, content: &str) {
    text.push_str(label);
    text.push(' ');
    text.push_str(content);
    text.push('\n');
}

fn push_paragraph(text: &mut String, paragraph: Option<&str>) {
    if let Some(paragraph) = paragraph {
        text.push_str(paragraph);
        text.push_str("\n\n");
    }
}

/// The right option of a few-shot example. One with a wrong letter would mislead the model in every
/// prompt of the task, and so would one of several letters.
fn check(task: &Task, example: &Question) -> Result<usize, PromptError> {
    let count = example.options.len();
    let message = if !(2..=MAX_OPTIONS).contains(&count) {
        format!("has {count} options, 2 to {MAX_OPTIONS} can be shown")
    } else if let Some(right) = example.right.only() {
        if right < count {
            return Ok(right);
        }
        format!(
            "the right option is number {}, but there are only {count}",
            right + 1
        )
    } else {
        format!("has several right options: {}", example.right)
    };
    Err(PromptError::BadExample {
        task: task.id.clone(),
        id: example.id.clone(),
        message,
    })
}

#[cfg(test)]
mod tests {
    use sureness_hint::Hint;

    use super::*;

    fn question(id: &str, answer: usize) -> Question {
        Question {
            accepted: Vec::new(),
            id: id.to_owned(),
            category: None,
            context: Some("It rained.".to_owned()),
            stem: "Is the street wet?".to_owned(),
            options: vec!["Yes".to_owned(), "No".to_owned()],
            right: answer.into(),
        }
        .with_abstention()
    }

    fn builder(
        task: &str,
        examples: &[Question],
        shots: usize,
    ) -> Result<PromptBuilder, PromptError> {
        let task = Task::by_name(task).expect("a known task");
        PromptBuilder::new(&task, Strategy::Base, &Wording::builtin(), examples, shots)
    }

    #[test]
    fn the_layout_is_exact() {
        let builder = builder("rc", &[question("1", 1)], 1).unwrap();
        let block = "Context: It rained.\nQuestion: Is the street wet?\nChoices:\nA. Yes\nB. No\n\
                     C. I don't know\nD. None of the above\nAnswer:";
        let prompt = builder.build(&question("2", 0));
        assert_eq!(&*prompt.prefix, format!("{block} B\n\n"));
        assert_eq!(prompt.suffix, block);
        assert!(Arc::ptr_eq(&prompt.prefix, builder.prefix()));
        assert_eq!(builder.labels(&question("2", 0)), ["A", "B", "C", "D"]);
    }

    #[test]
    fn no_background_line_without_background() {
        let suffix = |task: &str, context: Option<&str>| {
            let mut question = question("1", 0);
            question.context = context.map(str::to_owned);
            builder(task, &[], 0).unwrap().build(&question).suffix
        };
        assert!(suffix("qa", Some("It rained.")).starts_with("Question: "));
        assert!(suffix("rc", None).starts_with("Question: "));
        assert!(suffix("rc", Some(" \n")).starts_with("Question: "));
        assert!(suffix("drs", Some("x")).starts_with("Dialogue: x\nQuestion: "));
        assert!(suffix("ds", Some("x")).starts_with("Document: x\nQuestion: "));
    }

    #[test]
    fn labels_can_be_in_another_language() {
        let wording = Wording::from_toml_str(
            "[labels]\nquestion = 'Frage:'\nchoices = 'Antworten:'\nanswer = 'Antwort:'\n\
             context = 'Text:'",
        )
        .unwrap();
        let task = Task::by_name("rc").unwrap();
        let builder = PromptBuilder::new(&task, Strategy::Base, &wording, &[], 0).unwrap();
        let suffix = builder.build(&question("1", 0)).suffix;
        assert!(suffix.starts_with("Text: It rained.\nFrage: Is the street wet?\nAntworten:\nA. "));
        assert!(suffix.ends_with("\nAntwort:"));
    }

    #[test]
    fn too_few_examples_and_bad_ones_are_refused() {
        let error = builder("rc", &[question("1", 0)], 5).unwrap_err();
        assert_eq!(
            error.to_string(),
            "task rc has 1 few-shot examples, but 5 are needed"
        );
        assert!(error.hint().contains("--shots 1"));

        let error = builder("rc", &[question("ex", 4)], 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "task rc, few-shot example ex: the right option is number 5, but there are only 4"
        );
        // An example that is not shown does no harm.
        assert!(builder("rc", &[question("ex", 4)], 0).is_ok());
    }
}
