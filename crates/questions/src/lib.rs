//! Questions, tasks and the readers of each data set's native layout.
//!
//! A [`Question`] has a stem and 2 to 26 options. The two abstention options of the
//! benchmark ("I don't know" and "None of the above") are ordinary options: they are
//! added by [`Question::with_abstention`] and are asked, scored and counted like the rest.

mod question;
mod task;

pub use question::{DONT_KNOW, MAX_OPTIONS, NONE_OF_THE_ABOVE, Question, label};
pub use task::{Background, Dataset, Task};
