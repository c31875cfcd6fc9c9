//! Tables and columns of other packages through Arrow's `PyCapsule` interface: pyarrow, Polars, `DuckDB`
//! and whatever else has `__arrow_c_stream__` or `__arrow_c_array__`.

use std::ptr;

use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, GenericListArray, OffsetSizeTrait, PrimitiveArray,
    make_array,
};
use arrow_schema::{ArrowError, DataType};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

use crate::refusal::refusal;

/// A matrix, row by row.
pub(crate) enum Numbers {
    Single(PrimitiveArray<Float32Type>),
    Double(PrimitiveArray<Float64Type>),
}

/// Whether it is of pandas, whose module has no dot from version 3 on.
pub(crate) fn is_pandas(of: &Bound<'_, PyAny>) -> PyResult<bool> {
    let module: String = of.get_type().getattr("__module__")?.extract()?;
    Ok(module == "pandas" || module.starts_with("pandas."))
}

/// The chunks of a table or column, or nothing where it has no Arrow interface. What pandas has is
/// NumPy's already.
pub(crate) fn chunks(of: &Bound<'_, PyAny>, name: &str) -> PyResult<Option<Vec<ArrayRef>>> {
    // Through Arrow, pandas makes its index a column.
    if is_pandas(of)? {
        return Ok(None);
    }
    let read = if of.hasattr("__arrow_c_stream__")? {
        let capsule = of.call_method0("__arrow_c_stream__")?;
        stream(&capsule.cast_into::<PyCapsule>()?)?
    } else if of.hasattr("__arrow_c_array__")? {
        let pair = of
            .call_method0("__arrow_c_array__")?
            .cast_into::<PyTuple>()?;
        let (schema, array) = (pair.get_item(0)?, pair.get_item(1)?);
        array_of(&schema.cast_into()?, &array.cast_into()?)?.map(|array| vec![array])
    } else {
        return Ok(None);
    };
    read.map(Some).map_err(|error| {
        refusal(
            format_args!("{name} cannot be read as Arrow: {error}"),
            "give a NumPy array",
        )
    })
}

/// Takes the stream out of its capsule, as the interface has it: what is left there is released.
#[expect(
    unsafe_code,
    reason = "Arrow's C stream interface is a struct behind a pointer"
)]
fn stream(capsule: &Bound<'_, PyCapsule>) -> PyResult<Result<Vec<ArrayRef>, ArrowError>> {
    let stream = capsule.pointer_checked(Some(c"arrow_array_stream"))?;
    // SAFETY: a capsule of this name holds such a struct, and lives while it is borrowed.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(stream.cast().as_ptr()) };
    Ok(ArrayStreamReader::try_new(stream).and_then(Iterator::collect))
}

/// Takes the array out of its capsule.
#[expect(
    unsafe_code,
    reason = "Arrow's C data interface is two structs behind pointers"
)]
fn array_of(
    schema: &Bound<'_, PyCapsule>,
    array: &Bound<'_, PyCapsule>,
) -> PyResult<Result<ArrayRef, ArrowError>> {
    let schema = schema.pointer_checked(Some(c"arrow_schema"))?;
    let array = array.pointer_checked(Some(c"arrow_array"))?;
    // SAFETY: capsules of these names hold such structs, which describe each other, and live while
    // they are borrowed. The array is replaced by an empty one, which nobody releases again.
    let data = unsafe {
        let array = ptr::replace(
            array.cast::<FFI_ArrowArray>().as_ptr(),
            FFI_ArrowArray::empty(),
        );
        from_ffi(array, schema.cast::<FFI_ArrowSchema>().as_ref())
    };
    Ok(data.map(make_array))
}

/// The numbers of a table with one column of floats per option, or of a column with one list of floats
/// per question, and the number of options. A list column in one chunk is not copied. Nothing where
/// the types are others.
pub(crate) fn matrix(chunks: &[ArrayRef], name: &str) -> PyResult<Option<(Numbers, usize)>> {
    let chunks: Vec<ArrayRef> = chunks.iter().map(inner).collect();
    refuse_nulls(&chunks, name)?;
    let Some(first) = chunks.first() else {
        return Ok(None);
    };
    if let Some(table) = first.as_struct_opt() {
        let single = table
            .columns()
            .iter()
            .all(|c| *c.data_type() == DataType::Float32);
        let options = table.num_columns();
        return Ok(if single {
            transposed::<Float32Type>(&chunks).map(|all| (Numbers::Single(all), options))
        } else {
            transposed::<Float64Type>(&chunks).map(|all| (Numbers::Double(all), options))
        });
    }
    Ok(lists::<Float32Type>(&chunks)
        .map(|(all, options)| (Numbers::Single(all), options))
        .or_else(|| {
            lists::<Float64Type>(&chunks).map(|(all, options)| (Numbers::Double(all), options))
        }))
}

/// Whole numbers of a column, or of a table with one column.
pub(crate) fn whole_numbers(chunks: &[ArrayRef], name: &str) -> PyResult<Option<Vec<i64>>> {
    let chunks: Vec<ArrayRef> = chunks.iter().map(inner).collect();
    refuse_nulls(&chunks, name)?;
    Ok(chunks
        .iter()
        .map(integers)
        .collect::<Option<Vec<_>>>()
        .map(|all| all.concat()))
}

fn integers(chunk: &ArrayRef) -> Option<Vec<i64>> {
    fn of<T: ArrowPrimitiveType<Native: TryInto<i64>>>(chunk: &ArrayRef) -> Option<Vec<i64>> {
        let values = chunk.as_primitive_opt::<T>()?.values();
        values.iter().map(|&value| value.try_into().ok()).collect()
    }
    match chunk.data_type() {
        DataType::Int8 => of::<Int8Type>(chunk),
        DataType::Int16 => of::<Int16Type>(chunk),
        DataType::Int32 => of::<Int32Type>(chunk),
        DataType::Int64 => of::<Int64Type>(chunk),
        DataType::UInt8 => of::<UInt8Type>(chunk),
        DataType::UInt16 => of::<UInt16Type>(chunk),
        DataType::UInt32 => of::<UInt32Type>(chunk),
        DataType::UInt64 => of::<UInt64Type>(chunk),
        _ => None,
    }
}

/// The only column of a table in its place.
fn inner(chunk: &ArrayRef) -> ArrayRef {
    match chunk.as_struct_opt().map(arrow_array::StructArray::columns) {
        Some([only]) => only.clone(),
        _ => chunk.clone(),
    }
}

fn refuse_nulls(chunks: &[ArrayRef], name: &str) -> PyResult<()> {
    fn holds_null(array: &ArrayRef) -> bool {
        if array.null_count() > 0 {
            return true;
        }
        match array.data_type() {
            DataType::Struct(_) => array.as_struct().columns().iter().any(holds_null),
            DataType::FixedSizeList(..) => holds_null(array.as_fixed_size_list().values()),
            DataType::List(_) => holds_null(&values(array.as_list::<i32>())),
            DataType::LargeList(_) => holds_null(&values(array.as_list::<i64>())),
            _ => false,
        }
    }
    if chunks.iter().any(holds_null) {
        return Err(refusal(
            format_args!("{name} holds nulls"),
            "leave out questions without an answer",
        ));
    }
    Ok(())
}

/// The values of these lists: those of a slice hold what lies outside it as well.
fn values<O: OffsetSizeTrait>(lists: &GenericListArray<O>) -> ArrayRef {
    let offsets = lists.value_offsets();
    let (first, end) = (offsets[0].as_usize(), offsets[lists.len()].as_usize());
    lists.values().slice(first, end - first)
}

/// Columns of either precision, row by row.
fn transposed<T: ArrowPrimitiveType<Native: From<f32>>>(
    chunks: &[ArrayRef],
) -> Option<PrimitiveArray<T>> {
    let rows: usize = chunks.iter().map(Array::len).sum();
    let options = chunks.first()?.as_struct_opt()?.num_columns();
    let mut all = vec![T::Native::default(); rows * options];
    let mut begin = 0;
    for chunk in chunks {
        for (option, column) in chunk.as_struct_opt()?.columns().iter().enumerate() {
            let into = all[begin..].iter_mut().skip(option).step_by(options);
            if let Some(same) = column.as_primitive_opt::<T>() {
                into.zip(same.values())
                    .for_each(|(into, &value)| *into = value);
            } else {
                let single = column.as_primitive_opt::<Float32Type>()?;
                into.zip(single.values())
                    .for_each(|(into, &value)| *into = value.into());
            }
        }
        begin += chunk.len() * options;
    }
    Some(PrimitiveArray::from_iter_values(all))
}

/// Lists that are all as long as the first.
fn lists<T: ArrowPrimitiveType>(chunks: &[ArrayRef]) -> Option<(PrimitiveArray<T>, usize)> {
    let parts: Option<Vec<_>> = chunks.iter().map(flat).collect();
    let parts = parts?;
    let options = parts.first()?.1;
    let mut values = Vec::new();
    for (part, own) in &parts {
        let part = part.as_primitive_opt::<T>()?;
        if *own != options {
            return None;
        }
        values.push(part.clone());
    }
    let all = match &values[..] {
        [only] => only.clone(),
        several => {
            let several = several
                .iter()
                .flat_map(|part| part.values().iter().copied());
            PrimitiveArray::from_iter_values(several)
        }
    };
    Some((all, options))
}

/// The numbers of a chunk's lists, one list after the other, and the length of each.
fn flat(chunk: &ArrayRef) -> Option<(ArrayRef, usize)> {
    if let Some(lists) = chunk.as_fixed_size_list_opt() {
        let options = usize::try_from(lists.value_length()).ok()?;
        return Some((lists.values().clone(), options));
    }
    match chunk.data_type() {
        DataType::List(_) => of_equal_length(chunk.as_list::<i32>()),
        DataType::LargeList(_) => of_equal_length(chunk.as_list::<i64>()),
        _ => None,
    }
}

fn of_equal_length<O: OffsetSizeTrait>(lists: &GenericListArray<O>) -> Option<(ArrayRef, usize)> {
    let offsets = lists.value_offsets();
    let options = (*offsets.get(1)? - offsets[0]).as_usize();
    let mut pairs = offsets.windows(2);
    let equal = pairs.all(|pair| (pair[1] - pair[0]).as_usize() == options);
    equal.then(|| (values(lists), options))
}
