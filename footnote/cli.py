"""The command line: what commands there are, and how an error ends one."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from corpus.errors import FootnoteError
from footnote.console import ExitCode, exit_code, print_error, print_json
from footnote.eval_commands import run_evaluation
from footnote.index_commands import index_reports, list_documents
from footnote.search_commands import ask_question, search_passages, verify_answer
from footnote.serve_command import serve

_EPILOG = """Results go to stdout, everything else to stderr; --json makes results JSON.
Settings are options, then FOOTNOTE_… variables, then defaults.

Exit codes:
0  done; a question that is declined too
1  done with problems: a file could not be read, an answer is not valid
2  usage: an option, a query, a filter or a setting does not fit
3  no index, or index or encoder cannot be used
4  busy: another run is writing the index, or the port is taken"""

app = typer.Typer(
    name="footnote",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
corpus_app = typer.Typer(no_args_is_help=True, help="Look at what is indexed.")
eval_app = typer.Typer(no_args_is_help=True, help="Measure how good retrieval is.")


@app.callback()
def take_global_options(
    context: typer.Context,
    index_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of the index; by default FOOTNOTE_INDEX_DIR or index."
        ),
    ] = None,
) -> None:
    """Ask a shelf of reports; every sentence of the answer is an exact slice of one.

    Examples:
      footnote index ~/reports
      footnote ask "What is risk tolerance?"
      footnote serve
    """
    context.obj = index_dir


def show_version(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False
) -> None:
    """Print which Footnote this is."""
    from importlib.metadata import version

    if as_json:
        print_json({"version": version("footnote"), "python": sys.version.split()[0]})
    else:
        print(f"footnote {version('footnote')}")


app.command("index")(index_reports)
app.command("serve")(serve)
app.command("search")(search_passages)
app.command("ask")(ask_question)
app.command("verify")(verify_answer)
corpus_app.command("list")(list_documents)
eval_app.command("run")(run_evaluation)
app.add_typer(corpus_app, name="corpus")
app.add_typer(eval_app, name="eval")
app.command("version")(show_version)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code; without arguments, those of the process."""
    try:
        app(arguments)
    except FootnoteError as error:
        print_error(error)
        sys.exit(exit_code(error))
    except OSError as error:
        # A full disk or a folder that may not be written to is the user's to mend, not a bug.
        print_error(f"{error.filename or 'the system'}: {error.strerror or error}")
        sys.exit(ExitCode.PROBLEMS)
