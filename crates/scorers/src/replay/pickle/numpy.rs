//! The functions in pickles of numpy arrays, as data.

use super::heap::{Heap, Value};
use super::text::Text;
use crate::replay::MAX_OPTIONS;
use crate::replay::error::{Problem, printable};

/// A function or class that a pickle of numpy arrays may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    /// Makes an empty array, to be filled by its state.
    Reconstruct,
    /// Makes a scalar from its bytes.
    Scalar,
    /// Makes an array from a buffer (protocol 5).
    FromBuffer,
    /// The array class.
    NdArray,
    /// Makes a dtype from its short name.
    Dtype,
    /// Makes a byte string from a text (protocols 0 to 2).
    Encode,
}

impl Global {
    /// The function of that name; an error for any other.
    pub(super) fn resolve(module: &str, name: &str) -> Result<Self, Problem> {
        Ok(match (module, name) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => {
                Self::Reconstruct
            }
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Self::Scalar,
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Self::FromBuffer,
            ("numpy", "ndarray") => Self::NdArray,
            ("numpy", "dtype") => Self::Dtype,
            ("_codecs", "encode") => Self::Encode,
            _ => {
                return Err(Problem::Foreign {
                    name: printable(&format!("{module}.{name}")),
                });
            }
        })
    }

    /// The result of a call with `args`.
    pub(super) fn call<'a>(
        self,
        heap: &mut Heap<'a>,
        args: &[Value<'a>],
    ) -> Result<Value<'a>, Problem> {
        match (self, args) {
            (Self::Reconstruct, [Value::Global(Self::NdArray), Value::Tuple(_), _]) => {
                Ok(heap.new_array(Array::Unfilled))
            }
            (Self::Scalar, &[Value::Dtype(dtype), Value::Text(data)]) => {
                heap.dtype(dtype).scalar(data)
            }
            (Self::FromBuffer, &[Value::Text(data), Value::Dtype(dtype), shape, _]) => {
                let array = Array::filled(heap, heap.dtype(dtype), shape, data)?;
                Ok(heap.new_array(array))
            }
            (Self::Dtype, &[Value::Text(name), ..]) => {
                let dtype = Dtype::by_name(name)?;
                Ok(heap.new_dtype(dtype))
            }
            (Self::Encode, &[Value::Text(text), Value::Text(codec)]) => {
                match codec.decode(16).as_deref() {
                    Some(b"latin1" | b"latin-1") => text.as_latin1().map(Value::Text),
                    _ => None,
                }
                .ok_or(Problem::Damaged {
                    what: "`_codecs.encode` is not given a text and latin1",
                })
            }
            _ => Err(Problem::Damaged {
                what: "a numpy function is not given what it needs",
            }),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Float,
    Signed,
    Unsigned,
}

/// The type of an array's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dtype {
    number: Number,
    /// Bytes per element: 1, 2, 4 or 8.
    size: usize,
    big_endian: bool,
}

impl Dtype {
    fn by_name(name: Text<'_>) -> Result<Self, Problem> {
        let decoded = name.decode(16);
        let (number, size) = match decoded.as_deref() {
            Some([b'f', size @ (b'2' | b'4' | b'8')]) => (Number::Float, size),
            Some([b'i', size @ (b'1' | b'2' | b'4' | b'8')]) => (Number::Signed, size),
            Some([b'u', size @ (b'1' | b'2' | b'4' | b'8')]) => (Number::Unsigned, size),
            _ => {
                return Err(Problem::Unsupported {
                    what: format!("the numpy type `{}`", printable(&name.lossy(16))),
                });
            }
        };
        Ok(Self {
            number,
            size: usize::from(size - b'0'),
            big_endian: false,
        })
    }

    /// Takes the byte order from a dtype's state: `(3, "<", None, None, None, -1, -1, 0)`.
    pub(super) fn set_state(&mut self, state: &[Value<'_>]) -> Result<(), Problem> {
        let &[
            Value::Int(_),
            Value::Text(order),
            Value::None,
            Value::None,
            Value::None,
            ..,
        ] = state
        else {
            return Err(Problem::Unsupported {
                what: "a numpy type with fields".to_owned(),
            });
        };
        self.big_endian = match order.decode(1).as_deref() {
            Some(b">") => true,
            Some(b"<" | b"|" | b"=") => false,
            _ => {
                return Err(Problem::Damaged {
                    what: "a numpy type has an unknown byte order",
                });
            }
        };
        Ok(())
    }

    fn scalar(self, data: Text<'_>) -> Result<Value<'_>, Problem> {
        let damaged = Problem::Damaged {
            what: "a numpy number is shorter or longer than its type",
        };
        let Some(bytes) = data.decode(self.size).filter(|it| it.len() == self.size) else {
            return Err(damaged);
        };
        let bits = self.bits(&bytes);
        Ok(match self.number {
            Number::Float => Value::Float(self.float(bits)),
            Number::Signed => Value::Int(self.signed(bits)),
            Number::Unsigned => match i64::try_from(bits) {
                Ok(value) => Value::Int(value),
                Err(_) => Value::Float(bits as f64),
            },
        })
    }

    /// One element's bytes as an unsigned number.
    fn bits(self, bytes: &[u8]) -> u64 {
        let push = |bits: u64, &byte: &u8| (bits << 8) | u64::from(byte);
        if self.big_endian {
            bytes.iter().fold(0, push)
        } else {
            bytes.iter().rev().fold(0, push)
        }
    }

    fn signed(self, bits: u64) -> i64 {
        let unused = 64 - 8 * self.size as u32;
        (bits << unused).cast_signed() >> unused
    }

    fn float(self, bits: u64) -> f64 {
        match self.size {
            2 => half_to_f64(bits as u16),
            4 => f64::from(f32::from_bits(bits as u32)),
            _ => f64::from_bits(bits),
        }
    }

    fn number(self, bytes: &[u8]) -> f64 {
        let bits = self.bits(bytes);
        match self.number {
            Number::Float => self.float(bits),
            Number::Signed => self.signed(bits) as f64,
            Number::Unsigned => bits as f64,
        }
    }
}

fn half_to_f64(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    let magnitude = match (bits >> 10) & 0x1f {
        0 => fraction * (-14_f64).exp2(),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        exponent => (1.0 + fraction) * (f64::from(exponent) - 15.0).exp2(),
    };
    sign * magnitude
}

/// A numpy array.
#[derive(Debug, Clone, Copy)]
pub(super) enum Array<'a> {
    /// Created, without its state yet.
    Unfilled,
    /// One dimension of numbers, not yet decoded.
    Filled {
        dtype: Dtype,
        length: usize,
        data: Text<'a>,
    },
    /// Any number of dimensions other than one.
    Shaped {
        /// The first two sizes, where known, and the number of dimensions.
        shape: [Option<i64>; 2],
        dimensions: usize,
    },
}

impl<'a> Array<'a> {
    /// From an array's state: `(1, shape, dtype, fortran, bytes)`.
    pub(super) fn from_state(heap: &Heap<'a>, state: &[Value<'a>]) -> Result<Self, Problem> {
        match *state {
            [_, shape, Value::Dtype(dtype), _, Value::Text(data)] => {
                Self::filled(heap, heap.dtype(dtype), shape, data)
            }
            _ => Err(Problem::Damaged {
                what: "a numpy array's state is not (version, shape, type, order, bytes)",
            }),
        }
    }

    fn filled(
        heap: &Heap<'a>,
        dtype: Dtype,
        shape: Value<'a>,
        data: Text<'a>,
    ) -> Result<Self, Problem> {
        const DAMAGED: Problem = Problem::Damaged {
            what: "a numpy array's shape is not a tuple of sizes",
        };
        let Value::Tuple(shape) = shape else {
            return Err(DAMAGED);
        };
        match *heap.tuple(shape) {
            [Value::Int(length)] => Ok(Self::Filled {
                dtype,
                length: usize::try_from(length).map_err(|_| DAMAGED)?,
                data,
            }),
            ref sizes => {
                let size = |index| match sizes.get(index) {
                    Some(&Value::Int(size)) => Some(size),
                    _ => None,
                };
                Ok(Self::Shaped {
                    shape: [size(0), size(1)],
                    dimensions: sizes.len(),
                })
            }
        }
    }

    /// Decodes the numbers, after a check of the claimed length.
    pub(super) fn read_into(&self, field: &str, into: &mut Vec<f64>) -> Result<(), Problem> {
        let (dtype, length, data) = match *self {
            Self::Filled {
                dtype,
                length,
                data,
            } => (dtype, length, data),
            Self::Unfilled => return Err(Problem::field(field, "is an array without contents")),
            Self::Shaped { shape, dimensions } => {
                let found = match (dimensions, shape) {
                    (2, [Some(rows), Some(columns)]) => {
                        format!("an array of shape ({rows}, {columns})")
                    }
                    _ => format!("an array of {dimensions} dimensions"),
                };
                return Err(Problem::field(
                    field,
                    format!("is {found}, not of one dimension"),
                ));
            }
        };
        if length > MAX_OPTIONS {
            return Err(Problem::OptionCount { found: length });
        }
        let size = length * dtype.size;
        let Some(bytes) = data.decode(size).filter(|bytes| bytes.len() == size) else {
            return Err(Problem::field(
                field,
                format!("claims {length} values, but its bytes are fewer, more or malformed"),
            ));
        };
        into.extend(bytes.chunks_exact(dtype.size).map(|it| dtype.number(it)));
        Ok(())
    }
}
