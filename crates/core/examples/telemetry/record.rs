//! The value: field for field what `examples/telemetry/telemetry.ts` declares, so either publisher serves the same consumers.

use pagecast::{Record, Text};

/// As many as are published; a machine may have more.
pub const CORES: usize = 64;
pub const DISKS: usize = 6;
pub const NETWORKS: usize = 6;

pagecast::record! {
    /// What one core, or all of them together, did over the last second.
    #[derive(Default)]
    pub struct Cpu {
        #[meta(unit = "%")]
        pub busy: f32,
        #[meta(unit = "%")]
        pub user: f32,
        #[meta(unit = "%")]
        pub system: f32,
        #[meta(unit = "%", description = "idle, waiting for a disk")]
        pub wait: f32,
    }

    #[derive(Default)]
    pub struct Memory {
        #[meta(unit = "B")]
        pub total: u64,
        #[meta(unit = "B")]
        pub available: u64,
        #[meta(unit = "B")]
        pub cached: u64,
        #[meta(unit = "B")]
        pub swapped: u64,
    }

    /// The root filesystem.
    #[derive(Default)]
    pub struct Storage {
        #[meta(unit = "B")]
        pub total: u64,
        #[meta(unit = "B")]
        pub available: u64,
    }

    #[derive(Default)]
    pub struct Tasks {
        pub running: u32,
        pub total: u32,
    }

    #[derive(Default)]
    pub struct Disk {
        #[meta(description = "empty where there is no such disk")]
        pub name: Text<16>,
        #[meta(unit = "B")]
        pub read: u64,
        #[meta(unit = "B")]
        pub written: u64,
        #[meta(unit = "B/s")]
        pub reading: f64,
        #[meta(unit = "B/s")]
        pub writing: f64,
        #[meta(unit = "%", description = "time with a request under way")]
        pub busy: f64,
    }

    #[derive(Default)]
    pub struct Network {
        #[meta(description = "empty where there is no such interface")]
        pub name: Text<16>,
        #[meta(unit = "B")]
        pub received: u64,
        #[meta(unit = "B")]
        pub sent: u64,
        #[meta(unit = "B/s")]
        pub receiving: f64,
        #[meta(unit = "B/s")]
        pub sending: f64,
    }

    pub struct Telemetry {
        #[meta(description = "FNV-1a of all bytes after it")]
        pub checksum: u32,
        #[meta(description = "number of cores")]
        pub online: u32,
        #[meta(description = "1 for the first sample")]
        pub sequence: u64,
        #[meta(unit = "ns", description = "CLOCK_MONOTONIC when sampling began")]
        pub timestamp: u64,
        pub load: [f64; 3],
        #[meta(unit = "1/s", description = "context switches")]
        pub switches: f64,
        pub tasks: Tasks,
        pub memory: Memory,
        pub storage: Storage,
        pub cpu: Cpu,
        pub cores: [Cpu; CORES],
        pub disks: [Disk; DISKS],
        pub networks: [Network; NETWORKS],
    }
}

impl Telemetry {
    /// Stores the checksum of everything else. The fields leave no padding, so that every byte belongs to one.
    pub fn seal(mut self) -> Telemetry {
        let mut bytes = [0; Telemetry::BYTE_LENGTH];
        self.store(&mut bytes);
        self.checksum = checksum(&bytes[size_of::<u32>()..]);
        self
    }
}

/// FNV-1a, 32 bits.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
