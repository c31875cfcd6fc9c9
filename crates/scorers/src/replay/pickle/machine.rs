//! The stack machine.

use super::cursor::Cursor;
use super::heap::{Heap, Value};
use super::literal;
use super::numpy::{Array, Global};
use super::opcode as op;
use super::text::Text;
use crate::replay::error::{Fault, Place, Problem};

/// Longest module or function name.
const GLOBAL_LIMIT: usize = 200;

/// A pickle machine over a file. It only builds data.
pub(super) struct Machine<'a> {
    input: Cursor<'a>,
    stack: Vec<Value<'a>>,
    /// Heights of the stack at each open mark.
    marks: Vec<usize>,
    memo: Vec<Option<Value<'a>>>,
    /// Filled entries of `memo`: where the next `MEMOIZE` goes.
    memoized: usize,
    heap: Heap<'a>,
}

const fn damaged(what: &'static str) -> Problem {
    Problem::Damaged { what }
}

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            input: Cursor::new(bytes),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
            memoized: 0,
            heap: Heap::default(),
        }
    }

    /// Runs to the end of the pickle, which must be the end of the file, and returns its value.
    pub(super) fn run(mut self) -> Result<(Heap<'a>, Value<'a>), Fault> {
        loop {
            let at = Place::Byte(self.input.position());
            let code = self.input.u8().map_err(|problem| problem.at(at))?;
            if code == op::STOP {
                let value = self.stop().map_err(|problem| problem.at(at))?;
                return Ok((self.heap, value));
            }
            self.step(code).map_err(|problem| problem.at(at))?;
        }
    }

    fn stop(&mut self) -> Result<Value<'a>, Problem> {
        let value = self.pop()?;
        match self.input.left() {
            0 => Ok(value),
            bytes => Err(Problem::Trailing { bytes }),
        }
    }

    /// Executes the container instructions of the binary protocols.
    fn step(&mut self, code: u8) -> Result<(), Problem> {
        match code {
            op::MARK => self.marks.push(self.stack.len()),
            op::MEMOIZE => self.memoize(self.memoized)?,
            op::BINGET => {
                let index = self.input.u8()?;
                self.recall(usize::from(index))?;
            }
            op::LONG_BINGET => {
                let index = self.input.u32()?;
                self.recall(index as usize)?;
            }
            op::BINPUT => {
                let index = self.input.u8()?;
                self.memoize(usize::from(index))?;
            }
            op::LONG_BINPUT => {
                let index = self.input.u32()?;
                self.memoize(index as usize)?;
            }
            op::REDUCE => self.reduce()?,
            op::BUILD => self.build()?,
            op::EMPTY_TUPLE => self.tuple(self.stack.len())?,
            op::TUPLE1 => self.short_tuple(1)?,
            op::TUPLE2 => self.short_tuple(2)?,
            op::TUPLE3 => self.short_tuple(3)?,
            op::TUPLE => {
                let start = self.pop_mark()?;
                self.tuple(start)?;
            }
            op::EMPTY_LIST => {
                let list = self.heap.new_list(&[]);
                self.stack.push(list);
            }
            op::LIST => {
                let start = self.pop_mark()?;
                let list = self.heap.new_list(&self.stack[start..]);
                self.stack.truncate(start);
                self.stack.push(list);
            }
            op::APPEND => {
                self.need(1)?;
                self.append(self.stack.len() - 1)?;
            }
            op::APPENDS => {
                let start = self.pop_mark()?;
                self.append(start)?;
            }
            op::EMPTY_DICT => {
                let dict = self.heap.new_dict();
                self.stack.push(Value::Dict(dict));
            }
            op::DICT => {
                let start = self.pop_mark()?;
                let dict = self.heap.new_dict();
                self.fill_dict(dict, start)?;
                self.stack.push(Value::Dict(dict));
            }
            op::SETITEM => {
                self.need(2)?;
                self.set_items(self.stack.len() - 2)?;
            }
            op::SETITEMS => {
                let start = self.pop_mark()?;
                self.set_items(start)?;
            }
            _ => match literal::read(code, &mut self.input)? {
                Some(value) => self.stack.push(value),
                None => self.rare(code)?,
            },
        }
        Ok(())
    }

    /// Executes instructions that are rare or belong to old protocols.
    fn rare(&mut self, code: u8) -> Result<(), Problem> {
        match code {
            op::PROTO => {
                let version = self.input.u8()?;
                if version > 5 {
                    return Err(Problem::Unsupported {
                        what: format!("protocol {version}"),
                    });
                }
            }
            op::FRAME => {
                let length = self.input.u64()?;
                let left = self.input.left();
                if length > left as u64 {
                    return Err(Problem::Truncated {
                        needed: length,
                        left,
                    });
                }
            }
            op::GET => {
                let index = literal::index(self.input.line()?)?;
                self.recall(index)?;
            }
            op::PUT => {
                let index = literal::index(self.input.line()?)?;
                self.memoize(index)?;
            }
            op::POP => {
                // Python allows it to close a mark without items.
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            op::POP_MARK => {
                let start = self.pop_mark()?;
                self.stack.truncate(start);
            }
            op::DUP => {
                let value = self.top()?;
                self.stack.push(value);
            }
            op::GLOBAL => {
                let global = self.named()?;
                self.stack.push(Value::Global(global));
            }
            op::STACK_GLOBAL => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Value::Text(module), Value::Text(name)) = (module, name) else {
                    return Err(damaged("the name of a function is not a text"));
                };
                let global =
                    Global::resolve(&module.lossy(GLOBAL_LIMIT), &name.lossy(GLOBAL_LIMIT))?;
                self.stack.push(Value::Global(global));
            }
            // Names a class and calls it; the error names a foreign class.
            op::INST => {
                self.named()?;
                return Err(unsupported(code));
            }
            op::PERSID | op::BINPERSID => {
                return Err(Problem::Outside {
                    what: "a persistent object",
                });
            }
            op::EXT1 | op::EXT2 | op::EXT4 => {
                return Err(Problem::Outside {
                    what: "a registered extension",
                });
            }
            op::NEXT_BUFFER | op::READONLY_BUFFER => {
                return Err(Problem::Outside { what: "a buffer" });
            }
            _ => return Err(unsupported(code)),
        }
        Ok(())
    }

    /// The lowest stack position above the current mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn need(&self, count: usize) -> Result<(), Problem> {
        if self.stack.len() - self.floor() < count {
            return Err(damaged("an instruction finds too few values"));
        }
        Ok(())
    }

    fn pop(&mut self) -> Result<Value<'a>, Problem> {
        self.need(1)?;
        self.stack.pop().ok_or(damaged("the stack is empty"))
    }

    fn top(&self) -> Result<Value<'a>, Problem> {
        self.need(1)?;
        self.stack
            .last()
            .copied()
            .ok_or(damaged("the stack is empty"))
    }

    fn pop_mark(&mut self) -> Result<usize, Problem> {
        self.marks.pop().ok_or(damaged("a mark is missing"))
    }

    fn recall(&mut self, index: usize) -> Result<(), Problem> {
        let value = self
            .memo
            .get(index)
            .copied()
            .flatten()
            .ok_or(damaged("it refers to a value that it did not keep"))?;
        self.stack.push(value);
        Ok(())
    }

    /// Memoizes the top of the stack. Every entry takes at least a byte of the file, so a valid index
    /// is smaller than the file; a larger one would only reserve memory.
    fn memoize(&mut self, index: usize) -> Result<(), Problem> {
        if index >= self.input.size() {
            return Err(damaged("it keeps more values than it can hold"));
        }
        let value = self.top()?;
        if index >= self.memo.len() {
            self.memo.resize(index + 1, None);
        }
        if self.memo[index].replace(value).is_none() {
            self.memoized += 1;
        }
        Ok(())
    }

    fn short_tuple(&mut self, length: usize) -> Result<(), Problem> {
        self.need(length)?;
        self.tuple(self.stack.len() - length)
    }

    fn tuple(&mut self, start: usize) -> Result<(), Problem> {
        let items = self
            .stack
            .get(start..)
            .ok_or(damaged("a mark is out of place"))?;
        let tuple = self.heap.new_tuple(items);
        self.stack.truncate(start);
        self.stack.push(tuple);
        Ok(())
    }

    /// Moves the values above `start` into the list below them.
    fn append(&mut self, start: usize) -> Result<(), Problem> {
        let Some(&Value::List(list)) = start.checked_sub(1).and_then(|at| self.stack.get(at))
        else {
            return Err(damaged("it appends to what is not a list"));
        };
        let items = &self.stack[start..];
        self.heap.list_mut(list).extend_from_slice(items);
        self.stack.truncate(start);
        Ok(())
    }

    /// Moves the keys and values above `start` into the dictionary below them.
    fn set_items(&mut self, start: usize) -> Result<(), Problem> {
        let Some(&Value::Dict(dict)) = start.checked_sub(1).and_then(|at| self.stack.get(at))
        else {
            return Err(damaged("it sets an item of what is not a dictionary"));
        };
        self.fill_dict(dict, start)
    }

    fn fill_dict(&mut self, dict: usize, start: usize) -> Result<(), Problem> {
        let (pairs, rest) = self.stack[start..].as_chunks::<2>();
        if !rest.is_empty() {
            return Err(damaged("a key has no value"));
        }
        let dict = self.heap.dict_mut(dict);
        dict.extend(pairs.iter().map(|&[key, value]| (key, value)));
        self.stack.truncate(start);
        Ok(())
    }

    /// The function named by the next two lines.
    fn named(&mut self) -> Result<Global, Problem> {
        let module = Text::plain(self.input.line()?);
        let name = Text::plain(self.input.line()?);
        Global::resolve(&module.lossy(GLOBAL_LIMIT), &name.lossy(GLOBAL_LIMIT))
    }

    fn reduce(&mut self) -> Result<(), Problem> {
        let (args, function) = (self.pop()?, self.pop()?);
        let (Value::Global(function), Value::Tuple(args)) = (function, args) else {
            return Err(damaged("it calls what is not a function"));
        };
        // None of the functions takes more than four arguments.
        let mut copy = [Value::None; 4];
        let args = self.heap.tuple(args);
        let Some(copy) = copy.get_mut(..args.len()) else {
            return Err(damaged("a numpy function is given too much"));
        };
        copy.copy_from_slice(args);
        let value = function.call(&mut self.heap, copy)?;
        self.stack.push(value);
        Ok(())
    }

    fn build(&mut self) -> Result<(), Problem> {
        let state = self.pop()?;
        let Value::Tuple(state) = state else {
            return Err(unsupported(op::BUILD));
        };
        match self.top()? {
            Value::Array(index) => {
                let array = Array::from_state(&self.heap, self.heap.tuple(state))?;
                self.heap.set_array(index, array);
                Ok(())
            }
            Value::Dtype(index) => {
                let mut dtype = self.heap.dtype(index);
                dtype.set_state(self.heap.tuple(state))?;
                *self.heap.dtype_mut(index) = dtype;
                Ok(())
            }
            _ => Err(unsupported(op::BUILD)),
        }
    }
}

fn unsupported(code: u8) -> Problem {
    Problem::Unsupported {
        what: match op::name(code) {
            Some(name) => format!("the instruction {name}"),
            None => format!("the unknown instruction {code:#04x}"),
        },
    }
}
