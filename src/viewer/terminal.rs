//! Asks somebody who sits at the terminal, while the viewer goes on.

use crate::console;
use crate::latest::{Doorbell, Latest, Newest, Reader};
use std::io::{self, BufRead};
use std::sync::Arc;
use std::thread;

/// A terminal, from which lines come once something was asked.
#[derive(Debug)]
pub struct Terminal {
    doorbell: Arc<Doorbell>,
    /// What is typed. `None` before the first question, so that nothing is taken that is meant for another program.
    lines: Option<Reader<String>>,
}

/// The longest line that is read. No answer is longer.
const LONGEST: u64 = 4096;

impl Terminal {
    /// The terminal from which this program was started. `None` if there is nobody to ask: its input or its messages go
    /// elsewhere. Each line that is typed rings `doorbell`.
    pub fn of_this_program(doorbell: &Arc<Doorbell>) -> Option<Self> {
        console::has_somebody().then(|| Self { doorbell: Arc::clone(doorbell), lines: None })
    }

    /// Writes a question; what is typed stands behind it.
    pub fn ask(&mut self, question: &str) {
        // If the terminal is closed, no answer comes.
        console::ask(question);
        if self.lines.is_none() {
            self.listen(io::BufReader::new(io::stdin()));
        }
    }

    /// Reads lines of `input`, in a thread that ends with the input or with the program.
    fn listen(&mut self, input: impl BufRead + Send + 'static) {
        let slot = Latest::with_doorbell(Arc::clone(&self.doorbell));
        self.lines = Some(slot.reader());
        let lines = Arc::clone(&slot);
        let begun = thread::Builder::new().name("terminal".into()).spawn(move || {
            read(input, &slot);
            slot.close();
        });
        if begun.is_err() {
            lines.close();
        }
    }

    /// What was typed since the last call.
    pub fn answer(&mut self) -> Answer {
        match self.lines.as_mut().map(Reader::newest) {
            Some(Newest::Fresh { value, .. }) => Answer::Line(value),
            Some(Newest::Closed) => Answer::Never,
            Some(Newest::NotYet) | None => Answer::NotYet,
        }
    }
}

/// What somebody at a terminal has typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A line.
    Line(String),
    /// Nothing so far.
    NotYet,
    /// Nothing more will come.
    Never,
}

fn read(mut input: impl BufRead, lines: &Latest<String>) {
    loop {
        let mut line = String::new();
        match io::Read::take(&mut input, LONGEST).read_line(&mut line) {
            Ok(count) if count > 0 => drop(lines.publish(line)),
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::time::{Duration, Instant};

    fn next(terminal: &mut Terminal) -> Answer {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            match terminal.answer() {
                Answer::NotYet if Instant::now() < deadline => thread::yield_now(),
                answer => return answer,
            }
        }
    }

    #[test]
    fn lines_come_as_they_are_typed_and_then_never_again() {
        let (input, mut keyboard) = io::pipe().expect("a pipe");
        let mut terminal = Terminal { doorbell: Doorbell::new(), lines: None };
        assert_eq!(terminal.answer(), Answer::NotYet, "nothing was asked");
        terminal.listen(io::BufReader::new(input));
        assert_eq!(terminal.answer(), Answer::NotYet);
        for line in ["one\n", "two\n"] {
            keyboard.write_all(line.as_bytes()).expect("written");
            assert_eq!(next(&mut terminal), Answer::Line(line.into()));
        }
        drop(keyboard);
        assert_eq!(next(&mut terminal), Answer::Never);
    }
}
