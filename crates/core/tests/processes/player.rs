//! Another process that plays a role: commands go in line by line, answers come out.

use crate::common::watchdog::Watch;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

/// Answers stand behind this mark: the test harness of the child prints, too.
pub const MARK: char = '@';

/// A process with a role.
pub struct Player {
    child: Arc<Mutex<Child>>,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Player {
    /// Starts a process that plays `role` with these arguments.
    pub fn start(watch: &Watch, role: &str, arguments: &[&str]) -> Player {
        Player::spawn(watch, &mut Player::command(role, arguments)).unwrap()
    }

    /// As [`Player::start`], with one more variable in its environment.
    pub fn start_in(watch: &Watch, environment: Option<(&str, &str)>, role: &str, arguments: &[&str]) -> Player {
        Player::spawn(watch, Player::command(role, arguments).envs(environment)).unwrap()
    }

    /// As [`Player::start`], as another user; an error where this process may not do that.
    pub fn start_as(watch: &Watch, uid: u32, role: &str, arguments: &[&str]) -> std::io::Result<Player> {
        Player::spawn(watch, Player::command(role, arguments).uid(uid).gid(uid))
    }

    fn command(role: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "roles::play", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env("PAGECAST_TEST_ROLE", role).env("PAGECAST_TEST_ARGUMENTS", arguments.join("\n"));
        command
    }

    fn spawn(watch: &Watch, command: &mut Command) -> std::io::Result<Player> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Ok(Player { child: watch.guard(child), commands, answers })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// Gives a command and does not wait for the answer.
    pub fn say(&mut self, command: &str) {
        writeln!(self.commands, "{command}").expect("the process is there to listen");
    }

    /// The next answer.
    pub fn hear(&mut self) -> String {
        self.answer().expect("the process ended without an answer")
    }

    fn answer(&mut self) -> Option<String> {
        let mut line = String::new();
        while self.answers.read_line(&mut line).unwrap() > 0 {
            if let Some((_, answer)) = line.split_once(MARK) {
                return Some(answer.trim_end().to_owned());
            }
            line.clear();
        }
        None
    }

    /// What it says, if it says anything, and the signal that ended it, if one did.
    pub fn fate(mut self) -> (Option<String>, Option<i32>) {
        let answer = self.answer();
        (answer, self.child.lock().unwrap().wait().unwrap().signal())
    }

    /// Gives a command and waits for its answer.
    pub fn ask(&mut self, command: &str) -> String {
        self.say(command);
        self.hear()
    }

    /// How it ended, if it has.
    pub fn is_over(&self) -> Option<std::process::ExitStatus> {
        self.child.lock().unwrap().try_wait().unwrap()
    }

    /// Stops it where it stands (SIGKILL), and waits until it is gone.
    pub fn kill(self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
