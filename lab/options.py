"""The options that more than one command takes, or that come in groups: their types, written down once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

_TARGET: Final = "Target"
_PLATFORM: Final = "The lab's own platform"
_INFLUX: Final = "InfluxDB"
_WORKERS: Final = "Load processes"
_PAGE: Final = "The web page"

TargetName = Annotated[
    str,
    typer.Option("--target", "-t", help="A target: a TOML file with five URLs, or its name.", rich_help_panel=_TARGET),
]
Gateway = Annotated[
    str, typer.Option("--gateway", help="URL of a target's gateway.", metavar="URL", rich_help_panel=_TARGET)
]
Auth = Annotated[str, typer.Option("--auth", help="URL of its auth service.", metavar="URL", rich_help_panel=_TARGET)]
Flights = Annotated[
    str, typer.Option("--flights", help="URL of its flights service.", metavar="URL", rich_help_panel=_TARGET)
]
BookingUrl = Annotated[
    str, typer.Option("--booking", help="URL of its booking service.", metavar="URL", rich_help_panel=_TARGET)
]
Reminder = Annotated[
    str, typer.Option("--reminder", help="URL of its reminder service.", metavar="URL", rich_help_panel=_TARGET)
]
AllowPublic = Annotated[
    bool,
    typer.Option("--allow-public", help="Let load leave loopback and private ranges.", rich_help_panel=_TARGET),
]

Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="How it behaves: as-found, safe, … scaled; airbourne-lab profiles lists them.",
        rich_help_panel=_PLATFORM,
    ),
]
Backend = Annotated[
    str | None,
    typer.Option(
        "--backend",
        help="What is under it: embedded (the default), services (its own MariaDB and RabbitMQ), external.",
        rich_help_panel=_PLATFORM,
    ),
]
DbUrl = Annotated[
    str,
    typer.Option(
        "--db-url", help="external: mysql://user:password@host:port.", metavar="URL", rich_help_panel=_PLATFORM
    ),
]
AmqpUrl = Annotated[
    str,
    typer.Option(
        "--amqp-url", help="external: amqp://user:password@host:port.", metavar="URL", rich_help_panel=_PLATFORM
    ),
]
SmtpUrl = Annotated[
    str,
    typer.Option(
        "--smtp-url",
        help="external: smtp://host:port; without it the lab keeps the mail itself.",
        metavar="URL",
        rich_help_panel=_PLATFORM,
    ),
]
PortOffset = Annotated[
    int,
    typer.Option("--port-offset", help="Move the ports 3001-3005 by this number.", min=0, rich_help_panel=_PLATFORM),
]

Influx = Annotated[
    str,
    typer.Option(
        "--influx", help="Send metrics there; or set INFLUXDB_V2_URL.", metavar="URL", rich_help_panel=_INFLUX
    ),
]
InfluxToken = Annotated[
    str,
    typer.Option("--influx-token", help="Better set INFLUXDB_V2_TOKEN: others see options.", rich_help_panel=_INFLUX),
]
InfluxOrg = Annotated[str, typer.Option("--influx-org", help="Or INFLUXDB_V2_ORG.", rich_help_panel=_INFLUX)]
InfluxBucket = Annotated[str, typer.Option("--influx-bucket", help="Or INFLUXDB_V2_BUCKET.", rich_help_panel=_INFLUX)]
NoInflux = Annotated[bool, typer.Option("--no-influx", help="Send none, whatever is set.", rich_help_panel=_INFLUX)]

Duration = Annotated[
    str, typer.Option("--duration", help="Stretch the hold until all of it takes this long: 45m.", metavar="TIME")
]
Warmup = Annotated[
    str,
    typer.Option("--warmup", help="The first seconds are shown and not judged: 30s, or auto (MSER-5).", metavar="TIME"),
]
Steps = Annotated[str, typer.Option("--steps", help="Users of each step, rising.", metavar="N,N,…")]
Hold = Annotated[str, typer.Option("--hold", help="How long each step is held.", metavar="TIME")]
Note = Annotated[str, typer.Option("--note", help="What was changed, and what it should give: for the comparison.")]
RunId = Annotated[str, typer.Argument(help="An id, `latest`, or a run folder's path.", metavar="RUN")]
WithLabel = Annotated[str, typer.Option("--label", help="Only those with this label.")]
OfScenario = Annotated[str, typer.Option("--scenario", help="Only those of this scenario.")]
Out = Annotated[Path, typer.Option("--out", help="Where run folders are.")]
Foreign = Annotated[Path, typer.Argument(help="The file that the other tool wrote.", metavar="FILE")]
ImportLabel = Annotated[str, typer.Option("--label", help="A name for this revision of the system.")]
ImportScenario = Annotated[
    str, typer.Option("--scenario", help="The test's name, the same for runs to compare; else the file's name.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        help="Processes on this machine that make the load; without it, one core less than there are.",
        min=0,
        rich_help_panel=_WORKERS,
    ),
]
Master = Annotated[
    bool,
    typer.Option("--master", help="Lead workers on other machines (airbourne-lab worker).", rich_help_panel=_WORKERS),
]
ExpectWorkers = Annotated[
    int,
    typer.Option("--expect-workers", help="With --master: begin when so many are there.", rich_help_panel=_WORKERS),
]
ExpectTimeout = Annotated[
    float, typer.Option("--expect-timeout", help="Seconds to wait for them.", rich_help_panel=_WORKERS)
]
Bind = Annotated[
    str,
    typer.Option(
        "--bind",
        help="The master's address for other machines; needs AIRBOURNE_WORKER_KEY, the same everywhere.",
        metavar="ADDRESS",
        rich_help_panel=_WORKERS,
    ),
]
MasterPort = Annotated[int, typer.Option("--master-port", help="The master's port.", rich_help_panel=_WORKERS)]

Ui = Annotated[
    bool,
    typer.Option("--ui", help="Start, watch, change and stop runs on Locust's web page.", rich_help_panel=_PAGE),
]
UiHost = Annotated[str, typer.Option("--ui-host", help="The page's address.", metavar="ADDRESS", rich_help_panel=_PAGE)]
UiPort = Annotated[int, typer.Option("--port", help="The page's port.", rich_help_panel=_PAGE)]
UiLogin = Annotated[
    bool,
    typer.Option("--ui-login", help="Ask for the password that is in AIRBOURNE_UI_PASSWORD.", rich_help_panel=_PAGE),
]
Autostart = Annotated[
    bool, typer.Option("--autostart", help="With --ui: start the scenario at once.", rich_help_panel=_PAGE)
]

_SIDES: Final = "Sides that are deployments of your own"
BaselineCommand = Annotated[
    str,
    typer.Option(
        "--baseline-cmd",
        help="What the shell runs before each of the baseline's runs: check out, restart, reset the databases.",
        metavar="COMMAND",
        rich_help_panel=_SIDES,
    ),
]
CandidateCommand = Annotated[
    list[str] | None,
    typer.Option(
        "--candidate-cmd", help="The same, one for each candidate.", metavar="COMMAND", rich_help_panel=_SIDES
    ),
]

_ANSWER: Final = "The answer"
CompareMetric = Annotated[
    list[str] | None, typer.Option("--metric", help="Compare only this, repeatable: p95.", rich_help_panel=_ANSWER)
]
CompareMargin = Annotated[
    list[str] | None,
    typer.Option("--margin", help="What is as good as equal: p95=10%, repeatable.", rich_help_panel=_ANSWER),
]
CompareAlpha = Annotated[
    float,
    typer.Option("--alpha", help="How often a difference may be claimed where there is none.", rich_help_panel=_ANSWER),
]
ComparedAlpha = Annotated[
    float | None,
    typer.Option(
        "--alpha",
        help="How often a difference may be claimed where there is none.",
        show_default="the experiment's, or 0.05",
        rich_help_panel=_ANSWER,
    ),
]
FailOn = Annotated[
    str,
    typer.Option("--fail-on", help="regressed: exit with 1 where something got worse.", rich_help_panel=_ANSWER),
]
ToHtml = Annotated[Path | None, typer.Option("--html", help="Write the report there.", rich_help_panel=_ANSWER)]
ToMarkdown = Annotated[Path | None, typer.Option("--md", help="Write Markdown there.", rich_help_panel=_ANSWER)]
ToJson = Annotated[Path | None, typer.Option("--json", help="Write JSON there.", rich_help_panel=_ANSWER)]
ToJunit = Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML there.", rich_help_panel=_ANSWER)]


def typed(context: typer.Context) -> list[str]:
    """Give the options that stand on the command line, by their long names."""
    found = [(one, context.get_parameter_source(one.name or "")) for one in context.command.params]
    return [one.opts[0] for one, source in found if source is not None and source.name == "COMMANDLINE"]
