//! What the server and a child say to each other: JSON, each message after its length. Neither side takes a message that is longer
//! than it should be.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;

/// What a child is asked to do, one thing at a time.
#[derive(Serialize, Deserialize)]
pub enum Job {
    Run {
        code: String,
        input: Box<RawValue>,
        limit: Duration,
    },
    /// Only read the code.
    Check {
        code: String,
    },
    /// Try the walls.
    Probe,
}

/// What a child says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Said {
    /// Once, first: it has taken its rights away and reads jobs from now on.
    Ready,
    /// A line of the console.
    Log {
        line: String,
    },
    Done {
        output: Box<RawValue>,
    },
    Failed {
        failure: Failure,
    },
    Checked {
        failure: Option<Failure>,
    },
    Probed {
        walls: Vec<Wall>,
        tried: Vec<Attempted>,
    },
}

/// Why code gave nothing back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// It can't be read.
    Syntax {
        message: String,
        at: Option<At>,
    },
    /// It threw something that it didn't catch.
    Thrown {
        name: Option<String>,
        message: String,
        frames: Vec<Frame>,
    },
    TookTooLong,
    NeededTooMuch,
    GaveTooMuch,
    /// What it returned isn't JSON.
    NotJson {
        message: String,
    },
    /// It waits for something that never happens.
    WaitsForEver,
}

/// A place in the user's code, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    pub line: u32,
    pub column: u32,
}

/// One line of a stack, in the user's code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The function's name; none for the code's own first level and for functions without one.
    pub function: Option<String>,
    pub at: At,
}

/// Something that keeps code in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wall {
    pub name: String,
    pub is_up: bool,
    /// What it is, or why it isn't up.
    pub said: String,
}

/// Something that code must not be able to do, and was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempted {
    pub what: String,
    pub refused: bool,
    pub said: String,
}

/// The length of a message before it: four bytes, little endian.
pub const HEAD: usize = 4;
/// The longest message in either direction. An input is what a step may be handed; an answer is bounded by the child.
pub const LONGEST: usize = 64 << 20;

/// A message with its length before it.
///
/// # Errors
/// When it is longer than [`LONGEST`].
pub fn pack(message: &impl Serialize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; HEAD];
    serde_json::to_writer(&mut bytes, message)?;
    let length = bytes.len() - HEAD;
    let too_long = || std::io::Error::new(std::io::ErrorKind::InvalidData, "the message is too long");
    if length > LONGEST {
        return Err(too_long());
    }
    let head = u32::try_from(length).map_err(|_| too_long())?;
    bytes[..HEAD].copy_from_slice(&head.to_le_bytes());
    Ok(bytes)
}

/// How long the message after this head is.
///
/// # Errors
/// When it is longer than `most`.
pub fn length(head: [u8; HEAD], most: usize) -> std::io::Result<usize> {
    let length = usize::try_from(u32::from_le_bytes(head)).unwrap_or(usize::MAX);
    if length > most {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "the message is too long"));
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_out_as_it_went_in_and_a_long_one_is_refused() {
        let job = Job::Run {
            code: "return 1".into(),
            input: RawValue::from_string("{\"a\":9007199254740993}".into()).unwrap(),
            limit: Duration::from_millis(1_500),
        };
        let packed = pack(&job).unwrap();
        let head: [u8; HEAD] = packed[..HEAD].try_into().unwrap();
        assert_eq!(length(head, LONGEST).unwrap(), packed.len() - HEAD);
        assert!(length(head, 10).is_err());
        match serde_json::from_slice(&packed[HEAD..]).unwrap() {
            Job::Run { code, input, limit } => {
                assert_eq!((code.as_str(), limit.as_millis()), ("return 1", 1_500));
                assert_eq!(input.get(), "{\"a\":9007199254740993}");
            }
            _ => panic!(),
        }
    }
}
