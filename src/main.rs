//! The command `logodds`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::quieten_drivers();
    cli::quieten_panics();
    let arguments = cli::Arguments::read();
    cli::start_logging(arguments.quiet);
    let (json, typed) = (arguments.json, arguments.typed.clone());
    let failure = match cli::caught(|| cli::run(arguments)) {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => cli::Failure::of(&error, &typed),
        Err(panic) => cli::Failure::internal(panic),
    };
    failure.print(json);
    failure.exit_code()
}
