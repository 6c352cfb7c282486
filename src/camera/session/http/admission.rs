//! Answers only clients that show a key, where the camera wants one; browsers may show its code instead.

use super::asked::{Asked, Form};
use super::guard::{Client, Kind, Place, Shown};
use super::{Http, InputSide, State, answers};
use crate::camera::access::{Channel, Given, NotAdmitted, NotGiven, PairCommand};
use crate::camera::metrics::Refused;
use crate::camera::page;
use crate::camera::session::link::outgoing::Outgoing;
use crate::camera::session::machine::{Input, Moment, Next, Order};
use crate::camera::session_end::{GREETING_TIMEOUT, SessionEnd};
use crate::image::frame::Micros;
use crate::wire::access::code::Code;
use crate::wire::http::Refusal;
use crate::wire::http::form;
use crate::wire::http::request::Afterwards;
use crate::wire::http::resource::Resource;
use crate::wire::http::response::Status;
use crate::wire::http::site::Site;

/// A client that shows its keys.
#[derive(Debug)]
pub(super) struct Knock {
    client: Client,
    /// The key that is being looked at.
    shown: Option<Shown>,
    /// Why the first key did not count.
    refused: Option<NotAdmitted>,
}

/// The field of the form.
pub(super) const CODE: &str = "code";

impl Http<'_> {
    /// Begins to decide whether to answer.
    pub(super) fn knock(
        &mut self,
        asked: Asked,
        client: Client,
        out: &mut Outgoing,
        moment: &Moment,
    ) -> Next {
        let knock = Knock { client, shown: None, refused: None };
        match (&asked.resource, self.channel()) {
            // The code is typed where nobody else can read it.
            (Ok(Resource::Login), Channel::Tls) => self.serve(asked, out, moment),
            (Ok(Resource::Login), Channel::Plain) => self.turn_away(asked, &knock, out),
            _ => self.show_next(asked, knock, out),
        }
    }

    /// Has the next key looked at.
    fn show_next(&mut self, asked: Asked, mut knock: Knock, out: &mut Outgoing) -> Next {
        let Some(shown) = knock.client.keys.pop() else {
            return self.turn_away(asked, &knock, out);
        };
        let key = shown.key.clone();
        knock.shown = Some(shown);
        self.state = State::Knocks(asked, knock);
        Next::Order(Order::Admit(key))
    }

    /// Goes on when the key was looked at.
    pub(super) fn judged(
        &mut self,
        mut asked: Asked,
        mut knock: Knock,
        input: &Input,
        out: &mut Outgoing,
        moment: &Moment,
    ) -> Next {
        let shown = knock.shown.take();
        match input {
            Input::Admitted(Ok(_)) => {
                let cookie = shown.filter(|shown| shown.place == Place::Cookie);
                asked.keeps = cookie.map(|shown| shown.key);
                self.serve(asked, out, moment)
            }
            Input::Admitted(Err(why)) => {
                knock.refused.get_or_insert(*why);
                self.show_next(asked, knock, out)
            }
            _ => {
                knock.client.keys.extend(shown);
                self.show_next(asked, knock, out)
            }
        }
    }

    /// Answers a client that shows no key that counts: with the login page if a person sees it.
    fn turn_away(&mut self, asked: Asked, knock: &Knock, out: &mut Outgoing) -> Next {
        let Knock { client, refused, .. } = knock;
        match (self.channel(), client.kind) {
            (Channel::Plain, Kind::Page) => {
                let host = client.host.as_deref().unwrap_or_default();
                let html = page::needs_tls(self.name, host, self.pair_command());
                answers::form(&asked, Status::FORBIDDEN, &html, &[], out);
                self.answers(&asked)
            }
            (Channel::Tls, Kind::Page) if client.site == Site::Foreign => {
                // Behind a link on another page, the browser holds the cookie back. It sends it when this page loads
                // itself anew.
                answers::form(&asked, Status::UNAUTHORIZED, &page::again(self.name), &[], out);
                self.answers(&asked)
            }
            (Channel::Tls, Kind::Page) => {
                let wrong = refused.map(|_| page::UNKNOWN_BROWSER);
                let html = self.login_page(wrong);
                answers::form(&asked, Status::UNAUTHORIZED, &html, &[], out);
                self.answers(&asked)
            }
            (Channel::Plain, _) => {
                let text = match refused {
                    Some(why @ (NotAdmitted::TlsOnly(_) | NotAdmitted::Unknown)) => why.to_string(),
                    _ => needs_tls(client.host.as_deref(), self.pair_command()),
                };
                self.refuse_unknown(asked, Status::FORBIDDEN, text, &[], out)
            }
            (Channel::Tls, kind) => {
                let text =
                    refused.map_or_else(|| no_key(self.pair_command()), |why| why.to_string());
                let challenge = answers::challenge(self.name);
                // A browser would ask for a name and a password, which nobody has.
                let more: &[&str] = if kind == Kind::Program { &[&challenge] } else { &[] };
                self.refuse_unknown(asked, Status::UNAUTHORIZED, text, more, out)
            }
        }
    }

    /// Refuses a client, and closes the connection, which puts the refusal into the log.
    fn refuse_unknown(
        &mut self,
        mut asked: Asked,
        status: Status,
        text: String,
        more: &[&str],
        out: &mut Outgoing,
    ) -> Next {
        asked.afterwards = Afterwards::Close;
        answers::refuse_with(&asked, &Refusal::new(status, text.as_str()), more, out);
        self.closes(SessionEnd::Refused { why: Refused::NoKey, text })
    }

    /// The login page, and what is sent from it.
    pub(super) fn log_in(&mut self, mut asked: Asked, out: &mut Outgoing, now: Micros) -> Next {
        match asked.form.take() {
            None => {
                answers::form(&asked, Status::OK, &self.login_page(None), &[], out);
                self.answers(&asked)
            }
            Some(Err(refusal)) => self.refuse(&asked, refusal, out),
            Some(Ok(form)) => self.read(asked, form, now.after(GREETING_TIMEOUT), out, now),
        }
    }

    /// Waits for a form until `deadline`, and reads it.
    pub(super) fn read(
        &mut self,
        asked: Asked,
        form: Form,
        deadline: Micros,
        out: &mut Outgoing,
        now: Micros,
    ) -> Next {
        let Some(body) = self.requests.body(form.len) else {
            return self.wait_for_form(asked, form, deadline, out, now);
        };
        let typed = match body {
            // Nothing was typed.
            [] => String::new(),
            body => match form::only_field(body, CODE) {
                Ok(typed) => typed,
                Err(refusal) => return self.refuse(&asked, refusal, out),
            },
        };
        match Code::parse(&typed) {
            Ok(code) => {
                self.state = State::LogsIn(asked);
                Next::Order(Order::LogIn(code, form.name))
            }
            // A mistake in typing costs no guess.
            Err(error) => {
                let html = self.login_page(Some(&error.to_string()));
                answers::form(&asked, Status::BAD_REQUEST, &html, &[], out);
                self.answers(&asked)
            }
        }
    }

    fn wait_for_form(
        &mut self,
        asked: Asked,
        form: Form,
        deadline: Micros,
        out: &mut Outgoing,
        now: Micros,
    ) -> Next {
        let (status, text) = match self.input {
            InputSide::Ended => (Status::BAD_REQUEST, "the form is cut short".to_owned()),
            InputSide::Open if now >= deadline => {
                let seconds = GREETING_TIMEOUT.as_secs();
                (Status::REQUEST_TIMEOUT, format!("no complete form came within {seconds} s"))
            }
            InputSide::Open => {
                self.state = State::Reads(asked, form, deadline);
                return Next::Wait(Some(deadline));
            }
        };
        self.refuse(&asked, Refusal::new(status, text), out)
    }

    /// Goes on when the code was looked at.
    pub(super) fn logged_in(&mut self, asked: &Asked, input: Input, out: &mut Outgoing) -> Next {
        match input {
            Input::LoggedIn(Ok(Given { key, name, .. })) => {
                let cookie = self.guard.as_ref().map(|guard| guard.set_cookie(&key.text()));
                answers::see_page(asked, cookie.as_deref(), out);
                self.closes(SessionEnd::Paired(name))
            }
            Input::LoggedIn(Err(NotGiven::Open)) => {
                answers::see_page(asked, None, out);
                self.answers(asked)
            }
            Input::LoggedIn(Err(why)) => self.not_given(asked, &why, out),
            // An order is answered at once, so nothing else comes.
            _ => Next::End(SessionEnd::ViewerLeft),
        }
    }

    fn not_given(&mut self, asked: &Asked, why: &NotGiven, out: &mut Outgoing) -> Next {
        let (status, counted) = match why {
            NotGiven::Rests(_) => (Status::TOO_MANY_REQUESTS, Refused::WrongCode),
            NotGiven::Failed(_) => (Status::UNAVAILABLE, Refused::TooMany),
            _ => (Status::FORBIDDEN, Refused::WrongCode),
        };
        let retry = match why {
            NotGiven::Rests(rests) => {
                Some(format!("Retry-After: {}", rests.0.as_millis().div_ceil(1000)))
            }
            _ => None,
        };
        let more: Vec<&str> = retry.as_deref().into_iter().collect();
        let text = why.to_string();
        answers::form(asked, status, &self.login_page(Some(&text)), &more, out);
        self.closes(SessionEnd::Refused { why: counted, text })
    }

    fn channel(&self) -> Channel {
        self.guard.as_ref().map_or(Channel::Plain, |guard| guard.channel)
    }

    fn login_page(&self, wrong: Option<&str>) -> String {
        page::login(self.name, wrong, self.pair_command())
    }

    fn pair_command(&self) -> PairCommand {
        self.guard.as_ref().map(|guard| guard.pair_command).unwrap_or_default()
    }
}

/// What a program is told that shows no key.
fn no_key(pair_command: PairCommand) -> String {
    format!(
        "this camera wants a key. On its machine, {pair_command} --name NAME makes one for this program. \
         Append ?key=KEY to the address, or send it as a Bearer token or as the password of Basic"
    )
}

/// What a program is told that does not speak TLS.
fn needs_tls(host: Option<&str>, pair_command: PairCommand) -> String {
    let address = match host {
        Some(host) if !host.is_empty() => format!("https://{host}"),
        _ => "https:// instead of http://".to_owned(),
    };
    format!(
        "this camera answers over TLS only. Use {address} and a key for this program: \
         on the camera's machine, {pair_command} --name NAME makes one"
    )
}
