//! The command `logodds`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::quieten_drivers();
    let arguments = cli::Arguments::read();
    cli::start_logging(arguments.quiet);
    let typed = arguments.typed.clone();
    match cli::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::print_error(&error);
            cli::exit_code(&error, &typed)
        }
    }
}
