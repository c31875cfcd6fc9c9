//! One drawing for both themes.

/// Two drawings of one chart as one that follows the theme of the page.
///
/// Where both say the same but for hexadecimal colours, each pair of colours becomes CSS's
/// `light-dark(…)`, which costs next to nothing. Drawings that differ otherwise go in both, and
/// the stylesheet shows one of them.
pub(super) fn combined(light: &str, dark: &str) -> String {
    let (light, dark) = (element(light), element(dark));
    merged(light, dark).unwrap_or_else(|| {
        format!("<div class=\"only-light\">{light}</div>\n<div class=\"only-dark\">{dark}</div>")
    })
}

/// The SVG element, without an XML declaration or a document type before it.
fn element(svg: &str) -> &str {
    svg.find("<svg")
        .map_or("", |at| svg.split_at(at).1.trim_end())
}

fn merged(mut light: &str, mut dark: &str) -> Option<String> {
    let mut out = String::with_capacity(light.len() + light.len() / 8);
    loop {
        let (Some(l), Some(d)) = (light.find('#'), dark.find('#')) else {
            out.push_str(light);
            return (light == dark).then_some(out);
        };
        let ((before_l, from_l), (before_d, from_d)) = (light.split_at(l), dark.split_at(d));
        if before_l != before_d {
            return None;
        }
        out.push_str(before_l);
        match (colour(from_l), colour(from_d)) {
            (Some(a), Some(b)) if a != b => {
                out.push_str(&format!("light-dark({a},{b})"));
                (light, dark) = (from_l.split_at(a.len()).1, from_d.split_at(b.len()).1);
            }
            // The same colour in both, or no colour but a reference to an id.
            _ => {
                out.push('#');
                (light, dark) = (from_l.split_at(1).1, from_d.split_at(1).1);
            }
        }
    }
}

/// The colour that the text begins with: `#rrggbb` or `#rgb`, and no further digit.
fn colour(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('#')?;
    let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
    let next = rest.as_bytes().get(digits);
    let ends = !next.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    (ends && matches!(digits, 3 | 6)).then(|| text.split_at(digits + 1).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_colours_become_one() {
        assert_eq!(
            combined(
                "<?xml version=\"1.0\"?>\n<svg fill=\"#fff\"><g clip-path=\"url(#a-1)\" fill=\"#112233\"/></svg>\n",
                "<svg fill=\"#14171a\"><g clip-path=\"url(#a-1)\" fill=\"#112233\"/></svg>",
            ),
            "<svg fill=\"light-dark(#fff,#14171a)\"><g clip-path=\"url(#a-1)\" fill=\"#112233\"/></svg>"
        );
    }

    #[test]
    fn other_differences_keep_both() {
        for (light, dark) in [
            ("<svg><a/></svg>", "<svg><b/></svg>"),
            ("<svg f=\"#fff\"/>", "<svg f=\"#000\" g=\"#111\"/>"),
            ("<svg f=\"#fff\" x=\"1\"/>", "<svg f=\"#000\" x=\"2\"/>"),
            ("<svg f=\"#fff\"/>", "<svg f=\"white\"/>"),
            ("<svg f=\"url(#abc-l)\"/>", "<svg f=\"url(#abd-l)\"/>"),
        ] {
            let both = combined(light, dark);
            assert!(both.contains(light) && both.contains(dark), "{both}");
        }
    }

    #[test]
    fn no_drawing_is_no_drawing() {
        assert_eq!(combined("", ""), "");
    }
}
