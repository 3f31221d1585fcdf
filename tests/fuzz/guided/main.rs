//! libFuzzer on one of the targets, which `FUZZ_TARGET=NAME` names. Knows how inputs are changed, nothing of what is made of them.
#![no_main]

#[allow(dead_code, reason = "the tests need more of it")]
#[path = "../../core/support.rs"]
mod support;
#[path = "../targets/mod.rs"]
mod targets;

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use targets::Target;

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET=NAME names a target");
    targets::all()
        .find(|target| target.name == name)
        .unwrap_or_else(|| panic!("there is no target {name:?}"))
});

fuzz_target!(|data: &[u8]| (TARGET.run)(data));

// As libFuzzer does it, but now and then with a word of the format put in, or from an input that only this process can make.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let chance = seed as usize;
    if chance % 64 == 0
        && let Some(made) = targets::made(TARGET.name)
        && made.len() <= max_size
    {
        data[..made.len()].copy_from_slice(&made);
        return fuzzer_mutate(data, made.len(), max_size);
    }
    if chance % 4 == 1 {
        let word = TARGET.words[chance / 4 % TARGET.words.len()].as_bytes();
        if size + word.len() <= max_size {
            let at = chance / 4 / TARGET.words.len() % (size + 1);
            data.copy_within(at..size, at + word.len());
            data[at..at + word.len()].copy_from_slice(word);
            return size + word.len();
        }
    }
    fuzzer_mutate(data, size, max_size)
});
