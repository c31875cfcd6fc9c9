//! The doctor on servers with known properties.

use serde_json::{Value, json};
use sureness_scorers::http::{Depth, Diagnosis, HttpOptions, KeyState, Secret};

use crate::http::exact::{by_number, exact_server, top_three};
use crate::http::server::{Asked, Reply, Server};

/// A vLLM without a cache, whose answers move by a tenth with every question it has answered.
fn moving(step: f64) -> Server {
    let answered = std::sync::atomic::AtomicUsize::new(0);
    exact_server(move |asked| {
        let mut answer = by_number(asked).unwrap_or_else(|| top_three(asked));
        if asked.is_question() {
            let before = answered.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let listed = &mut answer["choices"][0]["logprobs"]["top_logprobs"][0];
            let second = &mut listed["token_id:389"];
            // The first round of twenty as it is, the others with a likelier " B".
            if before >= 20 {
                *second = (second.as_f64().unwrap() + step).into();
            }
        }
        answer
    })
}

/// The whole examination.
pub(crate) async fn diagnose(options: HttpOptions) -> Diagnosis {
    diagnose_to(Depth::default(), options).await
}

pub(crate) async fn diagnose_to(depth: Depth, options: HttpOptions) -> Diagnosis {
    sureness_scorers::http::diagnose(options, depth, &mut |_| {}).await
}

fn named(server: &Server) -> HttpOptions {
    HttpOptions::new(&server.base)
}

#[tokio::test]
async fn a_good_server_gets_a_whole_diagnosis() {
    let server = moving(0.125);
    let found = diagnose(named(&server)).await;
    assert_eq!(found.obstacle, None);
    assert!(found.reachable);
    assert_eq!(found.key, KeyState::NotNeeded);
    assert_eq!((found.models.len(), found.model.as_deref()), (1, Some("m")));
    assert!(found.routes.completions && !found.routes.chat && !found.routes.native);
    assert_eq!(
        (found.top_logprobs, found.returned_logprobs),
        (Some(1000), Some(3))
    );
    assert_eq!(
        (&found.letters["A"][..], found.letters.len()),
        (&[330, 49][..], 6)
    );
    assert_eq!(found.lists, Some(true));
    assert_eq!(
        (found.logit_bias, found.grammar),
        (Some(false), Some(false))
    );
    let scoring = found.scoring.as_ref().unwrap();
    assert!(scoring.exact && scoring.reason.contains("logprob_token_ids"));
    let noise = found.noise.unwrap();
    assert_eq!((noise.questions, noise.changed_top_options), (20, 0));
    // " B" moved by an eighth, "B" did not; it has a thousandth of the weight.
    assert!((noise.largest_difference - 0.125).abs() < 1e-3, "{noise:?}");
    // JSON preserves it.
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Diagnosis>(&text).unwrap(), found);
    // Twice its weight makes B the top option.
    let noise = diagnose(named(&moving(0.72))).await.noise.unwrap();
    assert_eq!(noise.changed_top_options, 20);
}

#[tokio::test]
async fn what_is_in_the_way_is_said_with_what_would_help() {
    let silent = |asked: &Asked| match asked.path.as_str() {
        "/v1/models" => Reply::json(200, &json!({"data": [{"id": "m"}]})),
        _ if asked.path.ends_with("completions") => {
            let choice =
                json!({"index": 0, "text": "A", "message": {"content": "A"}, "logprobs": null});
            Reply::json(200, &json!({"choices": [choice]}))
        }
        _ => Reply::json(404, &Value::Null),
    };
    let found = diagnose(named(&Server::start(silent))).await;
    let obstacle = found.obstacle.unwrap();
    assert!(
        obstacle.message.contains("without log-probabilities"),
        "{obstacle:?}"
    );
    assert!(obstacle.hint.contains("llama-server"), "{obstacle:?}");
    assert!(found.reachable && found.routes.completions && found.routes.chat);
    assert_eq!(found.scoring, None);

    let locked = Server::start(|_| Reply::json(401, &json!({"error": "no"})));
    let mut options = named(&locked);
    options.api_base = locked.base.replace("http://", "http://u:hidden@");
    options.api_key = Secret::new("sk-hidden");
    let found = diagnose(options).await;
    assert_eq!((found.key, found.reachable), (KeyState::Refused, true));
    assert!(!format!("{found:?}").contains("hidden"), "{found:?}");

    let found = diagnose(HttpOptions::new("http://127.0.0.1:9")).await;
    assert!(!found.reachable && found.obstacle.unwrap().message.contains("cannot reach"));
    let found = diagnose(HttpOptions::new("ftp://u:hidden@h")).await;
    assert!(!found.reachable && !format!("{found:?}").contains("hidden"));
}
