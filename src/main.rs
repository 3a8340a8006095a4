//! The one binary: parses the command line and hands over.

fn main() -> std::process::ExitCode {
    keywright::server::cli::run()
}
