//! The one binary: parses the command line and hands over.

/// 2026-11: glibc's allocator took a quarter of the time of a verification.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    keywright::server::cli::run()
}
