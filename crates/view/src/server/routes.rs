//! The addresses and their answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, RawQuery, Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use futures_util::stream::{self, Stream};
use sureness_bench::Failure;

use super::accept::IsStream;
use super::guard::{Guard, check};
use crate::jobs::JobError;
use crate::live::{self, Update, Watching};
use crate::pages::{self, SCRIPT, STYLE};
use crate::query;
use crate::site::{RunId, Site};

/// Streams of events at once.
const MOST_STREAMS: usize = 64;
/// Largest answer, in bytes.
const MOST_BYTES: usize = 16 << 20;
/// How long a page waits for the first look at a run.
const FIRST_LOOK: Duration = Duration::from_secs(30);
/// Signs of life of a stream without news.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const JSON: &str = "application/json";

type Shared = State<Arc<Site>>;

/// All addresses below the site's base, behind the guard.
pub(super) fn routes(site: Arc<Site>, guard: Guard) -> Router {
    let pages = Router::new()
        .route("/", get(runs))
        .route("/list", get(list))
        .route("/latest", get(latest))
        .route("/compare", get(compare))
        .route("/run/{folder}/{run}", get(run))
        .route("/run/{folder}/{run}/events", get(events))
        .route("/run/{folder}/{run}/results.json", get(results))
        .route("/run/{folder}/{run}/question", get(question))
        .route("/assets/view.css", get(|| async { asset(STYLE, CSS) }))
        .route(
            "/assets/view.js",
            get(|| async { asset(SCRIPT, JAVASCRIPT) }),
        );
    let base = site.base().to_owned();
    let router = if base.is_empty() {
        pages
    } else {
        // `nest` has no address with a final slash for the root.
        Router::new()
            .route(&format!("{base}/"), get(runs))
            .nest(&base, pages)
    };
    router
        .fallback(unknown)
        .layer(middleware::from_fn_with_state(guard, check))
        .with_state(site)
}

async fn unknown() -> Response {
    let text = "There is no such page. Open the address that sureness printed, whole.\n";
    (StatusCode::NOT_FOUND, text).into_response()
}

async fn runs(State(site): Shared) -> Response {
    page(&site, pages::runs).await
}

async fn list(State(site): Shared) -> Response {
    page(&site, pages::list).await
}

/// Leads to the newest run, or waits for the first.
async fn latest(State(site): Shared) -> Response {
    let shared = Arc::clone(&site);
    let newest = site.jobs.run(move || Ok(pages::newest(&shared))).await;
    match newest {
        Ok(Some(id)) => {
            let address = format!("{}/run/{}/{}", site.base(), id.folder, id.run);
            match HeaderValue::from_str(&address) {
                Ok(address) => (StatusCode::FOUND, [(LOCATION, address)]).into_response(),
                Err(_) => StatusCode::NOT_FOUND.into_response(),
            }
        }
        Ok(None) => page(&site, pages::waiting).await,
        Err(error) => problem(&site, error),
    }
}

async fn compare(State(site): Shared, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let ids: Vec<RunId> = query::values(&query, "run")
        .iter()
        .filter_map(|text| parse(text))
        .collect();
    page(&site, move |site: &Site| pages::compare(site, &ids)).await
}

async fn question(
    State(site): Shared,
    Path((folder, number)): Path<(usize, i64)>,
    RawQuery(query): RawQuery,
) -> Response {
    let id = RunId {
        folder,
        run: number,
    };
    let query = query.unwrap_or_default();
    let name = query::values(&query, "id").into_iter().next();
    let name = name.unwrap_or_default();
    page(&site, move |site: &Site| pages::question(site, id, &name)).await
}

async fn run(State(site): Shared, Path((folder, number)): Path<(usize, i64)>) -> Response {
    let id = RunId {
        folder,
        run: number,
    };
    match first_look(&site, id).await {
        Ok(update) => page(&site, move |site: &Site| pages::run(site, id, &update)).await,
        Err(error) => problem(&site, error),
    }
}

async fn results(State(site): Shared, Path((folder, number)): Path<(usize, i64)>) -> Response {
    let id = RunId {
        folder,
        run: number,
    };
    match first_look(&site, id).await {
        Ok(update) if !update.results.is_empty() => answer(update.results.clone(), JSON),
        Ok(_) => problem(&site, unreadable().into()),
        Err(error) => problem(&site, error),
    }
}

/// The stream of events of a run: the newest state at once, then each change.
async fn events(
    State(site): Shared,
    Path((folder, number)): Path<(usize, i64)>,
    request: Request,
) -> Response {
    let id = RunId {
        folder,
        run: number,
    };
    // Nobody follows a run that is not there.
    if let Err(failure) = site.folder(id) {
        return problem(&site, failure.into());
    }
    let Some(counted) = site.hub().stream(MOST_STREAMS) else {
        return problem(&site, JobError::Busy);
    };
    let watching = match site.hub().watch(&site, id) {
        Ok(watching) => watching,
        Err(failure) => return problem(&site, failure.into()),
    };
    if let Some(mark) = request.extensions().get::<IsStream>() {
        mark.set();
    }
    Sse::new(changes(watching, counted))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response()
}

/// Each state of a run, the newest where a client is slow, to the last.
fn changes(
    mut watching: Watching,
    counted: live::Stream,
) -> impl Stream<Item = Result<Event, Infallible>> {
    watching.mark_changed();
    // After the last event the count is kept until the stream is asked for more, which it is once the
    // event is on its way.
    stream::unfold(
        (Some(watching), counted),
        |(watching, counted)| async move {
            let mut watching = watching?;
            loop {
                // An error says that nobody follows the run any more.
                watching.changed().await.ok()?;
                let update = watching.borrow_and_update().clone();
                if let Some(update) = update {
                    let event = Event::default().data(&update.event);
                    let rest = (!update.last).then_some(watching);
                    return Some((Ok(event), (rest, counted)));
                }
            }
        },
    )
}

/// The newest state of a run, or the first.
async fn first_look(site: &Arc<Site>, id: RunId) -> Result<Arc<Update>, JobError> {
    site.folder(id)?;
    let mut watching = site.hub().watch(site, id)?;
    let seen = tokio::time::timeout(FIRST_LOOK, watching.wait_for(Option::is_some)).await;
    let update = match seen {
        Ok(Ok(seen)) => seen.clone(),
        _ => None,
    };
    update.ok_or(JobError::Busy)
}

fn unreadable() -> Failure {
    Failure::new("the run cannot be read").hint("open its page, which says why")
}

fn parse(text: &str) -> Option<RunId> {
    let (folder, run) = text.split_once('/')?;
    Some(RunId {
        folder: folder.parse().ok()?,
        run: run.parse().ok()?,
    })
}

/// A page, made in its turn.
async fn page(
    site: &Arc<Site>,
    make: impl FnOnce(&Site) -> Result<String, Failure> + Send + 'static,
) -> Response {
    let shared = Arc::clone(site);
    match site.jobs.run(move || make(&shared)).await {
        Ok(html) => answer(html, HTML),
        Err(error) => problem(site, error),
    }
}

fn answer(content: String, kind: &'static str) -> Response {
    if content.len() > MOST_BYTES {
        let text =
            "This page is too large to be shown. `sureness analyze` writes files of any size.\n";
        return (StatusCode::INSUFFICIENT_STORAGE, text).into_response();
    }
    ([(CONTENT_TYPE, kind)], content).into_response()
}

fn asset(parts: &[&str], kind: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], parts.concat()).into_response()
}

/// A page that says what is wrong.
fn problem(site: &Site, error: JobError) -> Response {
    let (status, title, failure) = match error {
        JobError::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Busy",
            Failure::new("too many pages are being made or watched").hint("try again in a moment"),
        ),
        JobError::Failed(failure) => (StatusCode::NOT_FOUND, "Not here", failure),
    };
    let html = site.problem(title, &failure);
    let html = html.unwrap_or_else(|_| format!("{failure}\n"));
    let mut response = (status, [(CONTENT_TYPE, HTML)], html).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}
