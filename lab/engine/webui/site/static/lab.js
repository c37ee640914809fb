"use strict";
// The Lab page: asks once a second, and writes what it is told as text, never as markup.
(() => {
  const at = (id) => document.getElementById(id);
  const whole = (value) => Math.round(value).toLocaleString("en");
  const ms = (value) => typeof value === "string" ? value : value === null ? "–" : value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 1 : 0, minimumFractionDigits: value && value < 100 && value % 1 ? 1 : 0 });
  const share = (value) => `${(value * 100).toFixed(value && value < 0.01 ? 2 : 1)} %`;
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

  function make(kind, text = "", style = "") {
    const element = document.createElement(kind);
    element.textContent = text;
    if (style) element.className = style;
    return element;
  }

  // A row of cells: the first is its heading; each other is [text, class].
  function row(heading, cells, style = "") {
    const line = make("tr", "", style);
    const head = make("th", heading);
    head.scope = "row";
    line.append(head, ...cells.map(([text, kind = "n"]) => make("td", text, kind)));
    return line;
  }

  function facts(place, pairs) {
    place.replaceChildren(...pairs.map(([name, value, more = "", style = ""]) => {
      const pair = make("div");
      const figure = make("dd", value, style);
      if (more) figure.append(make("small", more));
      pair.append(make("dt", name), figure);
      return pair;
    }));
  }

  function verdict(live) {
    const found = live.verdict;
    let [word, sentence, tone] = ["READY", "No run yet. Start one on Locust's page.", ""];
    if (live.error) [word, sentence, tone] = ["ERROR", live.error, "bad"];
    else if (!live.ready) [word, sentence] = ["STARTING", "The platform is starting."];
    else if (live.state === "preparing") [word, sentence] = ["PREPARING", live.doing || "The run is being prepared."];
    else if (live.state === "running") {
      [word, sentence] = ["RUNNING", live.doing || `${clock(live.run.seconds)} of ${clock(live.run.duration)}. No verdict yet: these are the figures so far.`];
    } else if (found) {
      word = `${found.passed ? "PASSED" : found.exit_code === 105 ? "STOPPED" : "NOT PASSED"} – ${found.validity}, exit code ${found.exit_code}`;
      [sentence, tone] = [found.sentence, found.passed ? (found.validity === "VALID" ? "good" : "warn") : "bad"];
    } else if (live.state === "ended") [word, sentence] = ["OVER", "The run was not judged."];
    at("verdict").className = `verdict ${tone}`;
    at("word").textContent = word;
    at("sentence").textContent = sentence;
    at("reasons").replaceChildren(...(found && !live.error ? found.reasons : []).map((words) => make("li", words)));
    at("to-report").hidden = !live.report;
  }

  function glance(live) {
    const { run, now } = live;
    const model = run.open ? ["iterations/s", whole(now.iterations), `${whole(now.planned_rate)} planned`] : ["users", whole(now.users), `${whole(now.planned_users)} planned`];
    facts(at("glance"), [
      ["time", clock(run.seconds), `of ${clock(run.duration)}`],
      model,
      ["requests/s", whole(now.rate), `${whole(now.requests)} in all`],
      ["failed", whole(now.failed), now.requests ? share(now.failed / now.requests) : "", now.failed ? "bad" : ""],
      ["checks", now.checks === null ? "–" : share(now.checks), now.errors ? `${whole(now.errors)} script errors` : "", now.checks !== null && now.checks < 1 ? "bad" : ""],
      ["dropped iterations", whole(live.dropped), run.open ? "no user was free" : "closed model: none can be", live.dropped ? "bad" : ""],
    ]);
  }

  function load(live) {
    const { run, plan, line, now } = live;
    const end = Math.max(run.duration, run.seconds);
    const top = draw(at("load"), {
      bands: plan.bands, end, now: run.seconds, words: `${plan.unit} over time, planned (dashed) and at work`,
      lines: [["plan", plan.curve], ["seen", line.level]],
    });
    draw(at("requests"), { bands: plan.bands, end, now: run.seconds, words: "Requests a second over time", lines: [["seen", line.requests]] });
    at("load-note").textContent = `${plan.unit}: planned (dashed) and at work, up to ${whole(top)}; ${whole(now.users)} users now`;
    at("bands").replaceChildren(...plan.bands.map((band) => {
      const item = make("li", band.words, run.seconds >= band.begin && run.seconds < band.end ? "on" : "");
      item.style.flexGrow = band.end - band.begin;
      item.title = `${clock(band.begin)} to ${clock(band.end)}`;
      return item;
    }));
  }

  function operations(live) {
    at("clock").textContent = live.clock === "response" ? "from the intended start of each request" : "closed model: from sending to the answer";
    at("operations").replaceChildren(...live.operations.map((one, n) => row(one.name, [
      [whole(one.requests)], [whole(one.failed), one.failed ? "n bad" : "n"],
      ...one.percentiles.map((value) => [ms(value), typeof value === "string" ? "n bad" : "n"]), [ms(one.max)],
    ], n ? "" : "whole")));
  }

  function measured(one) {
    if (one.later) return "after the run";
    if (one.actual === null) return "no data";
    if (typeof one.actual === "string") return one.actual;
    return one.unit === "share" ? share(one.actual) : `${ms(one.actual)} ${one.unit}`.trim();
  }

  function thresholds(live) {
    at("no-thresholds").hidden = live.thresholds.length > 0;
    at("thresholds").replaceChildren(...live.thresholds.map((one) => row(one.metric, [
      [one.expression, ""], [measured(one)],
      [one.later ? "–" : one.outcome, one.later ? "quiet" : { PASS: "good", FAIL: "bad" }[one.outcome] || "quiet"],
    ])));
  }

  function integrity(live) {
    const found = live.integrity;
    facts(at("integrity"), found.audited ? found.audited.map(({ name, value }) =>
      [name.replaceAll("_", " "), value === null ? "not checked" : whole(value), "", value ? "bad" : ""]) : [
      ["bookings accepted", whole(found.accepted)], ["seats in them", whole(found.seats), found.stock === null ? "" : `of ${whole(found.stock)} that the flights of the dataset have`],
      ["refused", whole(found.refused)], ["answer lost", whole(found.unknown), "may exist or not"],
      ["on their way", whole(Math.max(found.open, 0))], ["cancelled again", whole(found.withdrawn)],
    ]);
    at("integrity-note").textContent = found.audited ? "audited" : "so far, from the load's own ledger";
    at("integrity-words").textContent = found.audited ? "What was sold, held against the target's own books after the run."
      : "Whether a seat was sold twice or lost from the count is not known before the end: the audit then compares the ledger with the flights' own counts and the bookings in the database.";
  }

  function machines(live) {
    at("generator").replaceChildren(...live.generator.map((one) => row(one.process, [
      [share(one.cpu), one.busy ? "n bad" : "n"], [share(one.worst_cpu)],
      [`${ms(one.lag)} ms`, one.late ? "n bad" : "n"], [`${ms(one.worst_lag)} ms`], [whole(one.memory)],
    ])));
    at("no-services").hidden = live.services.length > 0;
    at("services").replaceChildren(...live.services.map((one) => row(one.name, [[one.cpu.toFixed(2)], [whole(one.memory / 1048576)]])));
    facts(at("queues"), live.queues.map((one) => [`waiting in ${one.name}`, whole(one.depth)]));
  }

  function show(live) {
    at("name").textContent = (live.run && live.run.scenario) || live.scenario || "No run yet";
    at("label").textContent = (live.run && live.run.label) || "";
    at("meta").textContent = live.run ? [live.run.description, `target ${live.run.target}`, live.run.profile && `profile ${live.run.profile}`, `run ${live.run.id}`].filter(Boolean).join(" · ") : "";
    document.title = `${live.state === "running" ? `${clock(live.run.seconds)} ` : ""}${live.scenario || "Lab"} – airbourne-lab`;
    verdict(live);
    const some = Boolean(live.run && live.run.seconds);
    at("figures").hidden = !some;
    if (some) for (const part of [glance, load, operations, thresholds, integrity, machines]) part(live);
    document.documentElement.dataset.seconds = some ? live.run.seconds : 0;
  }

  async function look() {
    try {
      const answer = await fetch("/lab/live", { cache: "no-store" });
      if (answer.redirected) return location.assign("/login");
      show(await answer.json());
    } catch {
      at("verdict").className = "verdict bad";
      at("word").textContent = "GONE";
      at("sentence").textContent = "The lab does not answer any more: airbourne-lab has ended. These are its last figures.";
    }
    setTimeout(look, 1000);
  }

  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = "";
  function paint() {
    const theme = chosen || (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    at("theme").textContent = theme === "dark" ? "Light" : "Dark";
  }
  at("theme").addEventListener("click", () => { chosen = at("theme").textContent.toLowerCase(); paint(); });
  dark.addEventListener("change", paint);
  paint();
  look();
})();
