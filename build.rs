//! Shapes the shared object at link time: it is never unloaded, and it shows `get_module` alone.
//! Leaves PHP's headers and bindings to ext-php-rs' own build script.

use std::{env, error::Error, fs, path::Path, process::Command};

/// ext-php-rs exports a second entry point for static builds of PHP. `.hidden` on a mere reference hides the definition too:
/// the strictest visibility wins. A version script of our own would not do, since GNU ld refuses a second one beside Rust's.
const HIDE: &str = ".hidden tenant_crm_sync_get_module\n.section .note.GNU-stack,\"\",%progbits\n";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=CC");
    // Without PHP there is no entry point, and macOS and Windows have other linkers.
    if env::var_os("CARGO_FEATURE_PHP").is_none() || env::var("CARGO_CFG_TARGET_OS")? != "linux" {
        return Ok(());
    }
    // Every exiting process runs the module's shutdown while our thread may still be in this code: it must stay mapped.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");

    let out = env::var("OUT_DIR")?;
    let source = Path::new(&out).join("hide.s");
    let object = Path::new(&out).join("hide.o");
    fs::write(&source, HIDE)?;
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let status = Command::new(&compiler)
        .arg("-c")
        .arg(&source)
        .arg("-o")
        .arg(&object)
        .status()
        .map_err(|e| format!("the C compiler {compiler:?} cannot be run: {e}; install build-essential or set CC"))?;
    if !status.success() {
        return Err(format!("the C compiler {compiler:?} ended with {status}").into());
    }
    println!("cargo:rustc-cdylib-link-arg={}", object.display());
    Ok(())
}
