//! Every parser of hostile bytes, fed with what nobody would write: inputs of `corpus/` and mutations of them, by a generator with a seed.
//!
//! This mutator needs nothing but cargo: it knows the words of each format and joins inputs, but does not see which branches it reached, as
//! libFuzzer does in `guided/`. `FUZZ_SECONDS=N` says how long all targets together take (8 where nothing is said), `FUZZ_SEED=N` where the generator
//! begins, `FUZZ_TARGET=NAME` runs one. What breaks a target is written to a file, which `FUZZ_INPUT=FILE` runs alone.

mod dice;
mod targets;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dice::Dice;
use targets::Target;

/// Longer inputs show nothing that shorter ones do not.
const LONGEST: usize = 20 * 1024;
/// Slower than this on one input of that length, even on a busy machine, is a fault.
const PATIENCE: Duration = Duration::from_secs(20);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).map_or_else(
        |_| Vec::new(),
        |entries| {
            entries
                .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                .collect()
        },
    );
    files.sort();
    files
}

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = files(&repository.join("tests/fuzz/corpus").join(target.name));
    if target.name == "connector" {
        files.extend(self::files(&repository.join("src/crm/catalog")));
    }
    let mut inputs: Vec<Vec<u8>> = files.iter().filter_map(|file| std::fs::read(file).ok()).collect();
    inputs.extend(targets::made(target.name));
    inputs.retain(|input| input.len() <= LONGEST);
    assert!(!inputs.is_empty(), "{} has no corpus", target.name);
    inputs
}

/// Runs an input; a panic says which one it was.
fn once(target: &Target, input: &[u8]) {
    let start = Instant::now();
    let ended = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let is_slow = start.elapsed() > PATIENCE;
    if ended.is_err() || is_slow {
        let file = std::env::temp_dir().join(format!("fuzz-{}-{}", target.name, std::process::id()));
        let _ = std::fs::write(&file, input);
        let what = if is_slow { "takes too long" } else { "breaks" };
        panic!("{} {what} on {} ({} bytes)", target.name, file.display(), input.len());
    }
}

/// The longest run of one target is told, so that nobody takes a target that did nothing for one that found nothing.
fn fuzz(target: &Target, time: Duration, seed: u64) -> u64 {
    let inputs = corpus(target);
    let mut dice = Dice::new(seed);
    let mut count = 0;
    for input in &inputs {
        once(target, input);
        count += 1;
    }
    let end = Instant::now() + time;
    let mut input = Vec::new();
    while Instant::now() < end {
        dice.mutate(&inputs, target.words, LONGEST, &mut input);
        once(target, &input);
        count += 1;
    }
    count
}

#[test]
fn no_input_breaks_a_parser() {
    let only = std::env::var("FUZZ_TARGET").ok();
    let all: Vec<&Target> = targets::all()
        .filter(|target| only.as_deref().is_none_or(|only| only == target.name))
        .collect();
    assert!(!all.is_empty(), "there is no target {only:?}");
    if let Ok(file) = std::env::var("FUZZ_INPUT") {
        let input = std::fs::read(&file).unwrap();
        all.iter().for_each(|target| (target.run)(&input));
        return;
    }
    let seconds = number("FUZZ_SECONDS").unwrap_or(8);
    let seed = number("FUZZ_SEED").unwrap_or(1);
    let each = Duration::from_secs(seconds) / u32::try_from(all.len()).unwrap();
    // The panics that are looked for are caught, and told once.
    let mut told = String::new();
    let mut total = 0;
    for target in all {
        let count = fuzz(target, each, seed);
        total += count;
        told.push_str(&format!(" {} {count},", target.name));
        assert!(count > 20, "{} was run {count} times only", target.name);
    }
    // Past the harness, which keeps what a passing test prints.
    let line = format!(
        "figure: {total} executions of parsers in {seconds} s, none broke:{}\n",
        told.trim_end_matches(',')
    );
    let _ = std::io::stderr().write_all(line.as_bytes());
}
