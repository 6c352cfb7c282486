//! The web page at `/`: one file that loads nothing from elsewhere.

const PAGE: &str = include_str!("page.html");

/// The page of the camera called `name`.
pub(super) fn html(name: &str) -> String {
    PAGE.replace("{NAME}", &escaped(name)).replace("{VERSION}", env!("CARGO_PKG_VERSION"))
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
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_and_never_run() {
        let page = html("<script>alert('{VERSION}')</script>&\"");
        assert!(!page.contains("<script>alert"));
        assert!(
            page.contains(
                "&lt;script&gt;alert(&#39;&#123;VERSION}&#39;)&lt;/script&gt;&amp;&quot;"
            )
        );
        assert!(!page.contains("{NAME}") && !page.contains("{VERSION}"));
    }

    #[test]
    fn without_scripts_the_page_says_what_it_cannot_do() {
        let page = html("x");
        let (_, unscripted) = page.split_once("<noscript><span>").expect("words");
        assert!(unscripted.starts_with("JavaScript is off. "));
    }

    #[test]
    fn the_page_asks_nobody_else_for_anything() {
        let page = html("x");
        for elsewhere in ["src=\"http", "href=\"http", "src=\"//", "@import", "url(http", "fonts."]
        {
            assert!(!page.contains(elsewhere), "{elsewhere}");
        }
    }
}
