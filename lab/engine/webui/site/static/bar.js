"use strict";
// The strip at the foot of Locust's page: what the lab is doing, and the way to its own page and to the report.
(() => {
  const bar = document.getElementById("lab-bar");
  const words = document.getElementById("lab-words");
  const report = document.getElementById("lab-report");

  let level = 0;

  // Edit begins with what is now, and not with what the start form last held. React hears of it by the event.
  new MutationObserver(() => {
    const field = document.querySelector('[role="presentation"] form [name="userCount"]');
    if (!field || field.dataset.lab || field.form.querySelector('[name="host"]')) return;
    field.dataset.lab = "set";
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, String(level));
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }).observe(document.body, { childList: true, subtree: true });

  function said(live) {
    const name = live.scenario;
    if (live.error) return live.error;
    if (!live.ready) return "The platform is starting.";
    if (live.state === "preparing") return `${name}: ${live.doing || "preparing"}…`;
    if (live.state === "running") return live.doing ? `${name}: ${live.doing}` : `${name}: ${live.run.seconds} s of ${Math.round(live.run.duration)} s`;
    if (live.state === "ended") return live.verdict ? live.verdict.sentence : "The run is over.";
    return "No run yet. Choose a scenario and start one.";
  }

  function show(live) {
    words.textContent = said(live);
    report.hidden = !live.report;
    if (live.now) level = Math.round(live.run.open ? live.now.planned_level : live.now.users);
    bar.className = live.error || (live.verdict && !live.verdict.passed) ? "bad" : live.verdict ? "good" : "";
    if (live.run && live.run.open) document.body.dataset.labOpen = "";
    else delete document.body.dataset.labOpen;
    // Somebody else began a run (another window, --autostart): this page would go on offering to begin one.
    if (live.state === "running" && document.querySelector('main form [name="host"]')) location.reload();
  }

  async function look() {
    try {
      const answer = await fetch("/lab/live", { cache: "no-store" });
      if (answer.redirected) return location.assign("/login");
      show(await answer.json());
    } catch {
      words.textContent = "The lab does not answer any more: airbourne-lab has ended.";
      bar.className = "bad";
    }
    setTimeout(look, 1000);
  }

  look();
})();
