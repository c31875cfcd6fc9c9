//! Charts with their values beside them.

use sureness_analysis::{Chart, Theme};

use super::markup::esc;
use super::{HtmlOptions, table, theme, values};

/// Writes a chart: heading, drawing, what it shows, and its values as a table. `id` is unique in
/// the page.
pub(super) fn figure(out: &mut String, chart: &Chart, id: &str, options: &HtmlOptions) {
    out.push_str(&format!(
        "<figure class=\"chart\" id=\"{id}\">\n<h3 id=\"{id}-title\">{}</h3>\n",
        esc(&chart.title)
    ));
    let drawing = theme::combined(
        &(options.draw)(chart, Theme::Light),
        &(options.draw)(chart, Theme::Dark),
    );
    if !drawing.is_empty() {
        out.push_str(&format!(
            "<div class=\"drawing\" role=\"img\" aria-labelledby=\"{id}-title\" \
             aria-describedby=\"{id}-caption\">{drawing}</div>\n"
        ));
    }
    out.push_str(&format!(
        "<figcaption id=\"{id}-caption\">{}</figcaption>\n",
        esc(&chart.caption)
    ));
    out.push_str("<details class=\"values\"><summary>Values as a table</summary>\n");
    table::table(out, &values::of(chart), &format!("{id}-values"), None);
    out.push_str("</details>\n</figure>\n");
}
