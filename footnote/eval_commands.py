"""`footnote eval run`: how good retrieval is on judged collections."""

import os
from pathlib import Path
from typing import Annotated

import typer

from footnote.console import MissingPart, console, print_json
from footnote.opening import load_settings


def run_evaluation(
    context: typer.Context,
    suites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SUITE]…",
            help="Collections, or 'evalset' or 'bench' for all of either; by default evalset.",
        ),
    ] = None,
    *,
    shared: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder that holds reports/, evalset/ and bench/; by default FOOTNOTE_SHARED, "
            "then ../shared.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where figures go; by default eval/results."),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where indexes and run files go; by default eval/cache."),
    ] = None,
    arms: Annotated[
        list[str] | None,
        typer.Option(
            "--arm",
            metavar="ARM",
            help="lexical, dense, fused or default; may be repeated; by default all.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Run judged questions through retrieval and print nDCG, recall and MRR.

    The collections are indexed on the way, each into a cache of its own. Figures are also written
    as JSON, and the ranked lists as TREC run files.

    Examples:
      footnote eval run
      footnote eval run cranfield med --arm default --arm lexical
      footnote eval run evalset --shared ../shared --out /tmp/figures --json
    """
    try:
        from eval.report import print_table
        from eval.retrieval import ARMS
        from eval.suite import CACHE, RESULTS, run_suite
    except ModuleNotFoundError as error:
        if error.name != "ir_measures":
            raise
        raise MissingPart(
            "evaluation needs ir-measures, which is not installed",
            advice="run 'make install-models', or install footnote with its extra 'eval'",
        ) from error
    from indexer.encoders import load_encoder
    from indexer.progress import show_progress

    settings = load_settings(context)
    encoder = load_encoder(
        settings.encoder, backend=settings.encoder_backend, threads=settings.encoder_threads
    )
    with show_progress() as progress:
        results = run_suite(
            suites or ["evalset"],
            shared=shared or Path(os.environ.get("FOOTNOTE_SHARED", "../shared")),
            settings=settings,
            encoder=encoder,
            out=out or RESULTS,
            arms=arms or tuple(ARMS),
            progress=progress,
            cache=cache or CACHE,
        )
    if as_json:
        print_json([result.file.model_dump(mode="json") for result in results])
    else:
        print_table(results, console=console())
