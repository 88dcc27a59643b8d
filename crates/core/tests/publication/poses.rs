//! The record that most tests publish, and both sides of it.

use pagecast::publication::Shape;
use pagecast::{Code, Consumer, CreateOptions, Name, Publisher, RawConsumer, Record, Result};

pagecast::record! {
    /// The record that most tests publish.
    #[derive(Default)]
    pub struct Pose {
        /// Changes with every value.
        pub field1: i32,
        /// Half of it.
        pub field2: f64,
    }
}

/// A value that can be told from its neighbours.
pub fn pose(number: i32) -> Pose {
    Pose { field1: number, field2: f64::from(number) / 2.0 }
}

/// The default options with this many buffers.
pub fn buffers(count: u32) -> CreateOptions<'static> {
    CreateOptions { shape: Shape { buffers: Some(count), ..Shape::default() }, ..CreateOptions::default() }
}

/// Publishes `pose(1)` with this many buffers.
pub fn publish(name: &Name, count: u32) -> Publisher<Pose> {
    Publisher::create_with(name, Some(&pose(1)), &buffers(count)).unwrap()
}

/// Attaches.
pub fn consume<T: Record>(name: &Name) -> Consumer<T> {
    Consumer::over(RawConsumer::open(name, false).unwrap()).unwrap()
}

/// Attaches with permission to read only.
pub fn observe<T: Record>(name: &Name) -> Consumer<T> {
    Consumer::over(RawConsumer::open(name, true).unwrap()).unwrap()
}

/// Code and message of an operation that must fail.
#[track_caller]
pub fn refusal<T>(result: Result<T>) -> (Code, String) {
    let error = result.map(drop).unwrap_err();
    (error.code(), error.message().to_owned())
}
