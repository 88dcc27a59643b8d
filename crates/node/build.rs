//! Tells the linker what an addon needs.

fn main() {
    napi_build::setup();
    // An addon that is unloaded with a worker would take the code of its helper threads away under them.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
