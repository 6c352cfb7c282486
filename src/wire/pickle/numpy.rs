//! Knows what the functions that numpy's pickles name would return, without running them.

use super::PickleError;
use super::value::{Array, Bytes, Function, Latin1, Name, Tuple, Value};
use crate::image::pixels::Size;
use std::fmt::Write;

/// The value that `function` would return for these arguments.
pub(super) fn call<'a>(
    function: Function,
    arguments: Tuple,
    items: &[Value<'a>],
    at: usize,
) -> Result<Value<'a>, PickleError> {
    let other_call = PickleError::Call { function: function.name(), at };
    match (function, arguments.of(items)) {
        // _reconstruct(ndarray, (0,), b'b')
        (
            Function::Reconstruct,
            &[Value::Function(Function::Ndarray), Value::Tuple(shape), Value::Bytes(code)],
        ) if matches!(shape.of(items), [Value::Number(0)]) && code.are_ascii("b") => {
            Ok(Value::BlankArray)
        }
        // _frombuffer(data, dtype, shape, order)
        (
            Function::FromBuffer,
            &[
                Value::Bytes(data),
                Value::Uint8,
                Value::Tuple(shape),
                Value::Text(order),
                ref axes @ ..,
            ],
        ) => match (order, axes) {
            ("C", []) => array(shape.of(items), data),
            ("F", []) => Err(PickleError::Order("Fortran")),
            ("K", [_]) => Err(PickleError::Order("another axis")),
            _ => Err(other_call),
        },
        // dtype('u1', False, True); numpy before 1.19 wrote the booleans as numbers
        (
            Function::Dtype,
            &[
                Value::Text(code),
                Value::Bool(false) | Value::Number(0),
                Value::Bool(true) | Value::Number(1),
            ],
        ) => match code {
            "u1" => Ok(Value::Uint8),
            other => Err(PickleError::NotUint8(Name::new(other.as_bytes()))),
        },
        // Protocol 2 has no bytes, so encode(text, 'latin1') or bytearray(text, 'latin-1') makes
        // them.
        (Function::Encode, &[Value::Text(text), Value::Text("latin1")])
        | (Function::ByteArray, &[Value::Text(text), Value::Text("latin-1")]) => {
            Latin1::new(text).map(|text| Value::Bytes(Bytes::Latin1(text))).ok_or(other_call)
        }
        (Function::ByteArray, &[Value::Bytes(bytes)]) => Ok(Value::Bytes(bytes)),
        _ => Err(other_call),
    }
}

/// The value that `object` becomes with this state.
pub(super) fn build<'a>(
    object: Value<'a>,
    state: Tuple,
    items: &[Value<'a>],
    at: usize,
) -> Result<Value<'a>, PickleError> {
    match (object, state.of(items)) {
        // Version, byte order, no subarray, no names, no fields, no item size, no alignment, no flags.
        (
            Value::Uint8,
            [
                Value::Number(3),
                Value::Text("|"),
                Value::None,
                Value::None,
                Value::None,
                Value::Number(-1),
                Value::Number(-1),
                Value::Number(0),
            ],
        ) => Ok(Value::Uint8),
        // Version, shape, dtype, whether in Fortran order, data.
        (
            Value::BlankArray,
            &[
                Value::Number(1),
                Value::Tuple(shape),
                Value::Uint8,
                Value::Bool(fortran),
                Value::Bytes(data),
            ],
        ) => match fortran {
            true => Err(PickleError::Order("Fortran")),
            false => array(shape.of(items), data),
        },
        _ => Err(PickleError::Broken { what: "a state that pictures have", at }),
    }
}

fn array<'a>(shape: &[Value<'a>], data: Bytes<'a>) -> Result<Value<'a>, PickleError> {
    let side = |number: i64| usize::try_from(number).ok().filter(|side| SIDES.contains(side));
    if let &[Value::Number(height), Value::Number(width), Value::Number(3)] = shape
        && let (Some(height), Some(width)) = (side(height), side(width))
    {
        return Ok(Value::Array(Array { height, width, data }));
    }
    Err(PickleError::Shape(shape_text(shape)))
}

/// The valid sides of a picture.
const SIDES: std::ops::RangeInclusive<usize> = 1..=Size::MAX_SIDE;

/// The shape as Python writes it: `(4, 3)`.
fn shape_text(shape: &[Value<'_>]) -> String {
    let mut text = String::from("(");
    for (index, side) in shape.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        let _ = match side {
            Value::Number(number) => write!(text, "{comma}{number}"),
            other => write!(text, "{comma}{}", other.name()),
        };
    }
    text.push_str(if shape.len() == 1 { ",)" } else { ")" });
    text
}
