"""Make dashboards/airbourne.json of dashboard.toml: `python docker/grafana/build.py`, with --check only to compare."""
# ruff: noqa: INP001 - a script beside its data, no package

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
SOURCE: Final = HERE / "dashboard.toml"
MADE: Final = HERE / "dashboards" / "airbourne.json"
UID: Final = "airbourne"
DATASOURCE: Final = {"type": "influxdb", "uid": "${datasource}"}
COLUMNS: Final = 24
LINE_HEIGHT: Final = 8
GAP_MS: Final = 10_000
"""A line goes on over seconds without a request; between two runs it breaks."""

Json = dict[str, Any]

PASS, FAIL, UNKNOWN, PLAIN = "green", "red", "#808080", "text"
STATES: Final = [
    {
        "type": "value",
        "options": {
            "1": {"text": "pass", "color": PASS, "index": 0},
            "0": {"text": "FAIL", "color": FAIL, "index": 1},
            "-1": {"text": "no data", "color": UNKNOWN, "index": 2},
        },
    }
]
LEGEND: Final = {"displayMode": "table", "placement": "bottom", "showLegend": True}
OPTIONS: Final[dict[str, Json]] = {
    "timeseries": {
        "legend": LEGEND | {"calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "colorMode": "value",
        "graphMode": "none",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "value",
    },
    "table": {"showHeader": True, "cellHeight": "sm"},
    "state-timeline": {
        "legend": LEGEND | {"displayMode": "list", "showLegend": False},
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    },
    "barchart": {
        "legend": LEGEND | {"displayMode": "list"},
        "orientation": "horizontal",
        "showValue": "always",
        "tooltip": {"mode": "multi", "sort": "none"},
    },
}
"""What the kinds of panel look like."""


def dashboard(source: Json) -> Json:
    """Give Grafana's form of what dashboard.toml holds."""
    words = source["words"]
    marks = source["annotations"]
    return {
        "uid": UID,
        "title": "Airbourne: load tests",
        "description": "Runs of the Airbourne performance lab, while they run and after. Made of dashboard.toml.",
        "tags": ["airbourne", "load"],
        "editable": True,
        "graphTooltip": 1,
        "refresh": "5s",
        "schemaVersion": 41,
        "time": {"from": "now-15m", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": [_marks(marks["name"], _said(marks["query"], words))]},
        "templating": {"list": [_datasource(), *(_variable(entry, words) for entry in source["variable"])]},
        "panels": _panels(source["row"], words),
    }


def text(made: Json) -> str:
    """Give the file's text."""
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _said(query: str, words: dict[str, str]) -> str:
    for word, meaning in words.items():
        query = query.replace(f"<{word}>", meaning)
    return query


def _marks(name: str, query: str) -> Json:
    target = {
        "refId": "Anno",
        "fromAnnotations": True,
        "query": query,
        "rawQuery": True,
        "tagsColumn": "kind",
        "textColumn": "text",
        "titleColumn": "title",
    }
    return {"name": name, "datasource": DATASOURCE, "enable": True, "iconColor": "orange", "target": target}


def _datasource() -> Json:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "influxdb", "refresh": 1}


def _variable(entry: Json, words: dict[str, str]) -> Json:
    plain = {key: entry[key] for key in ("name", "label", "description")}
    if "values" in entry:
        choices = [
            {"text": value, "value": value, "selected": not place} for place, value in enumerate(entry["values"])
        ]
        first = {"text": entry["values"][0], "value": entry["values"][0]}
        return plain | {"type": "custom", "query": ",".join(entry["values"]), "options": choices, "current": first}
    query = _said(entry["query"], words)
    made = plain | {
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": f"Variable-{entry['name']}"},
        "definition": query,
        "multi": entry.get("many", False),
        "includeAll": entry.get("all", False),
        # 2: whenever the time range changes, so that a run that has just begun is in the list.
        "refresh": 2,
        # 1 and 2: by alphabet, up and down; a run's id begins with its date.
        "sort": 2 if entry.get("newest_first") else 1,
    }
    if entry.get("all"):
        made |= {"allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}}
    return made


def _panels(rows: list[Json], words: dict[str, str]) -> list[Json]:
    panels: list[Json] = []
    top = 0
    for row in rows:
        heading = {"type": "row", "title": row["title"], "collapsed": False, "panels": []}
        panels.append(heading | {"gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1}})
        top, left, height = top + 1, 0, 0
        for entry in row["panel"]:
            if left + entry["width"] > COLUMNS:
                top, left, height = top + height, 0, 0
            high = entry.get("height", LINE_HEIGHT)
            place = {"x": left, "y": top, "w": entry["width"], "h": high}
            panels.append(_panel(entry, words) | {"gridPos": place})
            left, height = left + entry["width"], max(height, high)
        top += height
    return [{"id": number} | panel for number, panel in enumerate(panels, 1)]


def _panel(entry: Json, words: dict[str, str]) -> Json:
    kind = entry["kind"]
    options = OPTIONS[kind] | ({"xField": entry["join"]} if kind == "barchart" else {})
    if entry.get("word"):
        # Without a name it takes numbers only.
        named = entry["query"][0]["legend"]
        options = options | {"reduceOptions": OPTIONS[kind]["reduceOptions"] | {"fields": f"/^{named}$/"}}
    return {
        "type": kind,
        "title": entry["title"],
        "description": entry["description"],
        "datasource": DATASOURCE,
        "interval": entry.get("interval", "1s"),
        "targets": [
            _target(query, _said(query["influxql"], words), chr(ord("A") + place), kind)
            for place, query in enumerate(entry["query"])
        ],
        "options": options,
        "fieldConfig": {
            "defaults": _defaults(entry, kind),
            "overrides": [_column(*column) for column in entry.get("columns", {}).items()],
        },
        "transformations": _transformations(entry),
    }


def _target(query: Json, influxql: str, letter: str, kind: str) -> Json:
    form = "table" if kind in {"table", "barchart"} else "time_series"
    named = {"alias": query["legend"]} if "legend" in query else {}
    return {
        "refId": letter,
        "datasource": DATASOURCE,
        "query": influxql,
        "rawQuery": True,
        "resultFormat": form,
    } | named


def _defaults(entry: Json, kind: str) -> Json:
    made: Json = {"noValue": entry["no_data"], "color": {"mode": "palette-classic"}}
    made |= {key: entry[key] for key in ("unit", "decimals", "max") if key in entry}
    made["thresholds"] = {"mode": "absolute", "steps": _steps(entry)}
    if kind in {"stat", "state-timeline"}:
        made["color"] = {"mode": "thresholds"}
    if kind == "state-timeline":
        made |= {"mappings": STATES, "custom": {"fillOpacity": 80, "lineWidth": 0}}
    if kind == "timeseries":
        made["min"] = 0
        made["custom"] = {
            "drawStyle": "line",
            "fillOpacity": 30 if entry.get("stack") else 5,
            "lineWidth": 1,
            "showPoints": "auto",
            "spanNulls": GAP_MS,
            "stacking": {"mode": "normal" if entry.get("stack") else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if "line" in entry else "off"},
        }
    return made


def _steps(entry: Json) -> list[Json]:
    """Give the colours: of a number from a value on or below one, or of the line that is drawn at a value."""
    if "red_below" in entry:
        return [{"value": None, "color": FAIL}, {"value": entry["red_below"], "color": PASS}]
    if "red_from" in entry:
        return [{"value": None, "color": PASS}, {"value": entry["red_from"], "color": FAIL}]
    base = {"value": None, "color": PLAIN if entry["kind"] == "stat" else "transparent"}
    return [base, {"value": entry["line"], "color": FAIL}] if "line" in entry else [base]


def _column(name: str, told: Json) -> Json:
    made: Json = {"displayName": told["title"]}
    if "unit" in told:
        made["unit"] = told["unit"]
    if "link" in told:
        made["links"] = [{"title": "Show this run", "url": told["link"]}]
    if told.get("state"):
        made |= {"mappings": STATES, "custom.cellOptions": {"type": "color-text"}}
    properties = [{"id": key, "value": value} for key, value in made.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}


def _transformations(entry: Json) -> list[Json]:
    if "join" in entry:
        kept = [entry["join"], *entry["columns"]]
        return [
            {"id": "joinByField", "options": {"byField": entry["join"], "mode": "outer"}},
            {"id": "filterFieldsByName", "options": {"include": {"names": kept}}},
        ]
    hidden = {"excludeByName": dict.fromkeys(entry.get("hide", []), True)}
    return [{"id": "organize", "options": hidden}] if "hide" in entry else []


def main(arguments: list[str]) -> int:
    """Write the file, or with --check tell whether it is up to date; 1 when it is not."""
    made = text(dashboard(tomllib.loads(SOURCE.read_text(encoding="utf-8"))))
    if arguments != ["--check"]:
        MADE.write_text(made, encoding="utf-8")
        return 0
    if MADE.read_text(encoding="utf-8") == made:
        return 0
    sys.stderr.write(f"{MADE.name} is not what {SOURCE.name} says; run: python docker/grafana/build.py\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
