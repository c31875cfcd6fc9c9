//! Literal values: numbers, texts, booleans.

use super::cursor::Cursor;
use super::heap::Value;
use super::opcode as op;
use super::text::{Form, Text};
use crate::replay::error::Problem;

const fn damaged(what: &'static str) -> Problem {
    Problem::Damaged { what }
}

/// Instructions that push one value from the file; `None` for any other instruction.
pub(super) fn read<'a>(code: u8, input: &mut Cursor<'a>) -> Result<Option<Value<'a>>, Problem> {
    Ok(Some(match code {
        op::NONE => Value::None,
        op::NEWTRUE | op::NEWFALSE => Value::Bool,
        op::BININT => Value::Int(i32::from_le_bytes(input.array()?).into()),
        op::BININT1 => Value::Int(input.u8()?.into()),
        op::BININT2 => Value::Int(input.u16()?.into()),
        op::LONG1 => {
            let length = input.u8()?;
            long(input.take(length.into())?)?
        }
        op::LONG4 => {
            // A signed length; a negative one becomes too large and ends as truncated.
            let length = input.u32()?;
            long(input.take(length.into())?)?
        }
        op::BINFLOAT => Value::Float(f64::from_be_bytes(input.array()?)),
        op::SHORT_BINBYTES | op::SHORT_BINSTRING | op::SHORT_BINUNICODE => {
            let length = input.u8()?;
            Value::Text(Text::plain(input.take(length.into())?))
        }
        op::BINBYTES | op::BINSTRING | op::BINUNICODE => {
            let length = input.u32()?;
            Value::Text(Text::plain(input.take(length.into())?))
        }
        op::BINBYTES8 | op::BINUNICODE8 | op::BYTEARRAY8 => {
            let length = input.u64()?;
            Value::Text(Text::plain(input.take(length)?))
        }
        op::INT => int_line(input.line()?)?,
        op::LONG => {
            let line = input.line()?;
            decimal(line.strip_suffix(b"L").unwrap_or(line))?
        }
        op::FLOAT => ascii(input.line()?)
            .and_then(|text| text.parse().ok())
            .map(Value::Float)
            .ok_or(damaged("a number is not one"))?,
        op::UNICODE => Value::Text(Text {
            raw: input.line()?,
            form: Form::Escaped,
        }),
        op::STRING => Value::Text(Text {
            raw: quoted(input.line()?)?,
            form: Form::Quoted,
        }),
        _ => return Ok(None),
    }))
}

/// A whole number of any length, least significant byte first, two's complement.
fn long<'a>(bytes: &[u8]) -> Result<Value<'a>, Problem> {
    const TOO_LARGE: Problem = damaged("a whole number needs more than 64 bits");
    let negative = bytes.last().is_some_and(|&byte| byte & 0x80 != 0);
    let padding = if negative { 0xff } else { 0 };
    let mut word = [padding; 8];
    let kept = bytes.len().min(8);
    word[..kept].copy_from_slice(&bytes[..kept]);
    let value = i64::from_le_bytes(word);
    // Python pads only with sign bytes, so further bytes must repeat the sign.
    if bytes[kept..].iter().any(|&byte| byte != padding) || (value < 0) != negative {
        return Err(TOO_LARGE);
    }
    Ok(Value::Int(value))
}

fn ascii(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line).ok()
}

fn decimal<'a>(line: &[u8]) -> Result<Value<'a>, Problem> {
    ascii(line)
        .and_then(|text| text.parse().ok())
        .map(Value::Int)
        .ok_or(damaged(
            "a whole number is not one, or needs more than 64 bits",
        ))
}

/// Protocols 0 and 1 write booleans as the numbers `00` and `01`.
fn int_line<'a>(line: &[u8]) -> Result<Value<'a>, Problem> {
    match line {
        b"00" | b"01" => Ok(Value::Bool),
        _ => decimal(line),
    }
}

/// The index of a memoized value, as protocol 0 writes it.
pub(super) fn index(line: &[u8]) -> Result<usize, Problem> {
    ascii(line)
        .and_then(|text| text.parse().ok())
        .ok_or(damaged("a reference is not a number"))
}

fn quoted(line: &[u8]) -> Result<&[u8], Problem> {
    match line {
        [open @ (b'\'' | b'"'), inner @ .., close] if open == close => Ok(inner),
        _ => Err(damaged("a text lacks its quotes")),
    }
}
