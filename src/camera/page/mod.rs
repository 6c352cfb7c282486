//! The web pages: each is one file that loads nothing from elsewhere.

use super::access::PairCommand;

const PAGE: &str = include_str!("page.html");
const SMALL: &str = include_str!("small.html");
const LOGIN: &str = include_str!("login.html");
const NEEDS_TLS: &str = include_str!("needs_tls.html");

/// The beginning of every page, up to the common part of its style.
const HEAD: &str = include_str!("head.html");

/// What the page says where everybody may watch, and where only clients with a key may. The lines for other programs differ
/// too.
const OPEN: [(&str, &str); 5] = [
    ("{KEYS}", ""),
    ("{KEY}", ""),
    ("{Q}", ""),
    ("{SCHEME}", "http"),
    ("{ACCESS}", "Nobody needs a key to watch."),
];
const KEYS: [(&str, &str); 5] = [
    (
        "{KEYS}",
        "<p>A program needs a key. On the camera's machine, <code>{PAIR} --name PROGRAM</code> makes one: put it in \
         place of KEY. A program that checks certificates has to be told to accept this one. VLC asks for that in its window.</p>\n",
    ),
    ("{KEY}", "?key=KEY"),
    // Shells take a question mark for a pattern.
    ("{Q}", "'"),
    ("{SCHEME}", "https"),
    ("{ACCESS}", "Only clients with a key may watch."),
];

/// What the login page says to a browser whose key does not count any more.
pub(super) const UNKNOWN_BROWSER: &str =
    "The camera no longer knows this browser's key. Type the code again.";

/// The page of the camera called `name`, which everybody may see.
pub(super) fn html(name: &str) -> String {
    filled(PAGE, name, &OPEN)
}

/// The page of a camera that wants keys.
pub(super) fn html_for_keys(name: &str, pair_command: PairCommand) -> String {
    let pair_command = pair_command.to_string();
    filled(PAGE, name, &[&KEYS[..], &[("{PAIR}", &pair_command)]].concat())
}

/// The form that takes the camera's code; `wrong` says why the last one was not taken.
pub(super) fn login(name: &str, wrong: Option<&str>, pair_command: PairCommand) -> String {
    let words = |text| {
        let sentence = escaped(&as_sentence(text));
        format!("<p class=\"wrong\" role=\"alert\">{sentence}</p>\n")
    };
    let content = LOGIN.replace("{WRONG}", &wrong.map(words).unwrap_or_default());
    filled(SMALL, name, &[("{CONTENT}", &content), ("{PAIR}", &pair_command.to_string())])
}

/// Where to go on inside TLS, for a browser that calls the camera `host`; that may be empty.
pub(super) fn needs_tls(name: &str, host: &str, pair_command: PairCommand) -> String {
    let host = if host.is_empty() { "ADDRESS:PORT" } else { host };
    let content = NEEDS_TLS.replace("{ADDRESS}", &format!("https://{}/", escaped(host)));
    filled(SMALL, name, &[("{CONTENT}", &content), ("{PAIR}", &pair_command.to_string())])
}

/// A page that loads itself once more.
pub(super) fn again(name: &str) -> String {
    let content =
        "<meta http-equiv=\"refresh\" content=\"0\">\n<p><a href=\"\">Go on to the camera</a></p>";
    filled(SMALL, name, &[("{CONTENT}", content)])
}

fn filled(page: &str, name: &str, parts: &[(&str, &str)]) -> String {
    let page = page.replace("{HEAD}", HEAD);
    let page = parts.iter().fold(page, |page, (mark, text)| page.replace(mark, text));
    page.replace("{NAME}", &escaped(name)).replace("{VERSION}", env!("CARGO_PKG_VERSION"))
}

/// A message as people read it on a page: it begins with a capital letter and ends with a full stop.
fn as_sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // A name must not be able to insert the page's own placeholders.
            '{' => escaped.push_str("&#123;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod contrast;

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const PAIR: PairCommand = PairCommand::OF_SERVICE;

    /// All pages, with a name and words that a stranger may have chosen.
    fn pages(text: &str) -> [String; 6] {
        let wrong = Some(text);
        [
            html(text),
            html_for_keys(text, PAIR),
            login(text, wrong, PAIR),
            login(text, None, PAIR),
            needs_tls(text, text, PAIR),
            again(text),
        ]
    }

    #[test]
    fn a_name_is_shown_and_never_run() {
        for page in pages("<script>alert('{VERSION}{PAIR}')</script>&\"") {
            assert!(!page.contains("<script>alert"));
            assert!(page.contains(
                "&lt;script&gt;alert(&#39;&#123;VERSION}&#123;PAIR}&#39;)&lt;/script&gt;&amp;&quot;"
            ));
            // The script fills in the last two.
            for mark in [
                "HEAD", "NAME", "VERSION", "KEYS", "KEY", "Q", "SCHEME", "ACCESS", "CONTENT",
                "WRONG", "ADDRESS", "PAIR",
            ] {
                assert!(!page.contains(&format!("{{{mark}}}")), "{mark}");
            }
        }
    }

    #[test]
    fn without_scripts_the_page_says_what_it_cannot_do() {
        let page = html("x");
        let (_, unscripted) = page.split_once("<noscript><span>").expect("words");
        assert!(unscripted.starts_with("JavaScript is off. "));
    }

    #[test]
    fn the_page_asks_nobody_else_for_anything() {
        for page in pages("x") {
            for elsewhere in
                ["src=\"http", "href=\"http:", "src=\"//", "@import", "url(http", "fonts."]
            {
                assert!(!page.contains(elsewhere), "{elsewhere}");
            }
        }
    }

    #[test]
    fn only_the_page_of_a_camera_that_wants_keys_speaks_of_them() {
        assert!(html("x").contains("vlc --network-caching=100 {URL}/stream<"));
        assert!(html("x").contains("Nobody needs a key"));
        assert!(
            html_for_keys("x", PAIR).contains("vlc --network-caching=100 '{URL}/stream?key=KEY'<")
        );
        assert!(html_for_keys("x", PAIR).contains("sudo lancam pair --name PROGRAM"));
    }

    #[test]
    fn a_page_says_what_to_type_for_this_camera() {
        let second = PairCommand::of(Some(Path::new("/var/lib/lancam2")));
        let typed = format!("<code>{second}");
        assert!(typed.ends_with("lancam pair --state DIR"), "{typed}");
        for page in
            [html_for_keys("x", second), login("x", None, second), needs_tls("x", "y", second)]
        {
            assert!(page.contains(&typed) && !page.contains("lancam2"), "{page}");
        }
    }

    #[test]
    fn the_page_says_how_the_picture_is_turned_and_recorded() {
        assert!(html("x").contains("lancam-view also turns, zooms and records the picture."));
        assert!(html("x").contains("<code>rotate = 180</code>"));
    }

    #[test]
    fn who_copies_vlcs_line_knows_that_it_asks_first() {
        assert!(html_for_keys("x", PAIR).contains("VLC asks for that in its window."));
        assert!(!html("x").contains("VLC asks"));
    }

    #[test]
    fn without_scripts_the_picture_itself_says_what_to_do_if_there_is_none() {
        for page in [html("x"), html_for_keys("x", PAIR)] {
            let (_, image) =
                page.split_once("<noscript><img src=\"stream\" alt=\"").expect("an image");
            let (words, _) = image.split_once('"').expect("words");
            assert!(words.contains("load this page again") && words.contains("open Stream below"));
            // What the words name is there, and not hidden.
            assert!(page.contains("<summary>For other programs</summary>"));
            assert!(page.contains("<a href=\"stream\">Stream</a>"));
        }
    }

    #[test]
    fn the_small_pages_need_no_script() {
        for page in &pages("x")[2..] {
            assert!(!page.contains("<script"));
        }
        assert!(login("x", None, PAIR).contains("<form method=\"post\" action=\"login\">"));
        assert!(!login("x", None, PAIR).contains("role=\"alert\""));
        assert!(login("x", Some("wrong"), PAIR).contains("role=\"alert\">Wrong.</p>"));
        assert!(needs_tls("x", "pi.local:8080", PAIR).contains("href=\"https://pi.local:8080/\""));
    }
}
