//! `logodds completions` and `logodds man`: shell completions and manual pages.

use std::path::PathBuf;

use anyhow::Context;
use clap_complete::Shell;
use clap_mangen::Man;
use logodds::error::ConfigError;
use logodds::output::{is_stdout, write_whole};
use serde::Serialize;

use super::Arguments;
use super::output::Output;
use super::table::{facts, plural};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  logodds completions bash > ~/.local/share/bash-completion/completions/logodds\n  \
                  logodds completions zsh > ~/.zfunc/_logodds\n  \
                  logodds completions fish > ~/.config/fish/completions/logodds.fish"
)]
pub(crate) struct CompletionsArguments {
    /// The shell
    ///
    /// One of bash, elvish, fish, powershell and zsh. The script goes to stdout; the examples below show
    /// where each shell looks for it.
    shell: Shell,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  logodds man ~/.local/share/man/man1 && man logodds-train")]
pub(crate) struct ManArguments {
    /// Folder for the pages, made if it is missing
    ///
    /// Path of a directory for the manual pages: one of logodds, and one of each command.
    folder: PathBuf,
}

#[derive(Serialize)]
struct Completions<'a> {
    shell: String,
    script: &'a str,
}

#[derive(Serialize)]
struct Manual {
    pages: Vec<PathBuf>,
}

pub(crate) fn completions(arguments: &CompletionsArguments, output: Output) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::completed(), "logodds", &mut script);
    let script = String::from_utf8(script).context("the completions are not text")?;
    output.result(&Completions { shell: arguments.shell.to_string(), script: &script }, || script.clone())
}

pub(crate) fn man(arguments: &ManArguments, output: Output) -> anyhow::Result<()> {
    let folder = &arguments.folder;
    if is_stdout(folder) {
        let (flag, found) = ("FOLDER", "-".to_owned());
        let expected = "a folder, because there is a page for each command";
        return Err(logodds::Error::from(ConfigError::Invalid { flag, found, expected }).into());
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut command = Arguments::described().disable_help_subcommand(true);
    command.build();
    // Hidden commands have no page.
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    let mut pages = Vec::new();
    for command in std::iter::once(&command).chain(shown) {
        let page = Man::new(command.clone());
        let path = folder.join(page.get_filename());
        let mut text = Vec::new();
        page.render(&mut text)?;
        write_whole(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
        pages.push(path);
    }
    let facts = || facts(&[("manual", format!("{} in {}", plural(pages.len(), "page"), folder.display()))]);
    output.result(&Manual { pages: pages.clone() }, facts)
}
