//! The template engine, set up to render what Hugging Face's does.

use jiff::civil::Date;
use jiff::fmt::strtime::{BrokenDownTime, Config, PosixCustom};
use jiff::tz::TimeZone;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind};
use serde::Serialize as _;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::FIXED_DATE;
use crate::PromptError;

/// Maximum steps of a template, which is untrusted. One message takes a few hundred; the limit
/// bounds time and memory.
const FUEL: u64 = 4_000_000;

/// An environment without templates.
pub(super) fn environment() -> Result<Environment<'static>, PromptError> {
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .map_err(|error| PromptError::TemplateSyntax {
            line: 1,
            message: message(&error),
        })?;
    let mut environment = Environment::new();
    environment.set_syntax(syntax);
    environment.set_fuel(Some(FUEL));
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_function("raise_exception", raise_exception);
    environment.add_filter("tojson", to_json);
    set_date(&mut environment, FIXED_DATE);
    Ok(environment)
}

/// Makes `date` the one that `strftime_now` prints.
pub(super) fn set_date(environment: &mut Environment<'static>, date: Date) {
    environment.add_function("strftime_now", move |pattern: &str| {
        strftime(date, pattern)
            .map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))
    });
}

/// As Python's `strftime` at midnight UTC: unknown directives stay as they are written.
fn strftime(date: Date, pattern: &str) -> Result<String, jiff::Error> {
    let config = Config::new().custom(PosixCustom::new()).lenient(true);
    BrokenDownTime::from(&date.to_zoned(TimeZone::UTC)?).to_string_with_config(&config, pattern)
}

/// The engine's error as one line, without template name and line number.
pub(super) fn message(error: &Error) -> String {
    match error.detail() {
        // A template's own complaint needs no introduction.
        Some(detail) if is_raised(error) => detail.to_owned(),
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

const RAISED: &str = "the template says: ";

fn is_raised(error: &Error) -> bool {
    error.detail().is_some_and(|text| text.starts_with(RAISED))
}

fn raise_exception(text: &str) -> Result<Value, Error> {
    Err(Error::new(
        ErrorKind::InvalidOperation,
        format!("{RAISED}{text}"),
    ))
}

/// `json.dumps` as Hugging Face calls it. The engine's own filter escapes for HTML.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the engine hands arguments over by value"
)]
fn to_json(value: &Value, kwargs: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = kwargs.get("indent")?;
    // Accepted and without effect here: text is never escaped to ASCII, keys keep their order.
    let _: Option<Value> = kwargs.get("ensure_ascii")?;
    let _: Option<Value> = kwargs.get("sort_keys")?;
    kwargs.assert_all_used()?;
    let text = match indent {
        Some(indent) => write_json(
            value,
            PrettyFormatter::with_indent(" ".repeat(indent.min(16)).as_bytes()),
        ),
        None => write_json(value, PythonFormatter),
    };
    text.map(Value::from_safe_string)
}

fn write_json(value: &Value, formatter: impl Formatter) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let failed = |error: String| Error::new(ErrorKind::BadSerialization, error);
    value
        .serialize(&mut Serializer::with_formatter(&mut bytes, formatter))
        .map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}

/// One line with a space after each comma and colon.
struct PythonFormatter;

impl Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
    ) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str) -> Result<String, Error> {
        environment().expect("valid syntax").render_str(source, ())
    }

    #[test]
    fn json_is_python_s() {
        let value = "{\"b\": [1, 2], \"a\": \"<'é'>\"}";
        assert_eq!(render(&format!("{{{{ {value}|tojson }}}}")).unwrap(), value);
        assert_eq!(
            render("{{ [1]|tojson(indent=2, ensure_ascii=false) }}").unwrap(),
            "[\n  1\n]"
        );
        assert!(render("{{ [1]|tojson(indnt=2) }}").is_err());
    }

    #[test]
    fn dates_are_printed_as_python_prints_them() {
        let format = |y, m, d, pattern| strftime(jiff::civil::date(y, m, d), pattern).unwrap();
        assert_eq!(strftime(FIXED_DATE, "%d %b %Y").unwrap(), "26 Jul 2024");
        assert_eq!(
            strftime(FIXED_DATE, "%A, %B %d, %Y, week day %w, day %j").unwrap(),
            "Friday, July 26, 2024, week day 5, day 208"
        );
        assert_eq!(format(2000, 2, 29, "%a %-d.%-m.%y %e"), "Tue 29.2.00 29");
        assert_eq!(
            format(1999, 12, 31, "%F %H:%M:%S %j %x"),
            "1999-12-31 00:00:00 365 12/31/99"
        );
        assert_eq!(format(2026, 3, 1, "%A %-j %-y %p"), "Sunday 60 26 AM");
        assert_eq!(format(2026, 3, 1, "100%% %J %-J %"), "100% %J %-J %");
    }

    #[test]
    fn blocks_are_trimmed_and_python_methods_work() {
        assert_eq!(
            render("a\n  {% if true %}\nb\n  {% endif %}\nc\n").unwrap(),
            "a\nb\nc"
        );
        assert_eq!(
            render("{{ 'a</think>\nb '.split('</think>')[-1].lstrip('\n').strip() }}").unwrap(),
            "b"
        );
    }

    #[test]
    fn endless_work_ends() {
        let source = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}\
                      {% set x = 1 %}{% endfor %}{% endfor %}{% endfor %}";
        assert_eq!(render(source).unwrap_err().kind(), ErrorKind::OutOfFuel);
    }
}
