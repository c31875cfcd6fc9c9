//! Price lists: the prices of tokens by model, from a TOML file.
//!
//! ```toml
//! currency = "USD"
//!
//! ["small-model"]
//! in = 0.15
//! cached = 0.075
//! out = 0.6
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::budget::Prices;
use crate::error::Failure;

/// The key of a currency: at the top for all models, or in a model's table.
const CURRENCY: &str = "currency";
/// The hint for another key in a model's table.
const KEYS: &str = "a model has the keys in, out, cached and currency";
/// The largest accepted price: more is a mistake.
const MOST: f64 = 1e9;
/// Models that a message names.
const NAMED: usize = 12;

/// Prices by the model's name, per million tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceList {
    file: PathBuf,
    models: BTreeMap<String, Prices>,
}

impl PriceList {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not TOML, or has a key or value that is none of a price list.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Failure::new(format!(
                "cannot read the price file {}: {error}",
                file.display()
            ))
            .hint("check the path given to --prices and that the file is readable UTF-8 text")
        })?;
        let reader = Reader {
            text: &text,
            file: file.display().to_string(),
        };
        Ok(Self {
            file: file.to_owned(),
            models: reader.models()?,
        })
    }

    /// The prices of the model with this name.
    ///
    /// # Errors
    ///
    /// If the file does not have it.
    pub fn of(&self, model: &str) -> Result<&Prices, Failure> {
        self.models.get(model).ok_or_else(|| {
            let names: Vec<&str> = self.models.keys().take(NAMED).map(String::as_str).collect();
            let more = self.models.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            Failure::new(format!(
                "{} has no prices of {model:?}; it has {}{more}",
                self.file.display(),
                names.join(", ")
            ))
            .hint(format!(
                "add a table [{model:?}] with `in` and `out`, the prices of a million tokens, or give --price-in and --price-out"
            ))
        })
    }
}

type Entry<'a> = Spanned<DeValue<'a>>;

struct Reader<'a> {
    text: &'a str,
    file: String,
}

impl Reader<'_> {
    fn models(&self) -> Result<BTreeMap<String, Prices>, Failure> {
        let root = DeTable::parse(self.text).map_err(|error| {
            let line = self.line(error.span().map_or(0, |span| span.start));
            let message = error.message().trim().replace('\n', "; ");
            Failure::new(format!("{}, line {line}: not valid TOML: {message}", self.file))
                .hint("write a table per model: its name in double quotes between brackets, then `in = 0.15` and `out = 0.6`")
        })?;
        let mut currency = None;
        let mut tables = Vec::new();
        for (name, value) in root.get_ref() {
            let (place, name) = (name.span().start, name.get_ref());
            match value.get_ref() {
                DeValue::Table(table) => tables.push((place, name.to_string(), table)),
                DeValue::String(text) if name == CURRENCY => currency = Some(text.to_string()),
                _ => return Err(self.stray(place, name)),
            }
        }
        let mut models = BTreeMap::new();
        for (place, name, table) in tables {
            let prices = self.prices(place, &name, table, currency.clone())?;
            models.insert(name, prices);
        }
        if models.is_empty() {
            return Err(
                Failure::new(format!("{}: it has no model", self.file)).hint(
                    "add a table per model, such as [\"my-model\"] with in = 0.15 and out = 0.6",
                ),
            );
        }
        Ok(models)
    }

    /// The prices in the table of a model.
    fn prices(
        &self,
        place: usize,
        model: &str,
        table: &DeTable<'_>,
        currency: Option<String>,
    ) -> Result<Prices, Failure> {
        let [mut prompt, mut answer, mut cached] = [None; 3];
        let mut currency = currency;
        for (name, value) in table {
            let key = name.get_ref().as_ref();
            let place = name.span().start;
            match key {
                "in" => prompt = Some(self.price(place, model, key, value)?),
                "out" => answer = Some(self.price(place, model, key, value)?),
                "cached" => cached = Some(self.price(place, model, key, value)?),
                CURRENCY => currency = Some(self.currency(place, model, value)?),
                _ if value.get_ref().is_table() => return Err(self.dotted(place, model, key)),
                _ => {
                    return Err(self.error(place, &format!("{model:?}: `{key}` is unknown"), KEYS));
                }
            }
        }
        let missing = |key: &str| {
            self.error(
                place,
                &format!("{model:?} has no price `{key}`"),
                "give both: `in` of a million prompt tokens, `out` of a million answer tokens; 0 is a price",
            )
        };
        Ok(Prices {
            prompt: prompt.ok_or_else(|| missing("in"))?,
            cached,
            answer: answer.ok_or_else(|| missing("out"))?,
            currency,
        })
    }

    fn price(
        &self,
        place: usize,
        model: &str,
        key: &str,
        value: &Entry<'_>,
    ) -> Result<f64, Failure> {
        let text = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            _ => "",
        };
        let number: Option<f64> = text.parse().ok();
        number.filter(|price| (0.0..=MOST).contains(price)).ok_or_else(|| {
            self.error(
                place,
                &format!("{model:?}: `{key}` is not a price"),
                "give a number from 0 on, without quotes or a currency sign: the price of a million tokens",
            )
        })
    }

    fn currency(&self, place: usize, model: &str, value: &Entry<'_>) -> Result<String, Failure> {
        let text = value.get_ref().as_str().map(str::trim);
        let text = text.filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| {
            let what = format!("{model:?}: `currency` is not a name");
            self.error(place, &what, "write it like currency = \"USD\"")
        })
    }

    /// A value at the top that is no model's.
    fn stray(&self, place: usize, name: &str) -> Failure {
        let what = format!("`{name}` is neither the table of a model nor a currency");
        let hint = "put prices under the name of their model, such as [\"my-model\"]; `currency = \"USD\"` may \
                    stand before all";
        self.error(place, &what, hint)
    }

    /// A table in the table of a model: mostly a name with a dot and without quotes.
    fn dotted(&self, place: usize, model: &str, key: &str) -> Failure {
        let what = format!("`{model}.{key}` is a table within a table");
        let hint = format!("put a name with a dot in double quotes: [\"{model}.{key}\"]");
        self.error(place, &what, &hint)
    }

    fn error(&self, place: usize, what: &str, hint: &str) -> Failure {
        Failure::new(format!("{}, line {}: {what}", self.file, self.line(place))).hint(hint)
    }

    /// Line of a byte offset, from 1.
    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        1 + before.filter(|&&byte| byte == b'\n').count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PriceList, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("prices.toml");
        std::fs::write(&file, text).unwrap();
        PriceList::read(&file)
    }

    #[test]
    fn each_model_has_its_prices_and_the_currency_of_all() {
        let list = read(
            "currency = 'USD'\n[small]\nin = 0.15\nout = 1_0\ncached = 0\n\
             ['big.1']\nin = 2\nout = 8.5\ncurrency = 'EUR'\n",
        )
        .unwrap();
        let small = list.of("small").unwrap();
        assert_eq!(
            (small.prompt, small.answer, small.cached),
            (0.15, 10.0, Some(0.0))
        );
        assert_eq!(small.currency.as_deref(), Some("USD"));
        let big = list.of("big.1").unwrap();
        assert_eq!((big.prompt, big.answer, big.cached), (2.0, 8.5, None));
        assert_eq!(big.currency.as_deref(), Some("EUR"));
        let unknown = list.of("huge").unwrap_err();
        assert!(
            unknown
                .to_string()
                .contains("no prices of \"huge\"; it has big.1, small")
        );
        assert!(unknown.to_do().unwrap().contains("[\"huge\"]"));
    }

    #[test]
    fn every_mistake_names_its_line_and_what_to_do() {
        for (text, line, what) in [
            ("[a\nin = 1", 1, "not valid TOML"),
            ("[a]\nin = 1\nout = 'two'", 3, "`out` is not a price"),
            ("[a]\nin = -1\nout = 2", 2, "`in` is not a price"),
            ("[a]\nin = nan\nout = 2", 2, "`in` is not a price"),
            ("[a]\nin = 0x10\nout = 2", 2, "`in` is not a price"),
            ("[a]\nin = inf\nout = 2", 2, "`in` is not a price"),
            ("\n[a]\nin = 1", 2, "no price `out`"),
            ("[a]\nin = 1\nout = 1\nprice = 3", 4, "`price` is unknown"),
            ("[gpt-4.1]\nin = 1\nout = 1", 1, "table within a table"),
            ("in = 1", 1, "neither the table of a model nor a currency"),
            (
                "[a]\nin = 1\nout = 1\ncurrency = 3",
                4,
                "`currency` is not a name",
            ),
            ("[a]\nin = 1\nout = 1\n[a]\nin = 2", 4, "not valid TOML"),
        ] {
            let failure = read(text).unwrap_err();
            let message = failure.to_string();
            assert!(message.contains(what), "{text:?}: {message}");
            assert!(
                message.contains(&format!("line {line}:")),
                "{text:?}: {message}"
            );
            assert!(failure.to_do().is_some(), "{text:?}");
        }
        assert!(read("").unwrap_err().to_string().contains("no model"));
        let none = PriceList::read(Path::new("no/such/prices.toml")).unwrap_err();
        assert!(none.to_string().contains("cannot read"), "{none}");
    }
}
