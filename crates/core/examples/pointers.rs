//! Absolute pointers in a region that two processes have at the same address: Node and this example, or this example twice.
//!
//! ```sh
//! cargo run --example pointers -- make                         # prints a handle, and once it hears a line, what its pointer leads to by then
//! cargo run --example pointers -- follow '{"kind":"pagecast.region",…}'
//! ```

use pagecast::region::{Handle, MapOptions, Region};
use std::error::Error;
use std::io::stdin;

/// Bytes of the words that pointers lead to.
const WORD: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make"] => make(),
        ["follow", text] => follow(&Handle::from_json(text)?),
        _ => Err("usage: pointers make | pointers follow HANDLE".into()),
    }
}

fn make() -> Result<(), Box<dyn Error>> {
    let mut region = Region::map(&MapOptions { byte_length: Some(65_536), portable: true, ..MapOptions::default() })?;
    point(&region, 4096, b"rusty")?;
    println!("{}", region.handle()?.to_json());
    stdin().read_line(&mut String::new())?;
    tell(&region)
}

/// Says what the pointer at the beginning leads to, and has it lead elsewhere.
fn follow(handle: &Handle) -> Result<(), Box<dyn Error>> {
    let region = Region::from_handle(handle, None)?;
    tell(&region)?;
    point(&region, 8192, b"crate")
}

fn point(region: &Region, to: u64, word: &[u8; WORD]) -> Result<(), Box<dyn Error>> {
    region.write_at(to, word)?;
    let pointer = region.address_of(to).ok_or("past the end")?;
    Ok(region.write_at(0, &pointer.to_ne_bytes())?)
}

fn tell(region: &Region) -> Result<(), Box<dyn Error>> {
    let (mut pointer, mut word) = ([0; 8], [0; WORD]);
    region.read_at(0, &mut pointer)?;
    let at = region.offset_of(u64::from_ne_bytes(pointer)).ok_or("the pointer leads out of the region")?;
    region.read_at(at, &mut word)?;
    println!("{} at {at}", String::from_utf8_lossy(&word));
    Ok(())
}
