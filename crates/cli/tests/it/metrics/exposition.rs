//! Prometheus' text format, read strictly: whatever is not as its description has it panics.

use std::collections::{BTreeMap, BTreeSet};

/// One scrape.
pub(crate) struct Exposition {
    samples: BTreeMap<Series, f64>,
    counters: BTreeSet<String>,
}

/// Name and labels.
type Series = (String, Vec<(String, String)>);

impl Exposition {
    pub(crate) fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line is not ended");
        let mut samples = BTreeMap::new();
        let (mut kinds, mut helped) = (BTreeMap::new(), BTreeSet::new());
        let mut current = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect(line);
                assert!(is_name(name) && !help.is_empty(), "{line}");
                assert!(helped.insert(name.to_owned()), "twice: {line}");
                name.clone_into(&mut current);
                continue;
            }
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect(line);
                assert_eq!(name, current, "no help before: {line}");
                assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
                assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none());
                continue;
            }
            assert!(!line.starts_with('#') && !line.is_empty(), "{line:?}");
            let (series, value) = sample(line);
            let kind = kinds.get(&current).expect(line);
            let fits = match kind.as_str() {
                "histogram" => ["_bucket", "_sum", "_count"]
                    .iter()
                    .any(|end| series.0 == format!("{current}{end}")),
                _ => series.0 == current,
            };
            assert!(fits, "{line} is no {current}");
            if kind == "counter" {
                assert!(current.ends_with("_total"), "{line}");
            }
            if kind != "gauge" {
                assert!(value >= 0.0, "{line}");
            }
            assert!(samples.insert(series, value).is_none(), "twice: {line}");
        }
        let counters = kinds.into_iter().filter(|(_, kind)| kind == "counter");
        let exposition = Self {
            counters: counters.map(|(name, _)| name).collect(),
            samples,
        };
        exposition.check_histograms();
        exposition
    }

    /// The sum of all series of this name that have these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |series: &[(String, String)]| {
            labels
                .iter()
                .all(|(label, value)| series.iter().any(|(l, v)| l == label && v == value))
        };
        self.samples
            .iter()
            .filter(|((n, series), _)| n == name && has(series))
            .map(|(_, value)| value)
            .sum()
    }

    pub(crate) fn never_counts_back_from(&self, earlier: &Self) {
        for (series, before) in &earlier.samples {
            if self.counters.contains(&series.0) {
                let now = self.samples.get(series).expect("a series is gone");
                assert!(now >= before, "{series:?}: {now} after {before}");
            }
        }
    }

    /// Buckets are cumulative, and the last one holds all.
    fn check_histograms(&self) {
        let mut buckets: BTreeMap<Series, Vec<(f64, f64)>> = BTreeMap::new();
        for ((name, labels), count) in &self.samples {
            if let Some(name) = name.strip_suffix("_bucket") {
                let (bound, rest): (Vec<_>, Vec<_>) =
                    labels.iter().cloned().partition(|(label, _)| label == "le");
                let bound = bound
                    .first()
                    .expect("a bucket without a bound")
                    .1
                    .parse()
                    .unwrap();
                let series = (name.to_owned(), rest);
                buckets.entry(series).or_default().push((bound, *count));
            }
        }
        for ((name, labels), mut buckets) in buckets {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(
                buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1),
                "{buckets:?}"
            );
            let (bound, count) = buckets[buckets.len() - 1];
            assert!(bound.is_infinite());
            let total = self.samples.get(&(format!("{name}_count"), labels));
            assert_eq!(total, Some(&count));
        }
    }
}

/// `name{label="value",…} number`.
fn sample(line: &str) -> (Series, f64) {
    let (series, value) = line.rsplit_once(' ').expect(line);
    let value: f64 = value.parse().expect(line);
    assert!(value.is_finite(), "{line}");
    let Some((name, labels)) = series.split_once('{') else {
        assert!(is_name(series), "{line}");
        return ((series.to_owned(), Vec::new()), value);
    };
    assert!(is_name(name), "{line}");
    let mut rest = labels.strip_suffix('}').expect(line);
    let mut read = Vec::new();
    while !rest.is_empty() {
        let (label, quoted) = rest.split_once("=\"").expect(line);
        assert!(is_name(label) && !label.contains(':'), "{line}");
        let mut value = String::new();
        let mut letters = quoted.char_indices();
        let end = loop {
            match letters.next().expect(line) {
                (end, '"') => break end,
                (_, '\\') => match letters.next().expect(line).1 {
                    'n' => value.push('\n'),
                    letter @ ('\\' | '"') => value.push(letter),
                    _ => panic!("{line}"),
                },
                (_, letter) => value.push(letter),
            }
        };
        assert!(read.iter().all(|(other, _)| other != label), "{line}");
        read.push((label.to_owned(), value));
        rest = &quoted[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or_else(|| {
            assert!(rest.is_empty(), "{line}");
            rest
        });
    }
    read.sort();
    ((name.to_owned(), read), value)
}

fn is_name(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    text.starts_with(first) && text.chars().all(|c| first(c) || c.is_ascii_digit())
}
