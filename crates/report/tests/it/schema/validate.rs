//! As much of JSON Schema as the published schemas use. A keyword that it does not know is an
//! error, so that nothing passes unchecked. `scripts/verify/schema.py` asks a full validator.

use serde_json::Value;

/// What is wrong with `value`, with the place of each error.
pub(crate) fn errors(schema: &Value, value: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    check(schema, schema, value, "", &mut errors);
    errors
}

fn check(root: &Value, schema: &Value, value: &Value, place: &str, errors: &mut Vec<String>) {
    let schema = match schema {
        Value::Bool(true) => return,
        Value::Object(schema) => schema,
        _ => panic!("{place}: no schema: {schema}"),
    };
    let mut wrong = |what: String| errors.push(format!("{place}: {what}"));
    for (keyword, argument) in schema {
        match keyword.as_str() {
            "type" if !types(argument).any(|name| is(name, value)) => {
                wrong(format!("{value} is not {argument}"));
            }
            "const" if argument != value => wrong(format!("{value} is not {argument}")),
            "enum" if !list(argument).contains(value) => {
                wrong(format!("{value} is none of {argument}"));
            }
            "minimum" if value.as_f64() < argument.as_f64() => {
                wrong(format!("{value} is below {argument}"));
            }
            "maximum" if value.as_f64() > argument.as_f64() => {
                wrong(format!("{value} is above {argument}"));
            }
            "minItems"
                if value
                    .as_array()
                    .is_some_and(|v| (v.len() as u64) < number(argument)) =>
            {
                wrong(format!("fewer than {argument} items"));
            }
            "maxItems"
                if value
                    .as_array()
                    .is_some_and(|v| v.len() as u64 > number(argument)) =>
            {
                wrong(format!("more than {argument} items"));
            }
            "required" => {
                for name in list(argument) {
                    if value.is_object() && value.get(name.as_str().unwrap()).is_none() {
                        wrong(format!("{name} is missing"));
                    }
                }
            }
            "anyOf" | "oneOf" => {
                let fits = |schema: &&Value| errors_in(root, schema, value, place).is_empty();
                let count = list(argument).iter().filter(fits).count();
                if count == 0 || (keyword == "oneOf" && count > 1) {
                    wrong(format!("{value} fits {count} of the alternatives"));
                }
            }
            // Met, looked at below, or said for people alone.
            "type"
            | "const"
            | "enum"
            | "minimum"
            | "maximum"
            | "minItems"
            | "maxItems"
            | "$ref"
            | "properties"
            | "additionalProperties"
            | "items"
            | "prefixItems"
            | "$schema"
            | "$defs"
            | "title"
            | "description"
            | "default"
            | "format" => {}
            other => panic!("{place}: the validator does not know {other:?}"),
        }
    }
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = reference.strip_prefix('#').and_then(|at| root.pointer(at));
        let target = target.unwrap_or_else(|| panic!("{place}: no {reference}"));
        check(root, target, value, place, errors);
    }
    let known = schema.get("properties").and_then(Value::as_object);
    for (name, item) in value.as_object().into_iter().flatten() {
        let place = format!("{place}/{name}");
        if let Some(schema) = known.and_then(|known| known.get(name)) {
            check(root, schema, item, &place, errors);
        } else if let Some(schema) = schema.get("additionalProperties") {
            match schema {
                Value::Bool(false) => errors.push(format!("{place}: unknown")),
                schema => check(root, schema, item, &place, errors),
            }
        }
    }
    let first = schema.get("prefixItems").map_or(&[][..], list);
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(schema) = first.get(at).or(schema.get("items")) {
            check(root, schema, item, &format!("{place}/{at}"), errors);
        }
    }
}

fn errors_in(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut errors = Vec::new();
    check(root, schema, value, place, &mut errors);
    errors
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn types(argument: &Value) -> impl Iterator<Item = &str> {
    let one = argument.as_str();
    let many = argument.as_array().into_iter().flatten();
    one.into_iter().chain(many.filter_map(Value::as_str))
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|x| x.fract() == 0.0)
        }
        other => panic!("no type {other:?}"),
    }
}
