//! `sureness run --dry-run`: what a run will ask.

use std::process::ExitCode;

use sureness_analysis::number::{count, counted};
use sureness_analysis::{Cell, Column, Section, Table, Unit};
use sureness_bench::budget::Tokens;
use sureness_bench::forecast::{Forecast, ModelForecast, TokenRate, forecast};
use sureness_bench::{Failure, Model, Settings};
use sureness_record::Answers;
use sureness_report::export;

use crate::show::terminal;

/// Prints the forecast.
pub(super) fn run(settings: &Settings, models: &[Model]) -> Result<ExitCode, Failure> {
    let forecast = forecast(settings, models)?;
    let width = terminal::width();
    let parts = forecast.models.iter().map(|model| {
        let section = section(&forecast, model);
        export::section_text(&section, width)
    });
    let text = parts.collect::<Vec<_>>().join("\n");
    terminal::print(&format!("{text}No question was sent to a model.\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn section(forecast: &Forecast, model: &ModelForecast) -> Section {
    let tokens = model.tokens();
    let mut text = vec![
        tokens_line(model, tokens),
        answers_line(forecast, model, tokens),
    ];
    if forecast.may_stop_early {
        text.insert(
            0,
            "All of this is an upper bound: --until stops as soon as enough is shown, and nobody knows \
             when that is."
                .into(),
        );
    }
    if let Some(reason) = &model.unasked {
        text.push(format!(
            "No server was asked about its tokenizer: {reason}."
        ));
    }
    if let Some(prices) = &model.prices {
        let off = model.rate.off_by();
        let cost = prices.cost(tokens);
        text.push(format!(
            "Cost: about {}, and {} at most by this estimate.",
            prices.money(cost),
            prices.money(cost * off)
        ));
    }
    if let Some(per_minute) = forecast.requests_per_minute {
        let requests = model.total(|group| group.requests as u64);
        let minutes = requests as f64 / per_minute;
        text.push(format!(
            "Time: {minutes:.1} minutes at {per_minute} requests per minute."
        ));
    }
    if let Some(comparisons) = forecast.comparisons {
        text.push(format!(
            "Judge: {} at most (--judge-pairs), which come on top, with their tokens and cost; how many \
             depends on the answers.",
            counted(comparisons as usize, "comparison")
        ));
    }
    Section {
        title: model.name.clone(),
        tables: vec![table(model)],
        notes: text,
        ..Section::default()
    }
}

fn tokens_line(model: &ModelForecast, tokens: Tokens) -> String {
    let prompt = count(tokens.prompt as usize);
    match model.rate {
        TokenRate::Counted { prompts, .. } => format!(
            "Prompt tokens: about {prompt}, by the server's counts of {} that it has answered.",
            counted(prompts, "prompt")
        ),
        TokenRate::Sampled { prompts, of, .. } if prompts == of => format!(
            "Prompt tokens: {prompt}, by the server's tokenizer, which counted every prompt{}.",
            thoughts(model)
        ),
        TokenRate::Sampled {
            prompts, of, error, ..
        } => format!(
            "Prompt tokens: about {prompt}, with a standard error of {}: the server's tokenizer counted \
             {} of {} prompts, drawn at random{}.",
            count((error * tokens.prompt as f64).ceil() as usize),
            count(prompts),
            count(of),
            thoughts(model)
        ),
        TokenRate::Estimated => format!(
            "Prompt tokens: about {prompt}, at four bytes each; a model's own tokenizer may need a \
             quarter more or less."
        ),
    }
}

/// What the prompts of letters after a thought hold besides.
fn thoughts(model: &ModelForecast) -> &'static str {
    if model.thinks {
        "; thoughts are counted with the prompts of the letters after them, at their full length"
    } else {
        ""
    }
}

fn answers_line(forecast: &Forecast, model: &ModelForecast, tokens: Tokens) -> String {
    let answer = count(tokens.answer as usize);
    match forecast.answers {
        Answers::Letters => format!("Answer tokens: {answer}, one for each request."),
        _ if model.answer_tokens < model.most_answer_tokens => format!(
            "Answer tokens: about {answer}, {:.0} for each answer as before.",
            model.answer_tokens
        ),
        Answers::Reasoned(reasoned) => format!(
            "Answer tokens: {answer} at most, {} for each thought (--think-tokens).",
            reasoned.think_tokens
        ),
        Answers::Sampled(sampled) if sampled.within.is_some() => format!(
            "Answer tokens: {answer} at most, {} for each answer (--answer-tokens) and {} answers to each \
             question (--samples-most); --samples auto draws fewer where a question is clear.",
            sampled.max_tokens, sampled.samples
        ),
        Answers::Sampled(sampled) => format!(
            "Answer tokens: {answer} at most, {} for each answer (--answer-tokens). A server that \
             takes several answers per request (n) reads the prompt only once for them.",
            sampled.max_tokens
        ),
    }
}

fn table(model: &ModelForecast) -> Table {
    let number = |number: u64| Cell::count(number as usize);
    let row = |name: Cell, strategy: Cell, values: [u64; 4]| {
        let mut row = vec![name, strategy];
        row.extend(values.map(number));
        row
    };
    let mut rows: Vec<_> = model
        .groups
        .iter()
        .map(|group| {
            row(
                Cell::text(&group.task),
                Cell::text(&group.strategy),
                [
                    group.answers as u64,
                    group.answered as u64,
                    group.requests as u64,
                    group.prompt_bytes,
                ],
            )
        })
        .collect();
    if model.groups.len() > 1 {
        rows.push(row(
            Cell::text("all"),
            Cell::text(""),
            [
                model.total(|group| group.answers as u64),
                model.total(|group| group.answered as u64),
                model.total(|group| group.requests as u64),
                model.total(|group| group.prompt_bytes),
            ],
        ));
    }
    Table {
        columns: vec![
            Column::new("task", "Task", Unit::Text),
            Column::new("strategy", "Strategy", Unit::Text),
            Column::new("answers", "Answers", Unit::Count),
            Column::new("answered", "Answered before", Unit::Count),
            Column::new("requests", "Requests", Unit::Count),
            Column::new("bytes", "Prompt bytes", Unit::Count),
        ],
        rows,
        ..Table::default()
    }
}
