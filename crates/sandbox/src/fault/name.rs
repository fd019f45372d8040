//! The texts by which the control API and the program's options name faults.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::Fault;

/// Writes the fault as it is parsed, such as `latency:2000`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::ResetBefore => write!(f, "reset-before"),
            Fault::ResetAfter => write!(f, "reset-after"),
            Fault::CarriedOutLate(delay) => write!(f, "carried-out-late:{}", delay.as_millis()),
            Fault::CarriedOutAfterNewer => write!(f, "carried-out-after-newer"),
            Fault::Latency(delay) => write!(f, "latency:{}", delay.as_millis()),
            Fault::Silence => write!(f, "silence"),
            Fault::Throttled(None) => write!(f, "throttled"),
            Fault::Throttled(Some(wait)) => write!(f, "throttled:{}", wait.as_secs_f64()),
            Fault::Unavailable(status) => write!(f, "unavailable:{status}"),
            Fault::FailedAfter(status) => write!(f, "failed-after:{status}"),
            Fault::Truncated => write!(f, "truncated"),
            Fault::ResetWithin => write!(f, "reset-within"),
            Fault::WrongBody => write!(f, "wrong-body"),
        }
    }
}

/// Parses a name such as `reset-after`, with a value after a colon where the fault has one.
///
/// | name | value | without a value |
/// | --- | --- | --- |
/// | `carried-out-late`, `latency` | milliseconds | 5000, 2000 |
/// | `throttled` | seconds of `Retry-After` | no `Retry-After` |
/// | `unavailable`, `failed-after` | a status code 5xx | 503, 502 |
/// | `reset-before`, `reset-after`, `reset-within`, `carried-out-after-newer`, `silence`, `truncated`, `wrong-body` | none | |
///
/// ```
/// use std::time::Duration;
/// use lastmile_sandbox::Fault;
///
/// assert_eq!("latency:250".parse(), Ok(Fault::Latency(Duration::from_millis(250))));
/// assert_eq!("unavailable".parse(), Ok(Fault::Unavailable(503)));
/// assert!("slow".parse::<Fault>().is_err());
/// ```
impl FromStr for Fault {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Fault, ParseFaultError> {
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let milliseconds = |default| match value {
            None => Ok(Duration::from_millis(default)),
            Some(value) => {
                value.parse().map(Duration::from_millis).map_err(|_| ParseFaultError::Milliseconds)
            }
        };
        let status = |default| match value {
            None => Ok(default),
            Some(value) => {
                let status = value.parse().ok().filter(|status| (500..600).contains(status));
                status.ok_or(ParseFaultError::Status)
            }
        };
        let fault = match name {
            "carried-out-late" => Fault::CarriedOutLate(milliseconds(5000)?),
            "latency" => Fault::Latency(milliseconds(2000)?),
            "throttled" => Fault::Throttled(match value {
                None => None,
                Some(value) => {
                    let seconds = value.parse().map_err(|_| ParseFaultError::Seconds)?;
                    Some(Duration::try_from_secs_f64(seconds).map_err(|_| ParseFaultError::Seconds)?)
                }
            }),
            "unavailable" => Fault::Unavailable(status(503)?),
            "failed-after" => Fault::FailedAfter(status(502)?),
            _ if value.is_some() => return Err(ParseFaultError::Name),
            "reset-before" => Fault::ResetBefore,
            "reset-after" => Fault::ResetAfter,
            "reset-within" => Fault::ResetWithin,
            "carried-out-after-newer" => Fault::CarriedOutAfterNewer,
            "silence" => Fault::Silence,
            "truncated" => Fault::Truncated,
            "wrong-body" => Fault::WrongBody,
            _ => return Err(ParseFaultError::Name),
        };
        Ok(fault)
    }
}

/// The error of parsing a [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseFaultError {
    /// There is no fault of this name, or it has no value.
    Name,
    /// The value is not a number of milliseconds.
    Milliseconds,
    /// The value is not a number of seconds.
    Seconds,
    /// The value is not a status code 5xx.
    Status,
}

impl fmt::Display for ParseFaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParseFaultError::Name => {
                "the faults are reset-before, reset-after, reset-within, carried-out-late[:MILLISECONDS], \
                 carried-out-after-newer, latency[:MILLISECONDS], silence, throttled[:SECONDS], \
                 unavailable[:STATUS], failed-after[:STATUS], truncated and wrong-body"
            }
            ParseFaultError::Milliseconds => "the value of this fault is a number of milliseconds",
            ParseFaultError::Seconds => "the value of this fault is a number of seconds",
            ParseFaultError::Status => "the value of this fault is a status code from 500 to 599",
        })
    }
}

impl std::error::Error for ParseFaultError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_parsed_as_it_is_written() {
        let second = Duration::from_secs(1);
        let faults = [
            Fault::ResetBefore,
            Fault::ResetAfter,
            Fault::CarriedOutLate(second),
            Fault::CarriedOutAfterNewer,
            Fault::Latency(second),
            Fault::Silence,
            Fault::Throttled(None),
            Fault::Throttled(Some(Duration::from_millis(1500))),
            Fault::Unavailable(599),
            Fault::FailedAfter(500),
            Fault::Truncated,
            Fault::ResetWithin,
            Fault::WrongBody,
        ];
        for fault in faults {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
    }

    #[test]
    fn invalid_names_and_values_are_errors() {
        for (text, error) in [
            ("", ParseFaultError::Name),
            ("silence:1", ParseFaultError::Name),
            ("latency:-1", ParseFaultError::Milliseconds),
            ("latency:", ParseFaultError::Milliseconds),
            ("throttled:soon", ParseFaultError::Seconds),
            ("throttled:-1", ParseFaultError::Seconds),
            ("unavailable:404", ParseFaultError::Status),
            ("failed-after:600", ParseFaultError::Status),
        ] {
            assert_eq!(text.parse::<Fault>(), Err(error), "{text}");
        }
    }
}
