//! What is published: values by which a torn or a wrong one shows.

pagecast::record! {
    /// Two fields to tell apart, and as many more as make a copy take its time, all the same as `number`.
    pub struct Sample { pub number: u32, pub extra: u32, pub fill: [u32; 62] }
}

pagecast::record! {
    /// Two of a sample's fields, elsewhere.
    pub struct Part { pub extra: u32, pub number: u32 }
}

pagecast::record! {
    /// A field of a sample with another type.
    pub struct Stranger { pub number: f64 }
}

pagecast::record! {
    /// A field that a sample does not have.
    pub struct Missing { pub number: u32, pub absent: u8 }
}

impl Sample {
    pub fn new(number: u32, extra: u32) -> Sample {
        Sample { number, extra, fill: [number; 62] }
    }
}

/// How a value is told.
pub trait Told: pagecast::Record {
    fn told(&self) -> String;
}

impl Told for Sample {
    fn told(&self) -> String {
        let whole = self.fill.iter().all(|word| *word == self.number);
        if whole { format!("{} {}", self.number, self.extra) } else { "torn".into() }
    }
}

impl Told for Part {
    fn told(&self) -> String {
        format!("{} {}", self.number, self.extra)
    }
}

impl Told for Stranger {
    fn told(&self) -> String {
        format!("{}", self.number)
    }
}

impl Told for Missing {
    fn told(&self) -> String {
        format!("{} {}", self.number, self.absent)
    }
}

/// Bytes that are all the same: which, and how many.
pub fn bytes_told(bytes: &[u8]) -> String {
    let first = bytes.first().copied().unwrap_or_default();
    if bytes.iter().all(|byte| *byte == first) { format!("{first}x{}", bytes.len()) } else { "torn".into() }
}
