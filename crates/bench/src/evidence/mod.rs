//! Loads stores and files of saved logits as evidence for an analysis.

mod choice;
mod comparable;
pub(crate) mod key;
mod logits;
mod named;
mod offered;
mod open;
mod orders;
mod own;
mod problems;
mod saved;
mod selection;
mod texts;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use sureness_analysis::settled::Settled;
use sureness_analysis::{
    DrawnCounts, Evidence, GroupId, GroupRows, ModelEvidence, OpenEvidence, OpenRows,
    OrderedQuestion, Settings, Source, SourceRecord,
};
use sureness_conformal::{Config, Row, Table};
use sureness_questions::Task;
use sureness_store::{Drawn, Reader, RunInfo, StoreError, StoredRow};

use crate::error::Failure;
use crate::folder::{ResultsFiles, STORE};
use crate::provenance::date;
pub use comparable::split_rule;
pub use key::guessing_warning;
pub use logits::{Scored, Scoring};
use offered::{Offered, filter};
pub(crate) use open::{add_figures as add_open_figures, rows_of as open_rows};
use orders::Ordered;
pub(crate) use orders::ordered_rows;
pub use own::score_table;
use saved::load_logits;
pub use selection::{Drop, Grouping, Selection};
pub use texts::{TextSources, Texts};

/// Loaded evidence.
#[derive(Debug)]
pub struct Loaded {
    /// The rows of every model, with their source.
    pub evidence: Evidence,
    /// The evaluation settings of the first selected run; a note says where others differ.
    pub config: Option<Config>,
    /// What may make the figures others than expected, for the first lines.
    pub warnings: Vec<String>,
    /// Notes for the reader.
    pub notes: Vec<String>,
    /// What runs that stopped early have shown, each once.
    pub settled: Vec<Settled>,
}

/// Loads the selected runs and files, and checks that they can be compared. The accepted answers to open
/// questions are looked up in `texts`, since stores do not hold them.
pub fn load(selection: &Selection, texts: &Texts) -> Result<Loaded, Failure> {
    let (mut stores, mut files) = (Vec::new(), Vec::new());
    for path in &selection.runs {
        match named::store_at(path)? {
            Some(store) if stores.iter().any(|known| store.is_run_of(known)) => {
                let message = format!("{} is named twice", path.display());
                return Err(Failure::new(message)
                    .hint("name each run once: compared with itself, a model differs in nothing"));
            }
            Some(store) => stores.push(store),
            None => files.push(path.clone()),
        }
    }
    let mut loaded = Loaded {
        evidence: Evidence::default(),
        config: None,
        warnings: Vec::new(),
        notes: Vec::new(),
        settled: Vec::new(),
    };
    let mut offered = Offered::default();
    for named in &stores {
        let before = (loaded.evidence.models.len(), loaded.evidence.open.len());
        let (path, run) = (&named.store, named.run);
        load_store(path, run, (selection, texts), &mut offered, &mut loaded)?;
        named.rename(&mut loaded.evidence, before);
    }
    if files.is_empty() {
        let notes = selection
            .for_files()
            .map(|flag| format!("{flag} has no effect: it applies to files of saved logits"));
        loaded.notes.extend(notes);
    } else {
        load_logits(&files, selection, &mut offered, &mut loaded)?;
    }
    filter(selection, &offered, &mut loaded)?;
    let sources = loaded.evidence.names().into_iter();
    let mut evaluated = sources.filter_map(|(_, source)| source.record.settings());
    loaded.config = evaluated.next().map(|settings| settings.evaluation);
    let warnings = offered.warnings(selection, texts.tasks());
    loaded.warnings.extend(warnings);
    let uncategorised = cluster(selection.cluster, &mut loaded.evidence);
    loaded.warnings.extend(uncategorised);
    name_apart(&mut loaded.evidence);
    let notes = comparable::check(&loaded.evidence, selection)?;
    loaded.notes.extend(notes);
    Ok(loaded)
}

/// Keeps the `count` models with the highest mean `UAcc`, in their order, and those that have none, since
/// they were asked open questions alone.
pub fn keep_best(evidence: &mut Evidence, settings: &Settings, count: usize) {
    let value = |model: &ModelEvidence| {
        let evaluations: Vec<_> = model
            .groups
            .iter()
            .filter_map(|group| group.table.evaluate(&settings.config).ok())
            .collect();
        sureness_conformal::mean(&evaluations).map_or(f64::NEG_INFINITY, |mean| mean.uacc)
    };
    let mut ranked: Vec<(f64, String)> = evidence
        .models
        .iter()
        .map(|m| (value(m), m.name.clone()))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let dropped = ranked.split_off(count.min(ranked.len()));
    let is_kept = |own: &String| !dropped.iter().any(|(_, name)| name == own);
    evidence.models.retain(|model| is_kept(&model.name));
    evidence.open.retain(|model| is_kept(&model.name));
}

/// Groups questions into clusters. Returns warnings about tasks with questions that have no category to be
/// grouped by: those keep their clusters.
fn cluster(by: Grouping, evidence: &mut Evidence) -> BTreeSet<String> {
    let mut warnings = BTreeSet::new();
    let open = evidence.open.iter_mut().flat_map(|model| &mut model.groups);
    open.for_each(|group| cluster_open(by, group));
    for model in &mut evidence.models {
        for question in model.orders.iter_mut().flat_map(|of| &mut of.questions) {
            cluster_ordered(by, question);
        }
    }
    let groups = evidence.models.iter_mut().flat_map(|model| {
        let ordered = model.orders.iter_mut();
        let ordered = ordered.flat_map(|of| of.orders.iter_mut().chain([&mut of.derived]));
        model.groups.iter_mut().chain(ordered)
    });
    for group in groups {
        match by {
            Grouping::Auto => {}
            Grouping::None => {
                group.table.without_clusters();
                group.clustered = true;
            }
            Grouping::Category => {
                let digests: Vec<[u8; 32]> = group.categories.iter().map(cluster_of).collect();
                let table = &group.table;
                let rows = table.categories().iter().zip(table.clusters());
                let mut without = 0;
                let names = rows.map(|(category, own)| {
                    let digest = category.and_then(|c| digests.get(c as usize).copied());
                    digest.unwrap_or_else(|| {
                        without += 1;
                        *own
                    })
                });
                let names: Vec<[u8; 32]> = names.collect();
                let all = names.len();
                group.table.set_clusters(names);
                if without == 0 {
                    group.clustered = true;
                } else {
                    warnings.insert(format!(
                        "--cluster category: {without} of {all} questions of {} have no category, and keep \
                         their clusters",
                        group.id.task
                    ));
                }
            }
        }
    }
    warnings
}

/// The name of a category's cluster.
fn cluster_of(category: &String) -> [u8; 32] {
    blake3::derive_key("sureness category cluster", category.as_bytes())
}

fn cluster_ordered(by: Grouping, question: &mut OrderedQuestion) {
    match (by, &question.category) {
        (Grouping::Auto, _) | (Grouping::Category, None) => {}
        (Grouping::None, _) => question.cluster = question.key,
        (Grouping::Category, Some(category)) => question.cluster = cluster_of(category),
    }
}

fn cluster_open(by: Grouping, group: &mut OpenRows) {
    for (item, category) in group.items.iter_mut().zip(&group.categories) {
        match (by, category) {
            (Grouping::Auto, _) | (Grouping::Category, None) => {}
            (Grouping::None, _) => item.cluster = item.key,
            (Grouping::Category, Some(category)) => item.cluster = cluster_of(category),
        }
    }
}

/// The store at a path, with the run after `#`; `None` for other files.
pub(crate) fn store_of(path: &Path) -> Result<Option<(PathBuf, Option<i64>)>, Failure> {
    let text = path.to_string_lossy();
    let numbered = text
        .rsplit_once('#')
        .and_then(|(before, number)| Some((PathBuf::from(before), number.parse::<i64>().ok()?)));
    let (path, run) = match numbered {
        Some((before, run)) if !path.exists() => (before, Some(run)),
        _ => (path.to_owned(), None),
    };
    if path.is_dir() {
        let store = path.join(STORE);
        return if store.is_file() {
            Ok(Some((store, run)))
        } else {
            Err(
                Failure::new(format!("{} does not contain a run", path.display())).hint(
                    "pass the --output-dir of an earlier run, which contains sureness.sqlite",
                ),
            )
        };
    }
    if !path.exists() {
        return Err(Failure::new(format!("{} does not exist", path.display()))
            .hint("name an output folder, a sureness.sqlite, or a file of saved logits"));
    }
    let is_store = path.extension().is_some_and(|e| e == "sqlite");
    Ok(is_store.then_some((path, run)))
}

/// Loads the newest run of each model in a store, or the given one.
fn load_store(
    path: &Path,
    run: Option<i64>,
    (selection, texts): (&Selection, &Texts),
    offered: &mut Offered,
    loaded: &mut Loaded,
) -> Result<(), Failure> {
    let reader = Reader::open(path)?;
    let mut runs = reader.runs()?;
    if let Some(wanted) = run {
        let all: Vec<String> = runs.iter().map(|run| run.id.to_string()).collect();
        runs.retain(|run| run.id == wanted);
        if runs.is_empty() {
            return Err(
                Failure::new(format!("{} does not contain run {wanted}", path.display()))
                    .hint(format!("choose among the runs {}", all.join(", "))),
            );
        }
    }
    let newest = choice::newest(path, &reader, runs, loaded)?;
    if newest.is_empty() {
        return Err(
            Failure::new(format!("{} does not contain a run", path.display()))
                .hint("start one with `sureness run`, or import one with `sureness import`"),
        );
    }
    let files = ResultsFiles::beside(path);
    for run in newest {
        remark(&run, &files, loaded);
        let mut groups = Vec::new();
        let (mut open, mut unread) = (Vec::new(), Vec::new());
        let ordered = Ordered::of(&reader, &run, selection, offered)?;
        for (index, (task, strategy)) in run.groups.iter().enumerate() {
            let id = GroupId {
                task: task.clone(),
                strategy: strategy.clone(),
            };
            if !offered.takes(selection, &id) || ordered.stand_for(selection, index) {
                continue;
            }
            if reader.is_open(run.id, index)? {
                match open::rows_of(&reader, &run, index, &id, texts)? {
                    Ok(rows) => open.push(rows),
                    Err(reason) => unread.push(format!("{}: {reason}", run.model.name)),
                }
            } else {
                let mut group = rows_of(&reader, run.id, index, task, strategy)?;
                loaded.evidence.share(&mut group);
                if let Some(other) = groups.last() {
                    group.share(other);
                }
                groups.push(group);
            }
        }
        for mut group in ordered.selected {
            loaded.evidence.share(&mut group);
            groups.push(group);
        }
        let mut groups_asked = run.groups.iter();
        let cut = groups_asked.find_map(|(task, name)| files.cut_prompts(run.id, task, name));
        let cut = cut.map(|cut| format!("{}: {cut}", run.model.name));
        loaded.warnings.extend(cut);
        let name = run.model.name.clone();
        let source = Source {
            path: path.display().to_string(),
            run: Some(run.id),
            record: SourceRecord::Run {
                model: run.model,
                settings: run.settings,
            },
            started_at: Some(date(run.started_at)),
            provenance: files.of(run.id).and_then(|(_, p)| p.cloned()),
        };
        offered.unread.append(&mut unread);
        if !open.is_empty() {
            loaded.evidence.open.push(OpenEvidence {
                name: name.clone(),
                source: source.clone(),
                groups: open,
            });
        }
        loaded.evidence.models.push(ModelEvidence {
            name,
            source,
            groups,
            orders: ordered.rows,
        });
    }
    Ok(())
}

/// What a reader of a run's figures should know: whether it finished, is a part, or stopped early, and what it
/// has shown then.
fn remark(run: &RunInfo, files: &ResultsFiles, loaded: &mut Loaded) {
    if run.finished_at.is_none() {
        loaded.notes.push(format!(
            "run {} of {} is unfinished; using the answers so far",
            run.id, run.model.name
        ));
    }
    let settings = run.settings.run();
    if let Some(shard) = settings.and_then(|settings| settings.shard) {
        loaded.notes.push(format!(
            "run {} of {} is shard {shard}, only part of the questions; `sureness merge` \
             combines the shards",
            run.id, run.model.name
        ));
    }
    if settings.is_some_and(|settings| settings.until.is_some()) {
        let settled = files.settled(run.id);
        let where_to_look = match settled {
            Some(_) => "those under \"Stopped early\" do",
            None => "`settled` in its results.json, which is missing, does",
        };
        loaded.warnings.push(format!(
            "run {} of {} stopped early (--until): its figures and intervals are those of the questions asked \
             till then and do not allow for the stop; {where_to_look}",
            run.id, run.model.name
        ));
        if let Some(settled) = settled.filter(|settled| !loaded.settled.contains(settled)) {
            loaded.settled.push(settled.clone());
        }
    }
}

/// The rows of one group.
pub(crate) fn rows_of(
    reader: &Reader,
    run: i64,
    index: usize,
    task: &str,
    strategy: &str,
) -> Result<GroupRows, StoreError> {
    read_rows(task, strategy, |visit| reader.rows(run, index, visit))
}

/// The rows that `read` hands on, as those of one group.
fn read_rows(
    task: &str,
    strategy: &str,
    read: impl FnOnce(&mut dyn FnMut(StoredRow)) -> Result<(), StoreError>,
) -> Result<GroupRows, StoreError> {
    let mut rows: Vec<StoredRow> = Vec::new();
    let mut planned = 0;
    read(&mut |row| {
        planned += 1;
        if row.scores.is_some() {
            rows.push(row);
        }
    })?;
    let stride = rows
        .iter()
        .map(|row| row.question.options)
        .max()
        .unwrap_or(2);
    let mut found = GroupRows {
        id: GroupId {
            task: task.to_owned(),
            strategy: strategy.to_owned(),
        },
        title: Task::by_name(task).map_or_else(|| task.to_owned(), |task| task.title),
        ids: [].into(),
        table: Table::new(stride),
        categories: Vec::new(),
        mass: Vec::with_capacity(rows.len()),
        bounded: Vec::with_capacity(rows.len()),
        drawn: Vec::new(),
        clustered: false,
        planned,
    };
    let mut ids = Vec::with_capacity(rows.len());
    let mut numbers: HashMap<String, u32> = HashMap::new();
    for StoredRow {
        question,
        scores,
        drawn,
        ..
    } in rows
    {
        let Some(scores) = scores else { continue };
        let category = question.category.map(|name| {
            let next = numbers.len() as u32;
            *numbers.entry(name).or_insert_with_key(|name| {
                found.categories.push(name.clone());
                next
            })
        });
        let row = Row {
            key: &question.content,
            cluster: question.cluster.as_ref().map(<[u8; 32]>::as_slice),
            logits: (&scores.logprobs).into(),
            right: question.right,
            dont_know: question.dont_know,
            none_of_the_above: question.none_of_the_above,
        };
        found.clustered |= question.cluster.is_some();
        // Rows that cannot be scored count as unanswered.
        if found.table.push(question.content, &row, category).is_ok() {
            ids.push(question.id);
            found.mass.push(scores.mass);
            found.bounded.push(scores.observed.contains(&false));
            found.drawn.extend(drawn.and_then(counts_of));
        }
    }
    found.ids = ids.into();
    // Thoughts have log-probabilities after them.
    if found.drawn.len() != found.table.len() {
        found.drawn.clear();
    }
    // Unknown for imported logits and whole texts.
    if found.mass.iter().any(|mass| mass.is_nan()) {
        found.mass.clear();
    }
    Ok(found)
}

/// How often the answers drawn for a question chose each option; `None` where these were thoughts.
fn counts_of(drawn: Drawn) -> Option<DrawnCounts> {
    let chosen: u32 = drawn.chosen.iter().sum();
    (drawn.thoughts == 0).then(|| DrawnCounts {
        others: drawn.given() - chosen,
        chosen: drawn.chosen,
    })
}

/// Adds folder and run to the names of models that occur more than once.
fn name_apart(evidence: &mut Evidence) {
    let place = |source: &Source| (source.path.clone(), source.run);
    let mut places: HashMap<String, HashSet<(String, Option<i64>)>> = HashMap::new();
    let with_options = evidence.models.iter().map(|it| (&it.name, &it.source));
    let open = evidence.open.iter().map(|it| (&it.name, &it.source));
    for (name, source) in with_options.chain(open) {
        places
            .entry(name.clone())
            .or_default()
            .insert(place(source));
    }
    let with_options = evidence.models.iter_mut();
    let with_options = with_options.map(|it| (&mut it.name, &it.source));
    let open = evidence
        .open
        .iter_mut()
        .map(|it| (&mut it.name, &it.source));
    for (name, source) in with_options.chain(open) {
        if places.get(name).is_some_and(|places| places.len() > 1) {
            *name = named_apart(name, source);
        }
    }
}

fn named_apart(name: &str, source: &Source) -> String {
    let folder = Path::new(&source.path).parent().and_then(Path::file_name);
    let folder = folder.map(|folder| folder.to_string_lossy());
    let run = source.run.map(|run| format!("#{run}"));
    let (folder, run) = (folder.unwrap_or_default(), run.unwrap_or_default());
    format!("{name} ({folder}{run})")
}
