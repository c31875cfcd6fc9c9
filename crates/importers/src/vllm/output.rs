//! One output of a request.

use std::collections::HashSet;

use serde_json::{Map, Value};
use sureness_scorers::ScoreError;

use crate::exchange::tokens::malformed;
use crate::letter::{Token, Top};

/// A token at one place, with its id and its rank in the vocabulary.
struct Ranked {
    id: String,
    rank: Option<u64>,
    top: Top,
}

/// The tokens of an output.
pub(super) fn tokens(output: Option<&Value>) -> Result<Vec<Token>, ScoreError> {
    let output = output.ok_or(ScoreError::NoLogprobs)?;
    let places = match output.get("logprobs") {
        None | Some(Value::Null) => return Err(ScoreError::NoLogprobs),
        Some(Value::Array(places)) => places.iter().map(of_object).collect(),
        Some(Value::Object(columns)) => of_columns(columns),
        Some(_) => None,
    };
    let places: Vec<Vec<Ranked>> =
        places.ok_or_else(|| malformed("the log-probabilities are not those of vLLM"))?;
    let ids = output.get("token_ids").and_then(Value::as_array);
    let ids = ids.ok_or_else(|| malformed("token_ids is missing"))?;
    if ids.len() != places.len() {
        return Err(malformed(
            "there are not as many token_ids as log-probabilities",
        ));
    }
    let tokens = ids
        .iter()
        .zip(places)
        .map(|(id, place)| token(&id.to_string(), place));
    tokens
        .collect::<Option<_>>()
        .ok_or_else(|| malformed("the log-probability of a sampled token is missing"))
}

/// The sampled token with the most probable ones. vLLM lists the sampled token among them even where it
/// is less probable; there it bounds no other token.
fn token(id: &str, mut place: Vec<Ranked>) -> Option<Token> {
    // `FlatLogprobs` has the sampled token first, and again where it is among the most probable.
    let mut seen = HashSet::new();
    place.retain(|it| seen.insert(it.id.clone()));
    let at = place.iter().position(|it| it.id == id)?;
    let sampled = place.get(at)?;
    let below = match sampled.rank {
        Some(rank) => rank > place.len() as u64,
        None => place.iter().all(|it| it.top.logprob >= sampled.top.logprob),
    };
    let (text, logprob) = (sampled.top.token.clone(), sampled.top.logprob);
    if below && place.len() > 1 {
        place.remove(at);
    }
    // `logprob_token_ids` lists those that were asked for, of any rank.
    let most = place.len() as u64;
    let by_id = place
        .iter()
        .any(|it| it.rank.is_some_and(|rank| rank > most));
    Some(Token {
        token: text,
        logprob,
        top_logprobs: Some(place.into_iter().map(|it| it.top).collect()),
        by_id,
    })
}

/// The tokens of one place: an object from id to token.
fn of_object(place: &Value) -> Option<Vec<Ranked>> {
    let each = place.as_object()?.iter().map(|(id, token)| {
        Some(Ranked {
            id: id.clone(),
            rank: token.get("rank").and_then(Value::as_u64),
            top: Top {
                token: token.get("decoded_token")?.as_str()?.to_owned(),
                logprob: token.get("logprob")?.as_f64(),
            },
        })
    });
    each.collect()
}

/// The columns of `FlatLogprobs`.
fn of_columns(columns: &Map<String, Value>) -> Option<Vec<Vec<Ranked>>> {
    let column = |name| columns.get(name).and_then(Value::as_array);
    let (starts, ends) = (column("start_indices")?, column("end_indices")?);
    let (ids, logprobs) = (column("token_ids")?, column("logprobs")?);
    let (ranks, texts) = (column("ranks")?, column("decoded_tokens")?);
    let ranked = |at: usize| {
        Some(Ranked {
            id: ids.get(at)?.to_string(),
            rank: ranks.get(at)?.as_u64(),
            top: Top {
                token: texts.get(at)?.as_str()?.to_owned(),
                logprob: logprobs.get(at)?.as_f64(),
            },
        })
    };
    let index = |value: &Value| usize::try_from(value.as_u64()?).ok();
    let places = starts.iter().zip(ends).map(|(start, end)| {
        let (start, end) = (index(start)?, index(end)?);
        // Otherwise a few bytes could claim any number of tokens.
        (end <= ids.len()).then(|| (start..end).map(ranked).collect::<Option<Vec<_>>>())?
    });
    places.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(output: &Value) -> Token {
        let mut tokens = tokens(Some(output)).unwrap();
        assert_eq!(tokens.len(), 1);
        tokens.remove(0)
    }

    #[test]
    fn both_kinds_of_logprobs_are_read() {
        let objects = json!({"token_ids": [5], "logprobs": [{
            "5": {"logprob": -0.5, "rank": 1, "decoded_token": " B"},
            "4": {"logprob": -1.5, "rank": 2, "decoded_token": " A"}}]});
        let flat = json!({"token_ids": [5], "logprobs": {"start_indices": [0], "end_indices": [3],
            "token_ids": [5, 5, 4], "logprobs": [-0.5, -0.5, -1.5], "ranks": [1, 1, 2],
            "decoded_tokens": [" B", " B", " A"]}});
        for output in [objects, flat] {
            let token = one(&output);
            assert_eq!((token.token.as_str(), token.logprob), (" B", Some(-0.5)));
            assert_eq!(token.top_logprobs.unwrap().len(), 2);
        }
    }

    #[test]
    fn a_sampled_token_outside_the_list_bounds_no_other() {
        for rank in [json!(17), json!(null)] {
            let token = one(&json!({"token_ids": [5], "logprobs": [{
                "5": {"logprob": -9.0, "rank": rank, "decoded_token": " B"},
                "4": {"logprob": -0.5, "rank": 1, "decoded_token": " A"}}]}));
            let top = token.top_logprobs.unwrap();
            assert_eq!(
                top.iter().map(|it| it.logprob).collect::<Vec<_>>(),
                [Some(-0.5)]
            );
        }
        // One token alone is the list.
        let token = one(&json!({"token_ids": [5], "logprobs": [{
            "5": {"logprob": -0.5, "rank": 1, "decoded_token": " B"}}]}));
        assert_eq!(token.top_logprobs.unwrap().len(), 1);
    }

    #[test]
    fn other_log_probabilities_are_reasons() {
        for (output, expected) in [
            (
                json!({"token_ids": [5], "logprobs": null}),
                "no log-probabilities",
            ),
            (
                json!({"token_ids": [5], "logprobs": [{"5": -0.5}]}),
                "not those of vLLM",
            ),
            (
                json!({"token_ids": [5], "logprobs": ["{5: Logprob(logprob=-0.5)}"]}),
                "not those",
            ),
            (json!({"token_ids": [5, 6], "logprobs": []}), "not as many"),
            (json!({"logprobs": []}), "token_ids is missing"),
            (
                json!({"token_ids": [5], "logprobs": [{}]}),
                "sampled token is missing",
            ),
            (
                json!({"token_ids": [5], "logprobs": {"start_indices": [0],
                "end_indices": [9_000_000_000_u64], "token_ids": [], "logprobs": [], "ranks": [],
                "decoded_tokens": []}}),
                "not those of vLLM",
            ),
        ] {
            let said = tokens(Some(&output)).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        }
    }
}
