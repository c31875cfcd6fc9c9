//! Small drawings as text.

use crate::charts;
use sureness_analysis::Theme;
use sureness_plot::{Style, svg};

#[test]
fn each_kind_with_two_models() {
    for chart in charts::all(2) {
        insta::assert_snapshot!(chart.id.clone(), svg(&chart, &Style::default()));
    }
}

#[test]
fn dark_without_heading_or_ground() {
    let style = Style {
        theme: Theme::Dark,
        background: false,
        heading: false,
        ..Style::default()
    };
    let chart = charts::all(1).remove(0);
    insta::assert_snapshot!(svg(&chart, &style));
}
