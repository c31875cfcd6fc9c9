//! One question of a run: its exact prompt, the answers, probabilities and sets.

use serde::Serialize;
use serde_json::json;
use sureness_analysis::Unit;
use sureness_analysis::number::{figure, fixed};
use sureness_bench::live::numbered;
use sureness_bench::show::{Shown, show};
use sureness_bench::{Failure, reading};
use sureness_conformal::Nonconformity;
use sureness_hint::Hint;
use sureness_questions::letter;
use sureness_store::StoredAnswer;

use crate::site::{RunId, Site};

/// Answers in words that are shown.
const MOST_ANSWERS: usize = 200;
/// Characters of a text that are shown.
const MOST_CHARS: usize = 100_000;

/// The question in one task and strategy.
#[derive(Serialize)]
struct View {
    task: String,
    strategy: String,
    category: Option<String>,
    prompt: Option<String>,
    unknown_prompt: Option<String>,
    error: Option<(String, String)>,
    answers: Vec<AnswerView>,
    left_out: usize,
    options: Vec<OptionView>,
    counted: bool,
    half: Option<&'static str>,
    mass: Option<String>,
    accepted: Vec<String>,
    meanings: Vec<MeaningView>,
}

#[derive(Serialize)]
struct AnswerView {
    number: u32,
    reading: String,
    thought: Option<String>,
    text: Option<String>,
    error: Option<String>,
    tokens: Option<u32>,
}

#[derive(Serialize)]
struct OptionView {
    letter: String,
    text: String,
    right: bool,
    share: Option<f64>,
    percent: Option<String>,
    value: String,
    lac: bool,
    aps: bool,
}

#[derive(Serialize)]
struct MeaningView {
    text: String,
    count: u32,
    percent: String,
    accepted: bool,
}

/// The page of a question.
pub(crate) fn question(site: &Site, id: RunId, question: &str) -> Result<String, Failure> {
    let folder = site.folder(id)?;
    let shown = show(&numbered(&folder, id.run), question, site.data())?;
    let model = shown.first().map(|shown| shown.model.name.clone());
    let views: Vec<View> = shown.iter().map(view).collect();
    let values = json!({
        "id": question,
        "model": model,
        "run": format!("{}/run/{}/{}", site.base(), id.folder, id.run),
        "place": format!("{}#{}", folder.display(), id.run),
        "views": views,
    });
    site.page("question.html", &format!("Question {question}"), values)
}

fn view(shown: &Shown) -> View {
    let meanings = shown.meanings.as_ref();
    let question = shown.prompt.as_ref().ok().map(|prompt| &prompt.question);
    View {
        task: shown.task.clone(),
        strategy: shown.strategy.clone(),
        category: shown.row.question.category.clone(),
        prompt: shown.prompt.as_ref().ok().map(|prompt| short(&prompt.text)),
        unknown_prompt: shown.prompt.as_ref().err().cloned(),
        error: (shown.row.error.as_ref())
            .map(|error| (error.to_string(), error.hint().into_owned())),
        answers: shown
            .answers
            .iter()
            .take(MOST_ANSWERS)
            .map(answer)
            .collect(),
        left_out: shown.answers.len().saturating_sub(MOST_ANSWERS),
        options: (0..shown.row.question.options)
            .filter_map(|at| option(shown, at))
            .collect(),
        counted: is_counted(shown),
        half: shown.sets.as_ref().map(|sets| {
            if sets.calibrates {
                "calibration half, which sets the thresholds"
            } else {
                "test half"
            }
        }),
        mass: (shown.row.scores.as_ref())
            .filter(|scores| scores.mass.is_finite() && !is_counted(shown))
            .map(|scores| figure(scores.mass, Unit::Percent)),
        accepted: question.map_or_else(Vec::new, |question| question.accepted.clone()),
        meanings: meanings.map_or_else(Vec::new, |meanings| {
            let groups = meanings.groups().iter();
            let meaning = |group: &sureness_open::Meaning| MeaningView {
                text: group.text.clone(),
                count: group.count,
                percent: figure(meanings.frequency(group), Unit::Percent),
                accepted: group.accepted,
            };
            groups.map(meaning).collect()
        }),
    }
}

/// Whether options are counted among answers in words.
fn is_counted(shown: &Shown) -> bool {
    let drawn = shown.row.drawn.as_ref();
    drawn.is_some_and(|drawn| drawn.thoughts == 0)
}

fn option(shown: &Shown, at: usize) -> Option<OptionView> {
    let scores = shown.row.scores.as_ref()?;
    let question = shown.prompt.as_ref().ok().map(|prompt| &prompt.question);
    let text = question.and_then(|question| question.options.get(at));
    let share = shown
        .sets
        .as_ref()
        .and_then(|sets| sets.probabilities.get(at));
    let holds = |score| {
        let sets = shown.sets.iter().flat_map(|sets| &sets.sets);
        let mut of_score = sets.filter(|(own, _)| *own == score);
        of_score.any(|(_, options)| options.contains(&at))
    };
    let drawn = shown.row.drawn.as_ref().filter(|drawn| drawn.thoughts == 0);
    let logprob = *scores.logprobs.get(at)?;
    let bound = if scores.observed.get(at) == Some(&true) {
        ""
    } else {
        "≤ "
    };
    Some(OptionView {
        letter: letter(at).to_string(),
        text: text.cloned().unwrap_or_default(),
        right: shown.row.question.right.contains(at),
        share: share.copied(),
        percent: share.map(|share| figure(*share, Unit::Percent)),
        value: match drawn.and_then(|drawn| drawn.chosen.get(at)) {
            Some(chosen) => chosen.to_string(),
            None => format!("{bound}{}", fixed(logprob, 3, false)),
        },
        lac: holds(Nonconformity::Lac),
        aps: holds(Nonconformity::Aps),
    })
}

fn answer(stored: &StoredAnswer) -> AnswerView {
    let Some((words, scores)) = &stored.answer else {
        let error = stored.error.as_ref().map(ToString::to_string);
        return AnswerView {
            number: stored.draw + 1,
            reading: String::new(),
            thought: None,
            text: None,
            error: Some(error.unwrap_or_else(|| "not asked".to_owned())),
            tokens: None,
        };
    };
    AnswerView {
        number: stored.draw + 1,
        reading: reading::named(words, scores),
        thought: words.thought.as_deref().map(short),
        text: Some(if stored.has_text {
            short(&words.text)
        } else {
            reading::NOT_KEPT.to_owned()
        }),
        error: None,
        tokens: scores.usage.answer_tokens,
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}\n[… cut here]", &text[..end]),
        None => text.to_owned(),
    }
}
