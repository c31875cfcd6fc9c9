//! The values of a pickle.

use super::numpy::{Array, Dtype, Global};
use super::text::Text;

/// The position of a tuple's items.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuple {
    start: usize,
    length: u32,
}

/// A value, cheap to copy. Containers are indices into the [`Heap`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    None,
    /// Its value does not matter: no field of a row is a boolean.
    Bool,
    Int(i64),
    Float(f64),
    Text(Text<'a>),
    Tuple(Tuple),
    List(usize),
    Dict(usize),
    Global(Global),
    Dtype(usize),
    Array(usize),
}

impl Value<'_> {
    /// The type, for messages.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool => "a boolean",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a floating-point number",
            Self::Text(_) => "a string",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dictionary",
            Self::Global(_) => "a function",
            Self::Dtype(_) => "a numpy type",
            Self::Array(_) => "a numpy array",
        }
    }
}

/// All containers of a pickle. Each item takes at least a byte of the file, so the heap grows with
/// the file, not with the lengths it claims.
#[derive(Default)]
pub(super) struct Heap<'a> {
    tuples: Vec<Value<'a>>,
    lists: Vec<Vec<Value<'a>>>,
    dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    dtypes: Vec<Dtype>,
    arrays: Vec<Array<'a>>,
}

impl<'a> Heap<'a> {
    pub(super) fn new_tuple(&mut self, items: &[Value<'a>]) -> Value<'a> {
        let start = self.tuples.len();
        self.tuples.extend_from_slice(items);
        Value::Tuple(Tuple {
            start,
            // Files are far smaller than 2^32 bytes, see `MAX_FILE`.
            length: items.len() as u32,
        })
    }

    pub(super) fn tuple(&self, tuple: Tuple) -> &[Value<'a>] {
        &self.tuples[tuple.start..][..tuple.length as usize]
    }

    pub(super) fn new_list(&mut self, items: &[Value<'a>]) -> Value<'a> {
        self.lists.push(items.to_vec());
        Value::List(self.lists.len() - 1)
    }

    pub(super) fn list(&self, index: usize) -> &[Value<'a>] {
        &self.lists[index]
    }

    pub(super) fn list_mut(&mut self, index: usize) -> &mut Vec<Value<'a>> {
        &mut self.lists[index]
    }

    pub(super) fn new_dict(&mut self) -> usize {
        self.dicts.push(Vec::new());
        self.dicts.len() - 1
    }

    pub(super) fn dict(&self, index: usize) -> &[(Value<'a>, Value<'a>)] {
        &self.dicts[index]
    }

    pub(super) fn dict_mut(&mut self, index: usize) -> &mut Vec<(Value<'a>, Value<'a>)> {
        &mut self.dicts[index]
    }

    pub(super) fn new_dtype(&mut self, dtype: Dtype) -> Value<'a> {
        self.dtypes.push(dtype);
        Value::Dtype(self.dtypes.len() - 1)
    }

    pub(super) fn dtype(&self, index: usize) -> Dtype {
        self.dtypes[index]
    }

    pub(super) fn dtype_mut(&mut self, index: usize) -> &mut Dtype {
        &mut self.dtypes[index]
    }

    pub(super) fn new_array(&mut self, array: Array<'a>) -> Value<'a> {
        self.arrays.push(array);
        Value::Array(self.arrays.len() - 1)
    }

    pub(super) fn array(&self, index: usize) -> &Array<'a> {
        &self.arrays[index]
    }

    pub(super) fn set_array(&mut self, index: usize, array: Array<'a>) {
        self.arrays[index] = array;
    }
}
