//! Matrices and labels from Python.

use std::fmt::Display;

use numpy::{
    Element, PyArray, PyArray2, PyArrayMethods, PyReadonlyArray, PyReadonlyArray1,
    PyReadonlyArray2, PyUntypedArrayMethods, ndarray::Dimension,
};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};
use sureness_conformal::{Logits, Protocol, Real, RightOptions};

use crate::arrow::{self, Numbers};
use crate::refusal::refusal;

/// Options of a question, at least and at most.
const OPTIONS: std::ops::RangeInclusive<usize> = 2..=26;

/// One row per question and one column per option, in the precision in which it came.
pub(crate) enum Matrix<'py> {
    Single(PyReadonlyArray2<'py, f32>),
    Double(PyReadonlyArray2<'py, f64>),
    /// With the number of options.
    Arrow(Numbers, usize),
}

/// The numbers of a [`Matrix`], row by row, which other threads can read.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) values: Values<'a>,
    /// Number of columns.
    pub(crate) options: usize,
}

/// Numbers in either precision.
#[derive(Clone, Copy)]
pub(crate) enum Values<'a> {
    Single(&'a [f32]),
    Double(&'a [f64]),
}

impl<'py> Matrix<'py> {
    /// Reads a table or column of Arrow, an array of NumPy, or whatever NumPy makes one of: pandas,
    /// `PyTorch` on the CPU. Float32 and float64 in C order are not copied, nor is a column of lists.
    pub(crate) fn read(of: &Bound<'py, PyAny>, name: &str) -> PyResult<Self> {
        check_mask(of, name)?;
        // What needs no conversion takes no detour: a small matrix would spend most of its time there.
        if let Ok(array) = of.cast::<PyArray2<f64>>()
            && array.is_c_contiguous()
            && array.data().is_aligned()
        {
            check_options(array.shape()[1], name)?;
            return Ok(Self::Double(array.try_readonly()?));
        }
        if let Some(chunks) = arrow::chunks(of, name)?
            && let Some((numbers, options)) = arrow::matrix(&chunks, name)?
        {
            check_options(options, name)?;
            return Ok(Self::Arrow(numbers, options));
        }
        if of.is_instance_of::<PyString>() || of.hasattr("__fspath__")? {
            return Err(refusal(
                format_args!("{name} is a path, but needs numbers"),
                "read the file first: numpy.load(path), or sureness.read(path) for saved logits",
            ));
        }
        let array = as_array(of, name)?;
        let shape: Vec<usize> = array.getattr("shape")?.extract()?;
        let [_, options] = shape[..] else {
            return Err(refusal(
                format_args!("{name} has {} dimensions, but needs 2", shape.len()),
                "give one row per question and one column per option",
            ));
        };
        check_options(options, name)?;
        let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
        let bytes: usize = array.getattr("dtype")?.getattr("itemsize")?.extract()?;
        match (kind.as_str(), bytes) {
            ("f", ..=4) => Ok(Self::Single(contiguous(&array, "float32")?)),
            ("f" | "i" | "u", _) => Ok(Self::Double(contiguous(&array, "float64")?)),
            _ => {
                let dtype = array.getattr("dtype")?.str()?;
                Err(refusal(
                    format_args!("{name} has the type {dtype}, but needs numbers"),
                    "give an array of float32 or float64",
                ))
            }
        }
    }

    /// The numbers.
    pub(crate) fn rows(&self) -> PyResult<Rows<'_>> {
        Ok(match self {
            Self::Single(array) => Rows {
                values: Values::Single(array.as_slice()?),
                options: array.shape()[1],
            },
            Self::Double(array) => Rows {
                values: Values::Double(array.as_slice()?),
                options: array.shape()[1],
            },
            Self::Arrow(numbers, options) => Rows {
                values: match numbers {
                    Numbers::Single(values) => Values::Single(values.values()),
                    Numbers::Double(values) => Values::Double(values.values()),
                },
                options: *options,
            },
        })
    }
}

/// Whether the scores of a row are finite, in single precision too: the difference of two then is a
/// number in double precision.
fn is_sound(row: Logits<'_>) -> bool {
    row.iter().all(|score| (score as f32).is_finite())
}

/// Refuses a masked array with hidden values, which NumPy would read as they are.
fn check_mask(of: &Bound<'_, PyAny>, name: &str) -> PyResult<()> {
    let mut types = of.get_type().mro().iter();
    // Subclasses, too.
    let is_masked = |it: Bound<'_, PyAny>| {
        it.cast_into::<PyType>()
            .is_ok_and(|it| it.name().is_ok_and(|name| name == "MaskedArray"))
    };
    if !types.any(is_masked) {
        return Ok(());
    }
    let masked = of.getattr("mask")?.call_method0("any")?.is_truthy()?;
    if !masked {
        return Ok(());
    }
    Err(refusal(
        format_args!("{name} has masked values"),
        "leave out the questions that have any",
    ))
}

fn check_options(options: usize, name: &str) -> PyResult<()> {
    if OPTIONS.contains(&options) {
        return Ok(());
    }
    Err(refusal(
        format_args!("{name} has {options} columns, but a question has 2 to 26 options"),
        "give one row per question and one column per option",
    ))
}

impl<'a> Rows<'a> {
    /// Number of rows.
    pub(crate) fn len(self) -> usize {
        let numbers = match self.values {
            Values::Single(values) => values.len(),
            Values::Double(values) => values.len(),
        };
        numbers / self.options
    }

    /// One row.
    pub(crate) fn row(self, index: usize) -> Logits<'a> {
        let start = index * self.options;
        match self.values {
            Values::Single(values) => Logits::Single(&values[start..][..self.options]),
            Values::Double(values) => Logits::Double(&values[start..][..self.options]),
        }
    }
}

/// `numpy.asarray`, which takes whatever has `__array__` or a buffer; `numpy.from_dlpack` for tensors
/// that have neither.
fn as_array<'py>(of: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let numpy = of.py().import("numpy")?;
    let has_array = of.hasattr("__array__")? || of.hasattr("__array_interface__")?;
    let read = if !has_array && of.hasattr("__dlpack__")? {
        numpy.call_method1("from_dlpack", (of,))
    } else {
        numpy.call_method1("asarray", (of,))
    };
    let read = read.and_then(|array| match pandas_type(of, &array)? {
        None => Ok(array),
        // With NaN for what is missing, which is told where it lies.
        Some("float64") => of.call_method1("to_numpy", ("float64", false, f64::NAN)),
        Some(dtype) => of.call_method1("to_numpy", (dtype,)),
    });
    read.map_err(|error| {
        refusal(
            format_args!(
                "{name} cannot be read as an array: {}",
                error.value(of.py())
            ),
            "give a NumPy array, or what NumPy can read: of PyTorch, tensor.detach().cpu()",
        )
    })
}

/// The type of the numbers in a table or column of pandas that NumPy makes objects of, as those with a
/// place for missing values are.
fn pandas_type(of: &Bound<'_, PyAny>, array: &Bound<'_, PyAny>) -> PyResult<Option<&'static str>> {
    let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
    if kind != "O" || !arrow::is_pandas(of)? {
        return Ok(None);
    }
    let types = of.getattr("dtypes")?;
    let types: Vec<Bound<'_, PyAny>> = match types.try_iter() {
        Ok(columns) => columns.collect::<PyResult<_>>()?,
        Err(_) => vec![types],
    };
    let kinds = types.iter().map(|it| it.getattr("kind")?.extract());
    let kinds: Vec<String> = kinds.collect::<PyResult<_>>()?;
    let all = |of: &[&str]| kinds.iter().all(|kind| of.contains(&kind.as_str()));
    Ok(if all(&["b"]) {
        Some("bool")
    } else if all(&["i", "u"]) {
        Some("int64")
    } else {
        all(&["i", "u", "f"]).then_some("float64")
    })
}

/// The array itself where it already has this type, in C order and where numbers of it may lie.
fn contiguous<'py, T: Element, D: Dimension>(
    array: &Bound<'py, PyAny>,
    dtype: &str,
) -> PyResult<PyReadonlyArray<'py, T, D>> {
    let numpy = array.py().import("numpy")?;
    let array = numpy.call_method1("require", (array, dtype, ["C", "ALIGNED"]))?;
    let array = array.cast_into::<PyArray<T, D>>()?;
    Ok(array.try_readonly()?)
}

/// The right option of each question, or several.
pub(crate) fn labels(of: &Bound<'_, PyAny>, rows: Rows<'_>) -> PyResult<Vec<RightOptions>> {
    let count = |found: usize| {
        if found == rows.len() {
            return Ok(());
        }
        Err(refusal(
            format_args!(
                "labels has {found} rows, but there are {} questions",
                rows.len()
            ),
            "give one label per row",
        ))
    };
    check_mask(of, "labels")?;
    if let Some(chunks) = arrow::chunks(of, "labels")?
        && let Some(labels) = arrow::whole_numbers(&chunks, "labels")?
    {
        count(labels.len())?;
        return indices(&labels, rows.options);
    }
    let array = as_array(of, "labels")?;
    let shape: Vec<usize> = array.getattr("shape")?.extract()?;
    let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
    count(shape.first().copied().unwrap_or(0))?;
    match (kind.as_str(), shape.len()) {
        ("i", 1) => {
            let array: PyReadonlyArray1<'_, i64> = contiguous(&array, "int64")?;
            indices(array.as_slice()?, rows.options)
        }
        ("u", 1) => {
            let array: PyReadonlyArray1<'_, u64> = contiguous(&array, "uint64")?;
            indices(array.as_slice()?, rows.options)
        }
        ("b", 2) if shape[1] == rows.options => masks(&array, rows.options),
        _ => Err(refusal(
            "labels are neither indices nor a mask of the right options",
            "give one whole number per question, counted from 0, or booleans of the shape of the scores",
        )),
    }
}

fn indices<T: Copy + Display + TryInto<usize>>(
    labels: &[T],
    options: usize,
) -> PyResult<Vec<RightOptions>> {
    let of = |(row, &label): (usize, &T)| match label.try_into() {
        Ok(option) if option < options => Ok(option.into()),
        _ => Err(refusal(
            format_args!(
                "labels, row {row} (counted from 0): {label} is not the index of one of {options} options"
            ),
            "count options from 0",
        )),
    };
    labels.iter().enumerate().map(of).collect()
}

fn masks(array: &Bound<'_, PyAny>, options: usize) -> PyResult<Vec<RightOptions>> {
    let array: PyReadonlyArray2<'_, bool> = contiguous(array, "bool")?;
    let rows = array.as_slice()?.chunks_exact(options).enumerate();
    rows.map(|(row, mask)| {
        let right = (0..).zip(mask).filter(|&(_, &right)| right);
        RightOptions::of(right.map(|(option, _)| option)).ok_or_else(|| {
            refusal(
                format_args!("labels, row {row} (counted from 0): no option is right"),
                "mark at least one option of each question",
            )
        })
    })
    .collect()
}

/// Probabilities of `logits` (or log-probabilities), row by row: in float32 under the paper's
/// protocol, else in float64.
#[pyfunction]
pub(crate) fn softmax<'py>(
    py: Python<'py>,
    logits: &Bound<'py, PyAny>,
    protocol: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let matrix = Matrix::read(logits, "logits")?;
    let rows = matrix.rows()?;
    match crate::settings::protocol(protocol)? {
        Protocol::Paper => Ok(softmax_as::<f32>(py, rows)?.into_any()),
        Protocol::Standard => Ok(softmax_as::<f64>(py, rows)?.into_any()),
    }
}

fn softmax_as<'py, F: Real + Element>(
    py: Python<'py>,
    rows: Rows<'_>,
) -> PyResult<Bound<'py, PyArray2<F>>> {
    let out = PyArray2::<F>::zeros(py, [rows.len(), rows.options], false);
    {
        let mut writable = out.try_readwrite()?;
        let into = writable.as_slice_mut()?;
        let bad = py.detach(|| {
            let (mut values, mut probabilities) = (Vec::new(), Vec::new());
            for (index, into) in into.chunks_exact_mut(rows.options).enumerate() {
                let row = rows.row(index);
                if !is_sound(row) {
                    return Some(index);
                }
                row.copy_to::<F>(&mut values);
                sureness_conformal::softmax(&values, &mut probabilities);
                into.copy_from_slice(&probabilities);
            }
            None
        });
        if let Some(row) = bad {
            return Err(refusal(
                format_args!(
                    "logits, row {row} (counted from 0): a score is NaN, infinite or beyond single precision"
                ),
                "leave out questions without an answer",
            ));
        }
    }
    Ok(out)
}
