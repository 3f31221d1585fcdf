//! Real processes on one file: this test binary, started again. And what becomes of the budget when they are killed.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tenant_crm_sync::limit::local::Local;
use tenant_crm_sync::limit::{Decision, Draw, Now};

use super::{Dice, Folder, NO_GATE, SECOND, daily, most_in_a_window, paced};

/// What a child is told, by its environment: what to do, where, until when.
const ROLE: &str = "TCS_TEST_LIMIT_ROLE";
const FILE: &str = "TCS_TEST_LIMIT_FILE";
const UNTIL: &str = "TCS_TEST_LIMIT_UNTIL";

/// 1000 a second, 100 of them at once.
const RULE: Draw = paced(1, 1000, 1, 100);
/// Takes part in each request, and is never used up.
const DAY: Draw = daily(2, 1_000_000, 0);

/// Another process of this host.
pub struct Child {
    command: Command,
    out: PathBuf,
}

impl Child {
    pub fn new(folder: &Folder, role: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "limit::crowd::a_child_does_what_it_is_told",
                "--exact",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(ROLE, role)
            .env(FILE, folder.file())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self {
            command,
            out: PathBuf::new(),
        }
        .writing(folder, 0)
    }

    /// Where it says what it has to say, beside the folder of the file.
    fn writing(mut self, folder: &Folder, number: usize) -> Self {
        self.out = folder.0.with_extension(format!("out-{number}"));
        self.command.env("TCS_TEST_LIMIT_OUT", &self.out);
        self
    }

    fn until(mut self, mono: u64) -> Self {
        self.command.env(UNTIL, mono.to_string());
        self
    }

    /// After these words of the shell.
    pub fn under(self, words: &str) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("{words}; exec \"$0\" \"$@\"")]);
        command.arg(self.command.get_program()).args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            command.env(name, value.unwrap());
        }
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self { command, ..self }
    }

    fn start(&mut self) -> std::process::Child {
        self.command.spawn().unwrap()
    }

    /// What it said.
    fn said(&self) -> Vec<String> {
        let said = fs::read_to_string(&self.out).unwrap_or_default();
        let _ = fs::remove_file(&self.out);
        said.lines().map(str::to_owned).collect()
    }

    pub fn run(mut self) -> Vec<String> {
        let mut child = self.start();
        assert!(child.wait().unwrap().success());
        self.said()
    }
}

/// What a child process does. In the suite's own process there is nothing to do.
#[test]
fn a_child_does_what_it_is_told() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let file = PathBuf::from(std::env::var_os(FILE).unwrap());
    let mut out = fs::File::options()
        .create(true)
        .append(true)
        .open(std::env::var_os("TCS_TEST_LIMIT_OUT").unwrap())
        .unwrap();
    let opened = Local::shared(&file, 4096);
    match role.as_str() {
        "open" => {
            let line = opened.map_or_else(|error| error.message, |_| "opened".to_owned());
            writeln!(out, "{line}").unwrap();
        }
        "draw" => {
            let until: u64 = std::env::var(UNTIL).unwrap().parse().unwrap();
            let local = opened.unwrap();
            loop {
                let now = Now::read();
                if now.mono > until {
                    break;
                }
                match local.take(NO_GATE, &[RULE, DAY], now) {
                    // In one write: a process that is killed leaves no half of a line.
                    Decision::Go => out.write_all(format!("{}\n", now.mono).as_bytes()).unwrap(),
                    Decision::Wait(wait, _) => std::thread::sleep(Duration::from_nanos(wait)),
                }
            }
        }
        role => panic!("no role {role}"),
    }
}

/// All admissions in the order of their times.
fn admissions(said: impl IntoIterator<Item = String>) -> Vec<(u64, u64)> {
    let mut times: Vec<_> = said.into_iter().map(|line| (line.parse().unwrap(), 1)).collect();
    times.sort_unstable();
    times
}

/// FAULTS A14: processes draw from one budget: nearly all of it, and never more in any window.
#[test]
fn eight_processes_draw_from_one_budget() {
    let folder = Folder::new();
    let until = Now::read().mono + 3 * SECOND;
    let mut children: Vec<_> = (0..8)
        .map(|number| Child::new(&folder, "draw").writing(&folder, number).until(until))
        .collect();
    let processes: Vec<_> = children.iter_mut().map(Child::start).collect();
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    let each: Vec<_> = children.iter().map(Child::said).collect();
    assert!(each.iter().all(|said| !said.is_empty()), "each of them had a share");
    let times = admissions(each.into_iter().flatten());
    let time = until - times[0].0;
    assert!(time > 2 * SECOND, "{time}");
    let ideal = 100.0 + 900.0 * (time as f64 / SECOND as f64);
    let share = times.len() as f64 / ideal;
    assert!((0.99..=1.0005).contains(&share), "{} of {ideal}", times.len());
    assert!(most_in_a_window(&times, SECOND) <= 1000);
    let local = Local::shared(&folder.file(), 16).unwrap();
    let now = Now::read();
    assert_eq!(local.usage(&RULE, now).admitted, times.len() as u64, "none was lost");
    assert_eq!(local.used(), (2, 4096));
}

/// Killed anywhere, again and again: the others go on, and the budget is neither lost nor doubled.
#[test]
fn killed_processes_take_nothing_with_them() {
    let folder = Folder::new();
    let mut dice = Dice::new(4711);
    let begin = Instant::now();
    let until = Now::read().mono + 60 * SECOND;
    let (mut said, mut kills) = (Vec::new(), 0);
    let start = |number| {
        let mut child = Child::new(&folder, "draw").writing(&folder, number).until(until);
        let process = child.start();
        (child, process)
    };
    let mut running: Vec<_> = (0..6).map(start).collect();
    let mut number = 6;
    while begin.elapsed() < Duration::from_millis(2500) {
        std::thread::sleep(Duration::from_millis(dice.between(5, 40)));
        let place = dice.between(0, 5) as usize;
        let (child, mut process) = std::mem::replace(&mut running[place], start(number));
        process.kill().unwrap();
        process.wait().unwrap();
        said.extend(child.said());
        number += 1;
        kills += 1;
    }
    let end = Now::read().mono;
    for (child, mut process) in running {
        process.kill().unwrap();
        process.wait().unwrap();
        said.extend(child.said());
        kills += 1;
    }
    let times = admissions(said);
    assert!(most_in_a_window(&times, SECOND) <= 1000);
    let ideal = 100.0 + 900.0 * ((end - times[0].0) as f64 / SECOND as f64);
    // Whoever was killed between taking and writing it down took one along.
    assert!(
        (times.len() + kills) as f64 > 0.95 * ideal,
        "{} of {ideal}, {kills} killed",
        times.len()
    );
    let local = Local::shared(&folder.file(), 16).unwrap();
    assert_eq!(local.used(), (2, 4096));
    let later = Now {
        mono: Now::read().mono + 10 * SECOND,
        ..Now::read()
    };
    assert_eq!(super::burst_at(&local, RULE, later), 100, "and it is as it was");
    assert!(fs::read_dir(&folder.0).unwrap().count() == 1);
}
