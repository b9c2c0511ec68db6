// Keys, and looking again at what is changing. Everything works without it.
"use strict";

const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
const rows = () => [...document.querySelectorAll("main tbody tr")].filter((row) => row.querySelector("a"));
let waitsForPlace = false;

function choose(step) {
  const all = rows();
  if (all.length === 0) return;
  const now = all.findIndex((row) => row.classList.contains("chosen"));
  const next = Math.max(0, Math.min(all.length - 1, now + step));
  all.forEach((row, number) => row.classList.toggle("chosen", number === next));
  all[next].scrollIntoView({ block: "nearest" });
  all[next].querySelector("a").focus({ preventScroll: true });
}

const follow = (selector) => document.querySelector(selector)?.click();

const ACTIONS = {
  j: () => choose(1),
  k: () => choose(-1),
  u: () => [...document.querySelectorAll(".trail a")].pop()?.click(),
  n: () => follow("a[rel=next]"),
  p: () => follow("a[rel=first]"),
  "?": () => document.getElementById("keys")?.showModal(),
  "/": () => document.querySelector("input[type=search]")?.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (waitsForPlace) {
    waitsForPlace = false;
    const place = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
    if (place) {
      event.preventDefault();
      place.click();
    }
    return;
  }
  if (event.key === "g") {
    waitsForPlace = true;
    setTimeout(() => { waitsForPlace = false; }, 1500);
    return;
  }
  const action = ACTIONS[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});

// A run that goes on: its page is asked for again, and what it shows is put in place of the old.
const PAUSE_MS = 1500;
async function lookAgain() {
  const main = document.getElementById("main");
  if (!main || !main.dataset.changing) return;
  let isGone = false;
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
      isGone = !answer.ok;
      if (answer.ok) replace(main, new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      isGone = true;
    }
  }
  if (isGone) document.getElementById("main").classList.add("gone");
  setTimeout(lookAgain, isGone ? 4 * PAUSE_MS : PAUSE_MS);
}

function replace(main, fresh) {
  const next = fresh.getElementById("main");
  if (!next) return;
  const chosen = rows().findIndex((row) => row.classList.contains("chosen"));
  const logs = [...main.querySelectorAll("pre.log")].map((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 40);
  main.replaceWith(next);
  next.querySelectorAll("pre.log").forEach((log, number) => { if (logs[number] ?? true) log.scrollTop = log.scrollHeight; });
  if (chosen >= 0) rows()[chosen]?.classList.add("chosen");
  document.title = fresh.title;
}

// Addresses that clients of a workspace know: `#job/1/run/2` is a page of its own here.
function oldAddress() {
  const job = /^#job\/(\d+)(?:\/run\/(\d+))?/.exec(location.hash);
  if (job) location.replace(job[2] ? `/jobs/${job[1]}/runs/${job[2]}` : `/jobs/${job[1]}`);
}

document.addEventListener("DOMContentLoaded", () => {
  if (location.pathname === "/") oldAddress();
  document.querySelectorAll("pre.log").forEach((log) => { log.scrollTop = log.scrollHeight; });
  setTimeout(lookAgain, PAUSE_MS);
});
