"""The `rushes` command: try it, check it, list, export and serve what the flows made.

What is heavy is imported inside the commands, so that help and short answers come at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from featurization.errors import ConfigError, RushesError
from serving.commands import terminal
from serving.commands.export import Format

_HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(
    help="Podcast feeds become 30-second previews, videos become shots that can be found. "
    "Start with [bold]rushes demo[/].",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings=_HELP,
)
Place = Literal["all", "dialogue", "pictures", "sounds", "moments"]
Order = Literal["newest", "most-listened"]
Mode = Literal["auto", "phrase", "words", "fuzzy", "meaning"]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def main() -> None:
    """Run the command line; what the user can mend is said in one line, never in a traceback."""
    try:
        app()
    except (RushesError, OSError) as error:
        sys.exit(terminal.complain(error))


def _examples(*commands: str) -> str:
    return "\n\n".join(["[dim]Examples[/]", *(f"[cyan]{command}[/]" for command in commands)])


@app.command(epilog=_examples("rushes demo", "RUSHES_STORE=/tmp/try rushes demo"))
def demo() -> None:
    """Run the main job on the bundled sample: a feed in, previews out.

    The store is .rushes-demo unless RUSHES_STORE names another.
    Exits with 1 if a flow failed or nothing was published, with 3 if something was quarantined.
    """
    from serving.commands.demo import run_demo

    raise typer.Exit(run_demo())


@app.command(
    epilog=_examples(
        "rushes backfill --max-hours 50",
        "rushes backfill --max-cost 20 --order most-listened --runs 3",
        "rushes backfill --max-hours 2000 --profile config/argo.toml",
    )
)
def backfill(
    max_hours: Annotated[float, typer.Option(min=0, help="Hours of media that one run may take; 0 for no bound.")] = 0,
    max_cost: Annotated[float, typer.Option(min=0, help="What one run may cost, by [prices]; 0 for no bound.")] = 0,
    order: Annotated[Order, typer.Option(help="What goes first.")] = "newest",
    runs: Annotated[int, typer.Option(min=0, help="Stop after so many runs; 0: when nothing new is left.")] = 0,
    config: Annotated[Path | None, typer.Option(help="Settings of the flows.", metavar="FILE")] = None,
    profile: Annotated[Path | None, typer.Option(help="Where the flows run.", metavar="FILE")] = None,
) -> None:
    """Hear and publish everything that is new, in bounded runs, each of them committed.

    Stop it whenever you like; called again, it goes on. Exits with 3 if something was quarantined.
    """
    from serving.commands.backfill import Backfill, run_backfill

    raise typer.Exit(run_backfill(Backfill(max_hours, max_cost, order, runs, config, profile)))


@app.command(epilog=_examples("rushes doctor", "rushes doctor --json"))
def doctor(as_json: AsJson = False) -> None:
    """Check that everything is here that rushes needs.

    Exits with 1 if something needed is missing.
    """
    from serving.commands.doctor import run_doctor

    raise typer.Exit(run_doctor(as_json=as_json))


@app.command(
    epilog=_examples("rushes feed samples/feed.xml", "rushes feed https://example.org/feed.xml --limit 5 --json")
)
def feed(
    source: Annotated[str, typer.Argument(help="Feed URL, feed file, media file, folder, or .csv/.parquet manifest.")],
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=0, help="Take only the newest N items; 0 takes all.")] = 0,
) -> None:
    """Show what an ingest of SOURCE would make; fetches no media."""
    from serving.commands.sources import show_feed

    show_feed(source, limit=limit, as_json=as_json)


@app.command(epilog=_examples("rushes probe samples/episodes/*.mp3", "rushes probe episode.mp3 --json"))
def probe(
    files: Annotated[list[Path], typer.Argument(help="Media files.", metavar="FILE...")], as_json: AsJson = False
) -> None:
    """Show what is in each FILE, or one line of error.

    Exits with 2 if any could not be read.
    """
    from serving.commands.sources import show_probes

    raise typer.Exit(show_probes(files, as_json=as_json))


models_app = typer.Typer(rich_markup_mode="rich", context_settings=_HELP)
app.add_typer(models_app, name="models")


@models_app.callback(invoke_without_command=True, epilog=_examples("rushes models", "rushes models fetch whisper-base"))
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models that rushes can use, or fetch them."""
    if context.invoked_subcommand is None:
        list_models(as_json)


@models_app.command("list", epilog=_examples("rushes models list --json"))
def list_models(as_json: AsJson = False) -> None:
    """List every model with its state, task and licence; contacts nobody."""
    from serving.commands.models import show_models

    show_models(as_json=as_json)


@models_app.command("fetch", epilog=_examples("rushes models fetch", "rushes models fetch whisper-base whisper-small"))
def fetch_models(
    names: Annotated[list[str] | None, typer.Argument(help="Models by name; without one, the defaults.")] = None,
) -> None:
    """Fetch models and check their bytes; what is here already is not fetched again."""
    from serving.commands.models import fetch

    fetch(names or ())


@app.command(epilog=_examples("rushes assets", "rushes assets --json"))
def assets(as_json: AsJson = False) -> None:
    """List the assets of the store and what became of them.

    Each is ingested, heard, published, refused or quarantined; the last two say why.
    """
    from serving.commands.assets import show_assets

    show_assets(as_json=as_json)


@app.command(epilog=_examples("rushes golden", "rushes golden --golden clips.csv", "rushes golden --json"))
def golden(
    file: Annotated[
        Path | None, typer.Option("--golden", help="A .csv or .parquet with a clip a row.", metavar="PATH")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the golden clips that a ranker would learn from, and those that it would refuse.

    They come from the soundbites of feeds, the studio, reviews, and PATH. Its columns are asset_id or guid, start, end
    and editor, and if known grade, title, feed, sha256, duration_s and text. Nothing is kept, and nothing is trained.
    Exits with 2 if a row of PATH is refused.
    """
    from serving.commands.golden import show_golden

    raise typer.Exit(show_golden(file, as_json=as_json))


@app.command(
    epilog=_examples("rushes runs", "rushes runs latest", "rushes runs 1795743490984065 --card", "rushes runs --json")
)
def runs(
    run: Annotated[
        str, typer.Argument(help="FLOW/ID, ID, latest or FLOW/latest: this one, looked at closely.", show_default=False)
    ] = "",
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show the newest N runs and snapshots.")] = 20,
    card: Annotated[bool, typer.Option("--card", help="Open the card of RUN (latest, if none is named).")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the card of RUN to this file.", dir_okay=False, show_default=False)
    ] = None,
) -> None:
    """List the runs of the flows, and the store's snapshots; or show one run, or its card.

    A run is done, partial (something was quarantined), failed, running, or unfinished: its process was killed.
    """
    from serving.commands.runs import show_card, show_run, show_runs

    if card or out:
        show_card(run or "latest", out=out)
    elif run:
        show_run(run, as_json=as_json)
    else:
        show_runs(limit=limit, as_json=as_json)


@app.command(
    epilog=_examples(
        "rushes compare latest~1 latest",
        "rushes compare TrainRanker/12 TrainRanker/latest",
        "rushes compare EvaluateModels/latest~1 EvaluateModels/latest --json",
    )
)
def compare(
    first: Annotated[str, typer.Argument(help="FLOW/ID, ID, latest, latest~1 or FLOW/latest.", metavar="RUN")],
    second: Annotated[str, typer.Argument(help="The same.", metavar="RUN")],
    as_json: AsJson = False,
) -> None:
    """Show what a second run of train_ranker or evaluate_models did better or worse than a first.

    Differences of IoU and nDCG@5 have an interval over shows, from the episodes that both judged; what differs
    without one may be chance. latest is the newest run that is done, latest~1 the one of the same flow before it.
    """
    from serving.commands.compare import show_comparison

    show_comparison(first, second, as_json=as_json)


@app.command(epilog=_examples("rushes rollback"))
def rollback() -> None:
    """Undo the last run that changed the store.

    Tables, previews, copies of feeds and the report become what they were before.
    What people judged stays, and what they rejected stays out of publication.
    What was undone stays in the history; what was fetched and computed is kept.
    """
    from serving.commands.rollback import run_rollback

    run_rollback()


rankers_app = typer.Typer(rich_markup_mode="rich", context_settings=_HELP)
app.add_typer(rankers_app, name="rankers")


@rankers_app.callback(
    invoke_without_command=True,
    epilog=_examples("rushes rankers", "rushes rankers use linear@5895b5d9f474", "rushes rankers retire"),
)
def rankers(context: typer.Context, as_json: AsJson = False) -> None:
    """List the trained rankers and the one in use, or change that by hand."""
    if context.invoked_subcommand is None:
        from serving.commands.rankers import show_rankers

        show_rankers(as_json=as_json)


@rankers_app.command("use", epilog=_examples("rushes rankers use linear@5895b5d9f474", "rushes rankers use 5895"))
def use_ranker(identity: Annotated[str, typer.Argument(help="Its name, or the beginning of its digest.")]) -> None:
    """Put a trained ranker in use, whatever its verdict was."""
    from serving.commands.rankers import use_ranker as put_in_use

    put_in_use(identity)


@rankers_app.command("retire", epilog=_examples("rushes rankers retire"))
def retire_ranker() -> None:
    """Take no trained ranker: the documented prior is in use again."""
    from serving.commands.rankers import use_prior

    use_prior()


@app.command(epilog=_examples("rushes experiments", "rushes experiments --json"))
def experiments(as_json: AsJson = False) -> None:
    """Show what the running experiments say: the rates of their arms, and which differences are certain.

    It may be asked as often as you like: the intervals hold at every look.
    """
    from serving.commands.experiments import show_experiments

    show_experiments(as_json=as_json)


@app.command(epilog=_examples("rushes gc --dry-run", "rushes gc --keep-days 30 --keep-snapshots 10"))
def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
    keep_days: Annotated[
        int | None, typer.Option(min=0, help="Snapshots and rankers of as many days stay; 0 keeps all.")
    ] = None,
    keep_snapshots: Annotated[
        int | None, typer.Option(min=0, help="As many of the newest snapshots stay in any case, 2 at least.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Delete what the store keeps and nothing needs: blobs, features and pieces of tables that nothing refers to.

    All snapshots stay, and what they refer to, unless an option says otherwise; so does everything younger than two
    days. Runs and the service may be at work meanwhile.
    """
    from serving.commands.gc import collect_garbage

    collect_garbage(keep_days=keep_days, keep_snapshots=keep_snapshots, dry_run=dry_run, as_json=as_json)


index_app = typer.Typer(
    rich_markup_mode="rich",
    context_settings=_HELP,
    no_args_is_help=True,
    help="See, rebuild or roll back the search index.",
    epilog=_examples("rushes index status", "rushes index rebuild"),
)
app.add_typer(index_app, name="index")


@index_app.command("status", epilog=_examples("rushes index status", "rushes index status --json"))
def index_status(as_json: AsJson = False) -> None:
    """Show the generations that are kept, and whether the current one holds what the store holds."""
    from serving.commands.index import show_status

    show_status(as_json=as_json)


@index_app.command("rebuild", epilog=_examples("rushes index rebuild"))
def index_rebuild() -> None:
    """Build the index again from the store alone; readers see the old one until it is whole."""
    from serving.commands.index import rebuild

    rebuild()


@index_app.command("rollback", epilog=_examples("rushes index rollback"))
def index_rollback() -> None:
    """Return to the generation before the current one."""
    from serving.commands.index import roll_back

    roll_back()


@app.command(
    epilog=_examples(
        "rushes export 72ab --format srt --out jar.srt", "rushes export 'The Jar in the Cold Barn' --format rttm"
    )
)
def export(
    asset: Annotated[str, typer.Argument(help="Id, the unique beginning of an id, or exact title.")],
    form: Annotated[Format, typer.Option("--format", "-f", help="What to write.")],
    out: Annotated[Path | None, typer.Option(help="File to write instead of standard output.", dir_okay=False)] = None,
) -> None:
    """Write what was heard of an asset for other tools.

    vtt and srt are captions, chapters the Podcasting 2.0 JSON, rttm the speakers; edl (CMX 3600) and otio are the
    shots of a film, for editing programs.
    label-studio is a task for a project whose labels are named speaker, ad and topic.
    json is everything.
    """
    from serving.commands.export import run_export

    run_export(asset, form, out)


@app.command(
    epilog=_examples(
        'rushes search "the old harbour"',
        "rushes search '\"the old harbour\"' --in dialogue",
        "rushes search 'a boat at night' --in pictures --limit 5",
        "rushes search 'says:harbour tag:night sound:music'",
        "rushes search --like 5ea05ea05ea05ea0-0012",
        "rushes search --image photo.jpg --json",
        "rushes search --tag boat --tag night --min-duration 5s",
    )
)
def search(
    query: Annotated[
        str, typer.Argument(help="Words; in quotes a phrase; or LAYER:VALUE … for moments.", show_default=False)
    ] = "",
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many hits of each kind.")] = 10,
    place: Annotated[Place, typer.Option("--in", help="What to search.")] = "all",
    mode: Annotated[Mode, typer.Option(help="How words are looked for.")] = "auto",
    like: Annotated[str, typer.Option(help="Id of a shot that others shall be like.")] = "",
    image: Annotated[Path | None, typer.Option(help="A picture, a sound or a clip that others shall be like.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag that shots must have; may be repeated.")] = None,
    asset: Annotated[str, typer.Option(help="Only this asset, by id or its beginning.")] = "",
    by: Annotated[str, typer.Option(help="Whose pictures to search: shots, fused, or an extractor.")] = "shots",
    min_duration: Annotated[str, typer.Option(help="Only what lasts as long: 5s, 1m30s, 90.")] = "",
    min_confidence: Annotated[float, typer.Option(min=0, max=1, help="Only hits as sure as this; 0 shows all.")] = 0.5,
) -> None:
    """Find what was said and seen.

    Confidence is judged against what has nothing to do with the query: .5 is even, and nothing matches is an answer.
    """
    from serving.commands.search import Asked, run_search

    asked = Asked(query, place, mode, like, image, tuple(tag or ()), asset, by, min_duration, min_confidence, limit)
    run_search(asked, as_json=as_json)


@app.command(
    "deploy-check",
    epilog=_examples("rushes deploy-check", "rushes deploy-check config/argo.toml", "rushes deploy-check --json"),
)
def deploy_check(
    profiles: Annotated[
        list[Path] | None, typer.Argument(help="Profiles; without one, those in config/.", metavar="PROFILE...")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compile every flow for the engine of each PROFILE, and compare what comes out with what it says.

    Metaflow itself compiles, with S3 and AWS in memory: nobody is asked and nothing is deployed. Exits with 1 if
    anything differs.
    """
    from serving.commands.deploy_check.command import run_deploy_check

    raise typer.Exit(run_deploy_check(profiles or (), as_json=as_json))


@app.command(epilog=_examples("rushes serve", "rushes serve --port 9000", "rushes serve --host 0.0.0.0"))
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; the default is reached from this machine only.")
    ] = "127.0.0.1",
) -> None:
    """Serve the studio and the API over HTTP. From other machines than this one both ask for keys."""
    from serving.access.roles import check_keys
    from serving.commands.serve import listen

    try:
        check_keys(host)
    except ConfigError as error:
        terminal.complain(error)
        raise typer.Exit(2) from error
    listen(host=host, port=port)


if __name__ == "__main__":
    main()
