"""The command line: each command parses, makes one call, renders and exits.

Progress goes to standard error, results to standard output, so that `--json` can be piped. Heavy packages are imported
by the commands that need them: `airbourne-lab --help` answers at once.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import json
import os
import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from lab import options as opt
from lab.errors import ConfigError, LabError
from lab.model.crew import LOOPBACK, PORT
from lab.model.verdict import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from rich.console import Console

    from lab.experiment.folder import ExperimentFolder
    from lab.model.dataset import Dataset
    from lab.model.experiment import Experiment, Making
    from lab.model.run import Run
    from lab.model.sample import Tally
    from lab.model.scenario import Scenario
    from lab.model.target import Target
    from lab.settings import Settings
    from lab.sinks.config import InfluxConfig
    from lab.stack.backend import Backend
    from lab.stack.state import StackState
    from lab.store import RunFolder
    from lab.ui import Door, Order, Page
    from reports.comparison.metrics import Metric
    from reports.comparison.result import Comparison

SCENARIOS: Final = Path(__file__).parent / "scenarios"
ROOT: Final = Path(".airbourne")
RUNS: Final = Path("runs")
FIRST: Final = "smoke"
"""What the web page's form begins with."""
USUAL: Final = "load"
"""What an experiment runs unless told otherwise."""
TYPER_INTERRUPTED: Final = 130
"""The exit code that Typer makes of a KeyboardInterrupt."""


class LabApp(typer.Typer):
    """The one place where an error of the lab becomes a line and an exit code."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as Typer's own
        """Run the command line."""
        try:
            return super().__call__(*args, **kwargs)
        except LabError as error:
            print(f"Error: {error}", file=sys.stderr)  # noqa: T201 - the edge of the program
            sys.exit(error.exit_code)
        except SystemExit as end:
            if end.code != TYPER_INTERRUPTED:
                raise
            print("Stopped by Ctrl-C.", file=sys.stderr)  # noqa: T201 - the edge of the program
            sys.exit(Exit.SIGNAL)


app = LabApp(
    help="Load-test the Airbourne booking platform: a run you can believe, and an audit of what it sold.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - Typer's callback
    if wanted:
        from importlib.metadata import version

        typer.echo(f"airbourne-lab {version('airbourne-lab')}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Load-test the Airbourne booking platform: a run you can believe, and an audit of what it sold."""


scenarios_app = LabApp(help="List the scenarios that ship, or look at one.", invoke_without_command=True)
app.add_typer(scenarios_app, name="scenarios")
import_app = LabApp(help="Make a run of another tool's file, to list, report and compare it.", no_args_is_help=True)
app.add_typer(import_app, name="import")
runs_app = LabApp(help="List the runs, newest first; or look at one, label it, remove it.", invoke_without_command=True)
app.add_typer(runs_app, name="runs")


@app.command()
def up(  # noqa: PLR0913 - each is an option
    profile: opt.Profile = None,
    backend: opt.Backend = None,
    db_url: opt.DbUrl = "",
    amqp_url: opt.AmqpUrl = "",
    smtp_url: opt.SmtpUrl = "",
    *,
    port_offset: opt.PortOffset = 0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Throw the databases, the queue and the mail away first.")
    ] = False,
) -> None:
    """Start the platform on this machine and return when every service is healthy."""
    from lab.stack import control
    from lab.stack.backend import EMBEDDED
    from lab.stack.profiles import DEFAULT
    from reports.stack import StackView

    told = _settings(profile=profile, backend=backend, db_url=db_url, amqp_url=amqp_url, smtp_url=smtp_url)
    under = told.stack_backend(db_url, amqp_url, smtp_url) or EMBEDDED
    with StackView() as view:
        state = control.up(
            ROOT, profile=told.profile or DEFAULT, backend=under, port_offset=port_offset, fresh=fresh, on_event=view
        )
    typer.echo(
        f"The platform is up ({state.profile}, {state.backend}): {state.target().gateway}. "
        "Stop it with: airbourne-lab down"
    )


@app.command()
def down() -> None:
    """Stop the platform; its data and logs stay."""
    from lab.stack import control
    from reports.stack import StackView

    with StackView() as view:
        control.down(ROOT, on_event=view)


@app.command()
def status(*, as_json: opt.AsJson = False) -> None:
    """Show how each service is; exits 1 when not all of them are healthy."""
    from lab.stack.status import status as look
    from reports.stack import status_json, status_lines

    found = look(ROOT)
    typer.echo(status_json(found) if as_json else "\n".join(status_lines(found)))
    raise typer.Exit(0 if found.healthy else 1)


@app.command()
def profiles(*, as_json: opt.AsJson = False) -> None:
    """List the profiles of the lab's platform: what each changes, and what that should gain."""
    from rich.console import Console

    from lab.stack.profiles import DEFAULT
    from reference_services.common.profile import CHANGES
    from reports.profiles import profiles_json, profiles_table

    if as_json:
        typer.echo(profiles_json(CHANGES, DEFAULT))
    else:
        Console().print(profiles_table(CHANGES, DEFAULT))
        typer.echo("Each has all changes above it. One change alone: --profile safe+indexed (docs/profiles.md)")


@app.command()
def logs(
    service: Annotated[str | None, typer.Argument(help="A service, mail, mariadb or rabbitmq.")] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written.")] = False,
) -> None:
    """Show the services' logs, merged by time."""
    from lab.stack.logs import logs as lines

    for line in lines(ROOT, service, follow=follow):
        typer.echo(line.text if service else f"{line.service:<10} {line.text}")


@app.command()
def seed(  # noqa: PLR0913, PLR0917 - each is an option
    cities: Annotated[int, typer.Option(help="How many cities.")] = 20,
    airports: Annotated[int, typer.Option(help="How many airports.")] = 40,
    airplanes: Annotated[int, typer.Option(help="How many airplanes.")] = 10,
    flights: Annotated[int, typer.Option("--flights", help="How many flights.")] = 50,
    users: Annotated[int, typer.Option(help="How many users, signed up and in.")] = 200,
    capacity: Annotated[str, typer.Option(help="Fewest and most seats of an airplane.", metavar="MIN:MAX")] = "400:850",
    rng_seed: Annotated[int, typer.Option(help="The same seed makes the same data.")] = 1,
    target: opt.TargetName = "",
    gateway: opt.Gateway = "",
    dataset: Annotated[Path | None, typer.Option("--dataset", help="Where to keep what was made.")] = None,
    *,
    allow_public: opt.AllowPublic = False,
) -> None:
    """Fill a target through its own API; run it again and it creates only what is missing."""
    from lab import place
    from lab.errors import StoppedError
    from lab.model.dataset import SeedPlan
    from seeders import seed as fill
    from seeders.choose import default_file
    from seeders.progress import ProgressView

    named = place.named(target, {"gateway": gateway}, ROOT, allow_public=allow_public)
    where = named or place.standing(ROOT).target()
    fewest, most = _range(capacity)
    plan = SeedPlan(cities, airports, airplanes, flights, users, fewest, most, rng_seed)
    file = dataset or default_file(ROOT, where)
    try:
        with ProgressView() as view:
            made = fill(where, plan, file, on_progress=view)
    except KeyboardInterrupt:
        raise StoppedError(f"stopped; what was made is kept in {file}: run the same command to go on") from None
    typer.echo(f"{len(made.flights)} flights with {made.seats:,} seats and {len(made.users)} users are ready: {file}")


@scenarios_app.callback(invoke_without_command=True)
def scenarios_list(context: typer.Context) -> None:
    """List the scenarios that ship, or look at one."""
    if context.invoked_subcommand is None:
        from lab import catalogue
        from reports.scenarios import scenarios_table

        _console().print(scenarios_table([catalogue.load(name, SCENARIOS) for name in catalogue.names(SCENARIOS)]))


@scenarios_app.command("show")
def scenarios_show(scenario: Annotated[str, typer.Argument(help="A name, or a path to a .toml file.")]) -> None:
    """Draw a scenario's load curve and print what it does and how it is judged."""
    from lab import catalogue
    from reports.scenarios import scenario_text

    typer.echo(scenario_text(catalogue.load(scenario, SCENARIOS)), nl=False)


@app.command()
def lint(  # noqa: PLR0913, PLR0917 - each is an option
    scenario: Annotated[str, typer.Argument(help="A name, or a path to a .toml file.")],
    target: opt.TargetName = "",
    gateway: opt.Gateway = "",
    stage: Annotated[list[str] | None, typer.Option(help="As for run: DURATION:USERS, repeatable.")] = None,
    threshold: Annotated[list[str] | None, typer.Option(help="As for run, repeatable.")] = None,
    duration: opt.Duration = "",
    time_scale: Annotated[float, typer.Option(help="As for run: multiply the stages' time.")] = 1.0,
    dataset: Annotated[Path | None, typer.Option(help="Count the seats of this dataset file.")] = None,
    *,
    as_json: opt.AsJson = False,
) -> None:
    """Say what is wrong with a test before anybody runs it. Nothing is run and nobody is asked.

    Seats are those of the target's or the file's dataset; without one, those that the scenario asks for.

    It exits 1 on errors and warnings, and 0 when there are at most notes.
    """
    from lab.lint.linter import lint as look_over
    from lab.model.lint import clean
    from reports.lint import lint_json, lint_text

    planned = _planned(scenario, stage, threshold, time_scale, duration)
    remarks = look_over(planned, _seeded(planned, target, gateway, dataset))
    typer.echo(lint_json(planned.name, remarks) if as_json else lint_text(planned.name, remarks), nl=as_json)
    raise typer.Exit(0 if clean(remarks) else 1)


@import_app.command("k6")
def import_k6(
    file: opt.Foreign, label: opt.ImportLabel = "", scenario: opt.ImportScenario = "", out: opt.Out = RUNS
) -> None:
    """Import k6's --summary-export, or its samples: --out json=FILE or --out csv=FILE, packed by gzip or not."""
    _import(file, "k6", out, label=label, scenario=scenario)


@import_app.command("locust")
def import_locust(
    file: opt.Foreign,
    history: Annotated[Path | None, typer.Argument(help="…_stats_history.csv: when, how long, how many users.")] = None,
    label: opt.ImportLabel = "",
    scenario: opt.ImportScenario = "",
    out: opt.Out = RUNS,
) -> None:
    """Import …_stats.csv, as Locust's --csv writes it. It holds no samples."""
    _import(file, "locust", out, label=label, scenario=scenario, history=history)


@import_app.command("jmeter")
def import_jmeter(
    file: opt.Foreign, label: opt.ImportLabel = "", scenario: opt.ImportScenario = "", out: opt.Out = RUNS
) -> None:
    """Import a .jtl file of samples, as CSV."""
    _import(file, "jmeter", out, label=label, scenario=scenario)


@app.command()
def run(  # noqa: PLR0913, PLR0917 - each is an option
    scenario: Annotated[str, typer.Option("--scenario", "-s", help="A name, or a path to a .toml file.")] = "",
    target: opt.TargetName = "",
    gateway: opt.Gateway = "",
    auth: opt.Auth = "",
    flights: opt.Flights = "",
    booking: opt.BookingUrl = "",
    reminder: opt.Reminder = "",
    profile: opt.Profile = None,
    backend: opt.Backend = None,
    db_url: opt.DbUrl = "",
    amqp_url: opt.AmqpUrl = "",
    smtp_url: opt.SmtpUrl = "",
    label: Annotated[str, typer.Option(help="A name for this revision of the system.")] = "",
    note: opt.Note = "",
    stage: Annotated[list[str] | None, typer.Option(help="Replace the load: DURATION:USERS, repeatable.")] = None,
    threshold: Annotated[list[str] | None, typer.Option(help='Add one, repeatable: "checks:rate>0.99".')] = None,
    duration: opt.Duration = "",
    warmup: opt.Warmup = "",
    time_scale: Annotated[float, typer.Option(help="Multiply the stages' time: 0.1 is ten times shorter.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of the users' random choices.")] = 1,
    dataset: Annotated[Path | None, typer.Option(help="Use this dataset file.")] = None,
    out: opt.Out = RUNS,
    workers: opt.Workers = None,
    expect_workers: opt.ExpectWorkers = 0,
    expect_timeout: opt.ExpectTimeout = 60.0,
    bind: opt.Bind = LOOPBACK,
    master_port: opt.MasterPort = PORT,
    influx: opt.Influx = "",
    influx_token: opt.InfluxToken = "",
    influx_org: opt.InfluxOrg = "",
    influx_bucket: opt.InfluxBucket = "",
    ui_host: opt.UiHost = LOOPBACK,
    port: opt.UiPort = 8089,
    *,
    ui: opt.Ui = False,
    ui_login: opt.UiLogin = False,
    autostart: opt.Autostart = False,
    no_influx: opt.NoInflux = False,
    master: opt.Master = False,
    audit: Annotated[bool, typer.Option("--audit/--no-audit", help="Check afterwards what was sold.")] = True,
    allow_public: opt.AllowPublic = False,
    as_json: opt.AsJson = False,
) -> None:
    """Run a scenario, watch it, audit what was sold, judge it and write the report.

    Without a target it uses the platform that is up, or starts one for this run.
    """
    from lab import place, redact, runner, steady
    from lab import ui as web
    from lab.lint.linter import before_run
    from lab.model import crew as crews
    from lab.sinks.influx import InfluxSink
    from reports.live import LiveView
    from reports.stack import StackView

    door = web.door(ui_host, port, login=ui_login, environ=os.environ) if ui else None
    first = web.Order(_named(scenario, ui=ui, only_with_ui=ui_login or autostart), label, time_scale)

    def planned_for(order: web.Order) -> tuple[Scenario, crews.Crew]:
        # What the command line changes of a scenario it changes of the one that it names.
        changes = (stage, threshold, duration) if order.scenario == scenario else (None, None, "")
        planned = _planned(order.scenario, changes[0], changes[1], order.time_scale, changes[2])
        planned = steady.with_warmup(planned, warmup) if warmup else planned
        return planned, crews.planned(
            workers=workers,
            master=master,
            expect=expect_workers,
            timeout=expect_timeout,
            bind=bind,
            port=master_port,
            key=os.environ.get(crews.KEY_VARIABLE, ""),
            cores=os.cpu_count() or 1,
            peak=planned.peak,
        )

    planned_for(first)  # says what is wrong before anything is started
    urls = {"gateway": gateway, "auth": auth, "flights": flights, "booking": booking, "reminder": reminder}
    told = _settings(
        profile=profile,
        backend=backend,
        db_url=db_url,
        amqp_url=amqp_url,
        smtp_url=smtp_url,
        influx_url=influx,
        influx_token=influx_token,
        influx_org=influx_org,
        influx_bucket=influx_bucket,
    )
    under = told.stack_backend(db_url, amqp_url, smtp_url)
    server = None if no_influx else told.influx()
    named = place.named(target, urls, ROOT, allow_public=allow_public)
    with (
        _page(door, first) as page,
        StackView() as steps,
        place.platform(named, told.profile or None, ROOT, steps, under) as (where, state),
    ):
        steps.close()

        def once(order: web.Order) -> int:
            planned, crew = planned_for(order)
            data, file = _dataset(where, planned, dataset, state)
            if remark := before_run(planned, data, order.scenario):
                typer.echo(remark, err=True)
            plan = runner.Plan(
                planned,
                where,
                data,
                file,
                out,
                seed=seed,
                command=shlex.join(["airbourne-lab", *redact.command(sys.argv[1:])]),
                label=order.label,
                note=note,
                profile=state.profile if state else told.profile,
                backend=state.backend if state else "",
                time_scale=order.time_scale,
                audit=audit,
                mail_file=state.mail_path if state else None,
                crew=crew,
                processes=state.processes if state else {},
                sink=InfluxSink(server) if server else None,
                steering=page,
            )
            with runner.catching_interrupts() as interrupts:
                with LiveView(planned, f"{planned.name} · {where.name}") as view:
                    ended = runner.execute(plan, page.watching(view, interrupts) if page else view, interrupts)
                return _finish(*ended, as_json=as_json)

        if page is None:
            code = once(first)
        else:
            page.tell(ready={"target": where.gateway})
            code = web.serve(page, once, lambda words: typer.echo(words, err=True), first if autostart else None)
    raise typer.Exit(code)


@app.command()
def worker(
    master: Annotated[str, typer.Option("--master", help="Where the master is.", metavar="HOST[:PORT]")],
    users_file: Annotated[
        Path, typer.Option("--users-file", help="The run's user classes.", show_default="those that ship")
    ] = SCENARIOS / "users.py",
    wait: Annotated[float, typer.Option("--wait", help="Seconds for a master to be there.")] = 60.0,
    *,
    allow_public: opt.AllowPublic = False,
) -> None:
    """Make load on this machine for a run that another machine leads (run --master), once.

    Give both sides the same secret in AIRBOURNE_WORKER_KEY. Only the users file on this machine is ever run.
    """
    from lab import work
    from lab.model import crew as crews
    from lab.runner import catching_interrupts

    post = work.Post(*crews.address(master), users_file, wait, allow_public)
    with catching_interrupts() as interrupts:
        work.work(post, lambda words: typer.echo(words, err=True), interrupts)


@app.command()
def experiment(  # noqa: PLR0913, PLR0917 - each is an option
    context: typer.Context,
    scenario: Annotated[
        str, typer.Option("--scenario", "-s", help="A name, or a path to a .toml file.", show_default="load")
    ] = "",
    baseline: Annotated[str, typer.Option(help="profile:NAME, target:FILE or target:NAME.", metavar="SIDE")] = "",
    candidate: Annotated[
        list[str] | None,
        typer.Option(help="As --baseline, repeatable; the same one is an A/A experiment.", metavar="SIDE"),
    ] = None,
    baseline_cmd: opt.BaselineCommand = "",
    candidate_cmd: opt.CandidateCommand = None,
    note: Annotated[
        list[str] | None, typer.Option(help="What a candidate changes and should give: one for each.")
    ] = None,
    pairs: Annotated[int | None, typer.Option(help="How many pairs; 10 without it. A verdict needs 6.")] = None,
    max_pairs: Annotated[int | None, typer.Option(help="With --until-settled: at most so many; 20 without it.")] = None,
    resume: Annotated[str, typer.Option(help="Go on with an experiment that was stopped.", metavar="ID")] = "",
    target: opt.TargetName = "",
    gateway: opt.Gateway = "",
    auth: opt.Auth = "",
    flights: opt.Flights = "",
    booking: opt.BookingUrl = "",
    reminder: opt.Reminder = "",
    backend: opt.Backend = None,
    db_url: opt.DbUrl = "",
    amqp_url: opt.AmqpUrl = "",
    smtp_url: opt.SmtpUrl = "",
    influx: opt.Influx = "",
    stage: Annotated[list[str] | None, typer.Option(help="As for run: DURATION:USERS, repeatable.")] = None,
    threshold: Annotated[list[str] | None, typer.Option(help="As for run, repeatable.")] = None,
    duration: opt.Duration = "",
    warmup: opt.Warmup = "",
    time_scale: Annotated[float, typer.Option(help="As for run: multiply the stages' time.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of the order of the runs, and of the users' choices in each.")] = 1,
    cool_down: Annotated[float, typer.Option(help="Seconds between two runs.", metavar="SECONDS")] = 2.0,
    metric: opt.CompareMetric = None,
    margin: opt.CompareMargin = None,
    alpha: opt.CompareAlpha = 0.05,
    html: opt.ToHtml = None,
    markdown: opt.ToMarkdown = None,
    json_file: opt.ToJson = None,
    junit: opt.ToJunit = None,
    fail_on: opt.FailOn = "",
    workers: opt.Workers = None,
    dataset: Annotated[Path | None, typer.Option("--dataset", help="Use this dataset file (of a target).")] = None,
    out: opt.Out = RUNS,
    *,
    until_settled: Annotated[
        bool, typer.Option("--until-settled", help="Look after each pair from the sixth, and stop when it is sure.")
    ] = False,
    no_influx: opt.NoInflux = False,
    audit: Annotated[bool, typer.Option("--audit/--no-audit", help="Check after each run what was sold.")] = True,
    allow_public: opt.AllowPublic = False,
) -> None:
    """Hold one state of the system against another: runs in pairs, in random order, each on fresh databases.

    A side is a profile of the bundled platform, or a deployment, which a command may put into a state before each run.
    """
    from lab.experiment import begin, folder
    from lab.model.experiment import Making
    from reports import outputs
    from reports.comparison import files, metrics

    chosen, wanted = metrics.asked(metric, margin), outputs.asked(html, markdown, json_file, junit)
    files.check_fail_on(fail_on)
    if resume:
        begin.refuse_beside_resume(opt.typed(context))
        place = folder.must_find(resume, out)
        begun, out = place.load(), place.home
        dataset = Path(begun.making.dataset) if begun.making.dataset else None
    else:
        urls = {"gateway": gateway, "auth": auth, "flights": flights, "booking": booking, "reminder": reminder}
        urls = {name: url for name, url in urls.items() if url}
        making = Making(
            scenario or USUAL,
            tuple(stage or ()),
            tuple(threshold or ()),
            duration,
            warmup,
            time_scale,
            workers,
            backend or "",
            audit,
            urls,
            str(dataset.absolute()) if dataset else "",
        )
        words = begin.Words(baseline, candidate or (), baseline_cmd, candidate_cmd or (), note or (), target)
        sides = begin.arms(words, urls)
        name = _made_of(making).name  # says what is wrong before anything is started
        place, begun = begin.begun(
            out,
            sides,
            making,
            name,
            pairs=pairs,
            most_pairs=max_pairs,
            until_settled=until_settled,
            seed=seed,
            alpha=alpha,
            cool_down=cool_down,
            command=_typed(),
        )
    with begin.forgotten(place, new=not resume):
        told = _settings(
            backend=begun.making.backend, db_url=db_url, amqp_url=amqp_url, smtp_url=smtp_url, influx_url=influx
        )
        under = told.stack_backend(db_url, amqp_url, smtp_url)
        server = None if no_influx else told.influx()
    found = _conducted(begun, place, (under, server), chosen, dataset, out, allow_public=allow_public, new=not resume)
    raise typer.Exit(_compared(found, fail_on, {"--html": place.report} | wanted, out))


@app.command()
def ladder(  # noqa: PLR0913, PLR0917 - each is an option
    scenario: Annotated[str, typer.Option("--scenario", "-s", help="A name, or a path to a .toml file.")] = USUAL,
    first: Annotated[str, typer.Option("--from", help="The rung that all others are held against.")] = "as-found",
    last: Annotated[str, typer.Option("--to", help="The last rung.", show_default="the top")] = "",
    pairs: Annotated[int, typer.Option(help="How often each rung is run. A verdict needs 6.")] = 6,
    backend: opt.Backend = None,
    db_url: opt.DbUrl = "",
    amqp_url: opt.AmqpUrl = "",
    smtp_url: opt.SmtpUrl = "",
    duration: opt.Duration = "",
    warmup: opt.Warmup = "",
    time_scale: Annotated[float, typer.Option(help="As for run: multiply the stages' time.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of the order of the runs, and of the users' choices in each.")] = 1,
    cool_down: Annotated[float, typer.Option(help="Seconds between two runs.", metavar="SECONDS")] = 2.0,
    metric: opt.CompareMetric = None,
    margin: opt.CompareMargin = None,
    alpha: opt.CompareAlpha = 0.05,
    html: opt.ToHtml = None,
    markdown: opt.ToMarkdown = None,
    json_file: opt.ToJson = None,
    junit: opt.ToJunit = None,
    fail_on: opt.FailOn = "",
    workers: opt.Workers = None,
    out: opt.Out = RUNS,
) -> None:
    """Climb the ladder of profiles: an experiment over all its rungs, with what each step gave and all together.

    Stopped with Ctrl-C, it goes on with: airbourne-lab experiment --resume ID
    """
    from lab.experiment import begin
    from lab.model.experiment import Making
    from reference_services.common.profile import CHANGES
    from reports import outputs
    from reports.comparison import files, metrics

    chosen, wanted = metrics.asked(metric, margin), outputs.asked(html, markdown, json_file, junit)
    files.check_fail_on(fail_on)
    sides = begin.rungs(first, last, {change.name: change.gains for change in CHANGES})
    making = Making(scenario, (), (), duration, warmup, time_scale, workers, backend or "")
    place, begun = begin.begun(
        out,
        sides,
        making,
        _made_of(making).name,
        pairs=pairs,
        seed=seed,
        alpha=alpha,
        cool_down=cool_down,
        command=_typed(),
    )
    with begin.forgotten(place, new=True):
        told = _settings(backend=backend, db_url=db_url, amqp_url=amqp_url, smtp_url=smtp_url)
        under = told.stack_backend(db_url, amqp_url, smtp_url)
    found = _conducted(begun, place, (under, None), chosen, None, out, allow_public=False, new=True)
    raise typer.Exit(_compared(found, fail_on, {"--html": place.report} | wanted, out))


@app.command()
def compare(  # noqa: PLR0913, PLR0917 - each is an option
    baseline: Annotated[
        str, typer.Argument(help="A run, a label (all runs that have it), or an experiment.", metavar="BASE")
    ],
    candidates: Annotated[
        list[str] | None, typer.Argument(help="The same, one or more; none for an experiment's own.", metavar="CAND...")
    ] = None,
    by: Annotated[str, typer.Option(help="What all of them are: run, label or experiment.")] = "",
    metric: opt.CompareMetric = None,
    margin: opt.CompareMargin = None,
    alpha: opt.ComparedAlpha = None,
    html: opt.ToHtml = None,
    markdown: opt.ToMarkdown = None,
    json_file: opt.ToJson = None,
    junit: opt.ToJunit = None,
    fail_on: opt.FailOn = "",
    out: opt.Out = RUNS,
    *,
    force: Annotated[bool, typer.Option("--force", help="Compare runs that differ in more than the revision.")] = False,
) -> None:
    """Say whether a candidate is better than the baseline: a ratio, its interval and a verdict for every metric.

    It exits 3 where the runs are not comparable, naming every difference.
    """
    from reports import outputs
    from reports.comparison import files, metrics

    files.check_fail_on(fail_on)
    references, wanted = [baseline, *(candidates or ())], outputs.asked(html, markdown, json_file, junit)
    with _console(stderr=True).status("Reading runs"):
        found = files.compared(references, out, metrics.asked(metric, margin), alpha, force=force, by=by)
    raise typer.Exit(_compared(found, fail_on, wanted, out, references))


@app.command()
def capacity(  # noqa: PLR0913, PLR0917 - each is an option
    scenario: Annotated[str, typer.Option("--scenario", "-s", help="A name, or a path to a .toml file.")] = "capacity",
    steps: opt.Steps = "1,2,4,8,16,32,64,128",
    hold: opt.Hold = "10s",
    target: opt.TargetName = "",
    gateway: opt.Gateway = "",
    profile: opt.Profile = None,
    backend: opt.Backend = None,
    db_url: opt.DbUrl = "",
    amqp_url: opt.AmqpUrl = "",
    smtp_url: opt.SmtpUrl = "",
    label: Annotated[str, typer.Option(help="A name for this revision of the system.")] = "",
    note: opt.Note = "",
    threshold: Annotated[list[str] | None, typer.Option(help="As for run, repeatable; judged at each step.")] = None,
    time_scale: Annotated[float, typer.Option(help="Multiply the hold.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of the users' random choices.")] = 1,
    dataset: Annotated[Path | None, typer.Option("--dataset", help="Use this dataset file.")] = None,
    out: opt.Out = RUNS,
    workers: opt.Workers = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the page there, and not into the run.")] = None,
    *,
    audit: Annotated[bool, typer.Option("--audit/--no-audit", help="Check afterwards what was sold.")] = True,
    allow_public: opt.AllowPublic = False,
    as_json: opt.AsJson = False,
) -> None:
    """Climb steps of users until throughput grows no more; say how far it scales and what was full.

    It ends as a run does: 99 where the audit found something, 98 where the generator could not keep up.
    """
    from lab import capacity as climbing
    from lab import place, runner
    from lab.lint.linter import before_run
    from lab.model import crew as crews
    from reports.capacity import files
    from reports.live import LiveView
    from reports.stack import StackView

    stairs = climbing.stairs(steps, hold, time_scale)
    judged = _planned(scenario, None, threshold, 1.0, "")
    planned = stairs.scenario(judged)
    told = _settings(profile=profile, backend=backend, db_url=db_url, amqp_url=amqp_url, smtp_url=smtp_url)
    under = told.stack_backend(db_url, amqp_url, smtp_url)
    named = place.named(target, {"gateway": gateway}, ROOT, allow_public=allow_public)
    crew = crews.planned(workers=workers, cores=os.cpu_count() or 1, peak=planned.peak)
    with (
        StackView() as view,
        place.platform(named, told.profile or None, ROOT, view, under) as (where, state),
    ):
        view.close()
        data, file = _dataset(where, planned, dataset, state)
        if remark := before_run(planned, data, scenario):
            typer.echo(remark, err=True)
        plan = runner.Plan(
            planned,
            where,
            data,
            file,
            out,
            seed=seed,
            command=_typed(),
            label=label,
            note=note,
            profile=state.profile if state else told.profile,
            backend=state.backend if state else "",
            time_scale=time_scale,
            audit=audit,
            mail_file=state.mail_path if state else None,
            crew=crew,
            processes=state.processes if state else {},
            enough=climbing.Plateau(stairs.steps).enough,
        )
        with runner.catching_interrupts() as interrupts, LiveView(planned, f"capacity · {where.name}") as live:
            folder, done, _ = runner.execute(plan, live, interrupts)
    found, path = files.climbed(folder, stairs.steps, judged.thresholds, html)
    if as_json:
        typer.echo(files.as_json(found), nl=False)
    else:
        files.show(found, _console(), path)
    raise typer.Exit(done.verdict.exit_code if done.verdict else Exit.ERROR)


@app.command()
def diagnose(
    run: Annotated[str, typer.Argument(help="An id, `latest`, or a run folder's path.", metavar="RUN")],
    out: opt.Out = RUNS,
    *,
    as_json: opt.AsJson = False,
) -> None:
    """Say what held a run up, the weightiest first, each finding with its evidence and what to try."""
    from lab import store
    from reports.diagnosis import text
    from reports.diagnosis.diagnose import diagnose as look

    found = look(store.find(run, out))
    if as_json:
        typer.echo(text.as_json(found))
    else:
        text.show(found, _console())


@app.command()
def report(  # noqa: PLR0913, PLR0917 - each is an option
    run: opt.RunId,
    html: opt.ToHtml = None,
    markdown: opt.ToMarkdown = None,
    json_file: opt.ToJson = None,
    junit: opt.ToJunit = None,
    out: opt.Out = RUNS,
    *,
    github: Annotated[bool, typer.Option("--github", help="Append Markdown to $GITHUB_STEP_SUMMARY.")] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write a run's HTML report again and print its path; or write what is asked for, where - is standard output."""
    from lab import store
    from reports.single.make import Wanted, make

    folder = store.find(run, out)
    page = html or (folder.report if show or not (markdown or json_file or junit or github) else None)
    wanted = Wanted(page, markdown, json_file, junit, github)
    with _console(stderr=True).status("Reading the run"):
        written = make(folder, wanted, os.environ)
    for path in written:
        typer.echo(path, err=wanted.to_standard_output)
    if show and page in written:
        typer.launch(page.resolve().as_uri())


@app.command()
def export(  # noqa: PLR0913, PLR0917 - each is an option
    run: Annotated[str, typer.Argument(help="An id, `latest`, or a run folder's path.", metavar="RUN")],
    influx: opt.Influx = "",
    influx_token: opt.InfluxToken = "",
    influx_org: opt.InfluxOrg = "",
    influx_bucket: opt.InfluxBucket = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="Write line protocol there instead; - is standard output.")
    ] = None,
    out: opt.Out = RUNS,
) -> None:
    """Send all metrics of a run to InfluxDB; sending them twice changes nothing."""
    from lab import store
    from lab.sinks.export import export as send
    from lab.sinks.export import export_lines

    folder = store.find(run, out)
    if file is not None:
        lines = (f"{line}\n" for line in export_lines(folder))
        if str(file) == "-":
            sys.stdout.writelines(lines)
            return
        try:
            with file.open("w", encoding="utf-8") as to:
                to.writelines(lines)
        except OSError as error:
            raise ConfigError(f"--file {file} cannot be written: {error.strerror}") from None
        return
    told = _settings(influx_url=influx, influx_token=influx_token, influx_org=influx_org, influx_bucket=influx_bucket)
    server = told.influx()
    if server is None:
        raise ConfigError("say where the metrics go: --influx URL, INFLUXDB_V2_URL, or --file PATH for line protocol")
    with _console(stderr=True).status("Sending to InfluxDB") as line:
        sent = send(folder, server, lambda count: line.update(f"Sending to InfluxDB: {count:,} points"))
    typer.echo(f"{sent.sent:,} points of {folder.path.name} are in {server.url}.")


@app.command()
def trend(  # noqa: PLR0913, PLR0917 - each is an option
    metric: Annotated[
        str,
        typer.Option(help="all:throughput, notification delay: all:notification_delay.", metavar="OPERATION:METRIC"),
    ] = "booking:p95",
    scenario: opt.OfScenario = "",
    label: opt.WithLabel = "",
    profile: Annotated[str, typer.Option(help="Only those of this profile.")] = "",
    html: opt.ToHtml = None,
    json_file: opt.ToJson = None,
    out: opt.Out = RUNS,
) -> None:
    """Follow a metric over all runs that can be held side by side with the newest; exploratory, without a verdict."""
    from reports import outputs
    from reports.trend import make, text

    outputs.asked(html, json=json_file)
    which = make.Which(scenario, label, profile)
    with _console(stderr=True).status("Reading runs") as line:
        found = make.trend(out, metric, which, line.update)
    if not (outputs.is_standard_output(html) or outputs.is_standard_output(json_file)):
        text.show(found, _console())
    make.write(found, html, json_file)


@runs_app.callback(invoke_without_command=True)
def runs_list(
    context: typer.Context,
    label: opt.WithLabel = "",
    scenario: opt.OfScenario = "",
    out: opt.Out = RUNS,
    *,
    as_json: opt.AsJson = False,
) -> None:
    """List the runs, newest first; or look at one, label it, remove it."""
    if context.invoked_subcommand is not None:
        return
    from lab import store
    from reports import listing

    found = store.runs(out, on_unreadable=lambda error: typer.echo(f"Left out: {error}", err=True))
    chosen = listing.chosen(found, label=label, scenario=scenario)
    if as_json:
        typer.echo(listing.to_json(chosen))
    elif not found:
        typer.echo(f"There is no run in {out} yet; make one with: airbourne-lab run --scenario smoke")
    elif not chosen:
        typer.echo(f"In {out}, {listing.none_chosen(found, label=label, scenario=scenario)}")
    else:
        _console().print(listing.runs_table(chosen))


@runs_app.command("show")
def runs_show(run: opt.RunId, out: opt.Out = RUNS, *, as_json: opt.AsJson = False) -> None:
    """Print the summary of a run again, from its folder."""
    from lab import store
    from lab.importers import figures
    from reports import again, listing
    from reports.text import show

    folder = store.find(run, out)
    found, tally = again.summed(folder)
    if as_json:
        typer.echo(json.dumps(listing.run_dict(folder, found), indent=1))
    else:
        show(found, tally, _console(), figures.load(folder))


@runs_app.command("label")
def runs_label(
    run: opt.RunId, label: Annotated[str, typer.Argument(help='The new label; "" takes it away.')], out: opt.Out = RUNS
) -> None:
    """Give a run another label: what was changed, for the comparison."""
    from lab import shelf, store
    from reports import shelving

    folder = store.find(run, out)
    typer.echo(shelving.relabelled(folder, shelf.relabel(folder, label)))


@runs_app.command("rm")
def runs_rm(
    runs: Annotated[list[str], typer.Argument(help="Ids, `latest`, or run folders' paths.", metavar="RUN...")],
    out: opt.Out = RUNS,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Throw runs away, with all that their folders hold."""
    from lab import shelf
    from reports import shelving

    found = shelf.doomed(runs, out)
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigError("runs rm asks before it removes, and there is no terminal to ask at: add --yes")
        typer.echo("\n".join(shelving.doomed_lines(found)))
        typer.confirm(shelving.question(found), abort=True)
    typer.echo(shelving.removed(found, shelf.remove(found)))


def _planned(
    scenario: str, stage: list[str] | None, threshold: list[str] | None, time_scale: float, duration: str
) -> Scenario:
    from lab import catalogue

    return catalogue.planned(
        scenario,
        SCENARIOS,
        stages=stage or [],
        thresholds=threshold or [],
        time_scale=time_scale,
        duration=duration,
    )


def _made_of(making: Making) -> Scenario:
    """Give the scenario that the runs of an experiment have."""
    from lab import steady

    planned = _planned(making.scenario, [*making.stages], [*making.thresholds], making.time_scale, making.duration)
    return steady.with_warmup(planned, making.warmup) if making.warmup else planned


def _conducted(  # noqa: PLR0913, PLR0917 - what an experiment is made with
    begun: Experiment,
    place: ExperimentFolder,
    servers: tuple[Backend | None, InfluxConfig | None],
    metrics: tuple[Metric, ...],
    dataset: Path | None,
    out: Path,
    *,
    allow_public: bool,
    new: bool,
) -> Comparison:
    """Make the runs that are left of an experiment, and compare them all."""
    from lab.experiment import begin
    from lab.experiment.conduct import Kit, conduct
    from lab.model import crew
    from lab.runner import catching_interrupts
    from lab.sinks.influx import InfluxSink
    from reports.comparison.files import explained
    from reports.comparison.ongoing import Ongoing
    from reports.experimenting import ExperimentView, ended, stopped

    planned = _made_of(begun.making)
    under, server = servers
    ongoing = Ongoing(out, metrics)
    with catching_interrupts() as interrupts, ExperimentView(begun, planned, ongoing) as view:
        with begin.forgotten(place, new=new):
            kit = Kit(
                planned,
                out,
                begin.places(begun, place.commands, ROOT, under, interrupts, allow_public=allow_public),
                lambda where, state: _dataset(where, planned, dataset, state, quiet=True),
                crew.planned(workers=begun.making.workers, cores=os.cpu_count() or 1, peak=planned.peak),
                begun.making.time_scale,
                begun.making.audit,
                lambda: InfluxSink(server) if server else None,
            )
        view.begin(begun)
        with stopped(begun.id):
            done = conduct(begun, place, kit, view, interrupts)
    typer.echo(ended(done), err=True)
    return explained(ongoing.comparison(done), out)


def _compared(
    found: Comparison, fail_on: str, wanted: Mapping[str, Path], out: Path, references: Sequence[str] = ()
) -> int:
    """Show a comparison and write it to files, by their options; gives the exit code.

    `references` is what was named to be compared, of runs that are not in `out`.
    """
    from reports import outputs
    from reports.comparison import files, text

    aside = any(map(outputs.is_standard_output, wanted.values()))
    text.show(found, _console(stderr=aside))
    files.make(found, wanted, out, references)
    if "--html" in wanted and not outputs.is_standard_output(wanted["--html"]):
        typer.echo(f"\n  report: {wanted['--html']}\n", err=aside)
    return files.exit_code(found, fail_on)


def _named(scenario: str, *, ui: bool, only_with_ui: bool) -> str:
    """Give the scenario that a run begins with, or that the page's form begins with."""
    if only_with_ui and not ui:
        raise ConfigError("--autostart and --ui-login are for the web page: add --ui")
    if not scenario and not ui:
        raise ConfigError("say what to run with --scenario NAME (list them with: airbourne-lab scenarios), or add --ui")
    return scenario or FIRST


def _page(door: Door | None, first: Order) -> AbstractContextManager[Page | None]:
    from lab import catalogue
    from lab.ui import Page

    names = catalogue.names(SCENARIOS)
    return Page(door, [*names, *({first.scenario} - {*names})], first) if door else nullcontext()


def _typed() -> str:
    """Give the command line as it was typed, without what is secret in it."""
    from lab import redact

    return shlex.join(["airbourne-lab", *redact.command(sys.argv[1:])])


def _settings(**options: str | None) -> Settings:
    from lab import settings

    return settings.read(settings.FILE, os.environ, **options)


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def _range(text: str) -> tuple[int, int]:
    fewest, colon, most = text.partition(":")
    if not colon or not fewest.strip().isdecimal() or not most.strip().isdecimal():
        raise ConfigError(f"--capacity {text}: write MIN:MAX, like 150:250")
    return int(fewest), int(most)


def _dataset(
    target: Target, scenario: Scenario, file: Path | None, state: StackState | None, *, quiet: bool = False
) -> tuple[Dataset, Path]:
    from seeders.choose import choose
    from seeders.progress import ProgressView

    # A platform's dataset lives in its own folder, and goes with it.
    root = state.folder if state else ROOT
    if quiet:
        return choose(target, scenario, root, None if state else file, may_seed=state is not None)
    with ProgressView() as view:
        return choose(target, scenario, root, file, may_seed=state is not None, on_progress=view)


def _seeded(scenario: Scenario, target: str, gateway: str, file: Path | None) -> Dataset | None:
    """Give what a scenario would use of a dataset that exists; None when neither a target nor a file is named."""
    from lab import dataset_file, place, targets
    from lab.errors import DatasetError
    from seeders.choose import default_file

    if file is not None:
        return dataset_file.load(file).select(scenario.data)
    if not target and not gateway:
        return None
    state = place.standing(ROOT) if target == place.LOCAL and not gateway else None
    where = state.target() if state else targets.load(target, ROOT, {"gateway": gateway})
    root = state.folder if state else ROOT
    # A run may have seeded its own, where the target's does not fit it.
    found = [path for path in (default_file(root, where, scenario.name), default_file(root, where)) if path.exists()]
    if not found:
        raise DatasetError(
            f'there is no dataset of target "{where.name}" yet; '
            f"fill it with: airbourne-lab seed --gateway {where.gateway}"
        )
    return dataset_file.load(found[0]).select(scenario.data)


def _import(file: Path, tool: str, out: Path, **options: Any) -> None:
    """Import a file, write its report and print its summary. What it says of the system is no error of the import."""
    from lab import redact
    from lab.importers.bring import bring, tally

    with _console(stderr=True).status("Reading the file"):
        folder = bring(file, tool, out, command=shlex.join(["airbourne-lab", *redact.command(sys.argv[1:])]), **options)
    _finish(folder, folder.load(), tally(folder), as_json=False)


def _finish(folder: RunFolder, done: Run, tally: Tally, *, as_json: bool) -> int:
    """Write the report and print the summary; gives the exit code of the verdict."""
    from lab.importers import figures
    from reports import listing
    from reports.html import write_html
    from reports.text import show

    with _console(stderr=True).status("Writing the report"):
        path = write_html(folder)
    if as_json:
        typer.echo(json.dumps(listing.run_dict(folder, done) | {"report": str(path)}, indent=1))
    else:
        show(done, tally, _console(), figures.load(folder))
        typer.echo(f"  report: {path}\n")
    return done.verdict.exit_code if done.verdict else Exit.ERROR


if __name__ == "__main__":
    app()
