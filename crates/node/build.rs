//! Tells the linker what an addon needs.

fn main() {
    napi_build::setup();
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        // An addon that is unloaded with a worker would take the code of its helper threads away under them.
        Ok("linux") => println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete"),
        // Otherwise the name that it has for itself is the path where it was linked.
        Ok("macos") => println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/pagecast.darwin-arm64.node"),
        _ => {}
    }
}
