//! Charts of any kind and size: what is drawn, and that nothing collides.

mod any_chart;
mod charts;
mod layout;
mod measure;
mod snapshots;
