//! One sample of the machine.

use super::rates::Rates;
use super::record::{Cpu, DISKS, Disk, Memory, NETWORKS, Network, Storage, Tasks, Telemetry};
use super::sources::{Source, numbers, whole_disks};
use pagecast::Text;
use std::collections::HashMap;

/// /proc/diskstats counts in sectors of this size, whatever the disk's own.
const SECTOR: f64 = 512.0;

/// Columns of a cpu line in /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
const CPU_COLUMNS: usize = 8;

pub struct Sampler {
    stat: Source,
    meminfo: Source,
    loadavg: Source,
    diskstats: Source,
    network: Source,
    whole_disks: Vec<String>,
    cpu_rates: Rates,
    switch_rates: Rates,
    disk_rates: Rates,
    network_rates: Rates,
}

impl Sampler {
    pub fn new() -> Sampler {
        Sampler {
            stat: Source::open("/proc/stat"),
            meminfo: Source::open("/proc/meminfo"),
            loadavg: Source::open("/proc/loadavg"),
            diskstats: Source::open("/proc/diskstats"),
            network: Source::open("/proc/net/dev"),
            whole_disks: whole_disks(),
            cpu_rates: Rates::default(),
            switch_rates: Rates::default(),
            disk_rates: Rates::default(),
            network_rates: Rates::default(),
        }
    }

    pub fn sample(&mut self, sequence: u64) -> Telemetry {
        let timestamp = pagecast::monotonic_ns();
        let seconds = timestamp as f64 / 1e9;
        let (all, switches) = self.processors(seconds);
        let (load, tasks) = self.load();
        let sample = Telemetry {
            checksum: 0,
            online: all.len().saturating_sub(1) as u32,
            sequence,
            timestamp,
            load,
            switches,
            tasks,
            memory: self.memory(),
            storage: storage(),
            cpu: all.first().copied().unwrap_or_default(),
            cores: filled(all.into_iter().skip(1)),
            disks: self.disks(seconds),
            networks: self.networks(seconds),
        };
        sample.seal()
    }

    /// All processors together, then each; and context switches per second.
    fn processors(&mut self, seconds: f64) -> (Vec<Cpu>, f64) {
        let text = self.stat.read();
        let lines = text.lines().take_while(|line| line.starts_with("cpu"));
        let ticks = lines.flat_map(|line| numbers(line.split_ascii_whitespace().skip(1).take(CPU_COLUMNS))).collect();
        let switched = numbers(text.lines().filter_map(|line| line.strip_prefix("ctxt ")));
        let all = self.cpu_rates.update(seconds, ticks).chunks_exact(CPU_COLUMNS).map(cpu).collect();
        (all, self.switch_rates.update(seconds, switched).first().copied().unwrap_or_default())
    }

    fn load(&mut self) -> ([f64; 3], Tasks) {
        let words = numbers(self.loadavg.read().split([' ', '/', '\n']));
        let word = |index: usize| words.get(index).copied().unwrap_or_default();
        ([word(0), word(1), word(2)], Tasks { running: word(3) as u32, total: word(4) as u32 })
    }

    fn memory(&mut self) -> Memory {
        let lines = self.meminfo.read().lines().filter_map(|line| line.split_once(':'));
        let kilobytes: HashMap<&str, u64> =
            lines.filter_map(|(name, rest)| Some((name, rest.split_ascii_whitespace().next()?.parse().ok()?))).collect();
        let bytes = |name: &str| kilobytes.get(name).map_or(0, |kilobytes| kilobytes * 1024);
        Memory {
            total: bytes("MemTotal"),
            available: bytes("MemAvailable"),
            cached: bytes("Cached"),
            swapped: bytes("SwapTotal").saturating_sub(bytes("SwapFree")),
        }
    }

    fn disks(&mut self, seconds: f64) -> [Disk; DISKS] {
        let Sampler { diskstats, whole_disks, .. } = self;
        let rows = diskstats.read().lines().map(|line| line.split_ascii_whitespace().skip(2));
        let rows = rows.filter_map(|mut words| Some((words.next()?.to_owned(), numbers(words))));
        let disks: Vec<_> = rows.filter(|(name, row)| row.len() > 9 && whole_disks.contains(name)).take(DISKS).collect();
        let counters = disks.iter().flat_map(|(_, row)| [row[2] * SECTOR, row[6] * SECTOR, row[9]]).collect();
        let rates = self.disk_rates.update(seconds, counters);
        filled(disks.iter().zip(rates.chunks_exact(3)).map(|((name, row), rates)| Disk {
            name: short(name),
            read: (row[2] * SECTOR) as u64,
            written: (row[6] * SECTOR) as u64,
            reading: rates[0],
            writing: rates[1],
            busy: (rates[2] / 10.0).min(100.0), // milliseconds per second
        }))
    }

    fn networks(&mut self, seconds: f64) -> [Network; NETWORKS] {
        let rows = self.network.read().lines().filter_map(|line| line.split_once(':'));
        let rows = rows.map(|(name, rest)| (name.trim().to_owned(), numbers(rest.split_ascii_whitespace())));
        let used = rows.filter(|(_, row)| row.len() > 8 && row[0] + row[8] > 0.0);
        let networks: Vec<_> = used.take(NETWORKS).collect();
        let rates = self.network_rates.update(seconds, networks.iter().flat_map(|(_, row)| [row[0], row[8]]).collect());
        filled(networks.iter().zip(rates.chunks_exact(2)).map(|((name, row), rates)| Network {
            name: short(name),
            received: row[0] as u64,
            sent: row[8] as u64,
            receiving: rates[0],
            sending: rates[1],
        }))
    }
}

fn storage() -> Storage {
    nix::sys::statfs::statfs("/").map_or(Storage::default(), |root| {
        let block = root.block_size() as u64;
        Storage { total: root.blocks() * block, available: root.blocks_available() * block }
    })
}

/// Ticks per second of each kind become shares of all ticks.
fn cpu(ticks: &[f64]) -> Cpu {
    let total = ticks.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let share = |columns: &[usize]| (columns.iter().map(|&column| ticks[column]).sum::<f64>() * 100.0 / total) as f32;
    Cpu { busy: share(&[0, 1, 2, 5, 6, 7]), user: share(&[0, 1]), system: share(&[2, 5, 6, 7]), wait: share(&[4]) }
}

/// As many as fit; the rest are empty.
fn filled<T: Copy + Default, const N: usize>(mut items: impl Iterator<Item = T>) -> [T; N] {
    std::array::from_fn(|_| items.next().unwrap_or_default())
}

fn short(name: &str) -> Text<16> {
    Text::try_from(name.get(..16).unwrap_or(name)).unwrap_or_default()
}
