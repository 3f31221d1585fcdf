//! The command line. Knows nothing of what the values are used for.

use std::path::PathBuf;

pub const USAGE: &str =
    "usage: sandbox-crm --dir DIR [--tls-port 0] [--plain-port 0] [--control-port 0] [--log-limit 100000]";

#[derive(Debug, PartialEq, Eq)]
pub struct Args {
    pub dir: PathBuf,
    pub tls_port: u16,
    pub plain_port: u16,
    pub control_port: u16,
    /// Requests kept for GET /requests; older ones are forgotten.
    pub log_limit: usize,
}

impl Args {
    /// `None` where help was asked for.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Option<Self>, String> {
        let mut words = words.into_iter();
        let mut dir = None;
        let mut args = Self {
            dir: PathBuf::new(),
            tls_port: 0,
            plain_port: 0,
            control_port: 0,
            log_limit: 100_000,
        };
        while let Some(word) = words.next() {
            if word == "--help" || word == "-h" {
                return Ok(None);
            }
            // Both `--dir DIR` and `--dir=DIR`.
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (word, None),
            };
            if !matches!(
                name.as_str(),
                "--dir" | "--tls-port" | "--plain-port" | "--control-port" | "--log-limit"
            ) {
                return Err(format!("unknown argument {name}"));
            }
            let value = value
                .or_else(|| words.next())
                .ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--dir" => dir = Some(PathBuf::from(value)),
                "--tls-port" => args.tls_port = number(&name, &value)?,
                "--plain-port" => args.plain_port = number(&name, &value)?,
                "--control-port" => args.control_port = number(&name, &value)?,
                _ => args.log_limit = number(&name, &value)?,
            }
        }
        args.dir = dir
            .filter(|dir| !dir.as_os_str().is_empty())
            .ok_or("--dir is required")?;
        Ok(Some(args))
    }
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{name} needs a number in range, not {value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Args>, String> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn both_spellings_of_a_value() {
        let spaced = parse("--dir /d --tls-port 1 --control-port 65535").unwrap();
        assert_eq!(spaced, parse("--dir=/d --tls-port=1 --control-port=65535").unwrap());
        let args = spaced.unwrap();
        assert_eq!((args.tls_port, args.plain_port, args.control_port), (1, 0, 65535));
        assert_eq!(args.log_limit, 100_000);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for line in [
            "",
            "--dir",
            "--dir=",
            "--dir /d --tls-port 65536",
            "--dir /d --tls-port x",
            "--dir /d --nonsense 1",
            "--dir /d extra",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn help_needs_no_folder() {
        assert_eq!(parse("--help").unwrap(), None);
    }
}
