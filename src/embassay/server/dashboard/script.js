// What a page does better with a script; all of it works without one.
"use strict";

// The look that was chosen here goes before that of the system.
const look = (() => { try { return localStorage.getItem("look"); } catch { return null; } })();
if (look) document.documentElement.dataset.look = look;

const isDark = () => {
  const chosen = document.documentElement.dataset.look;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

function offerLooks() {
  const button = document.getElementById("theme");
  const word = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  button.hidden = false;
  word();
  button.addEventListener("click", () => {
    document.documentElement.dataset.look = isDark() ? "light" : "dark";
    try { localStorage.setItem("look", document.documentElement.dataset.look); } catch { /* it holds for this page */ }
    word();
  });
}

// An element with data-live="SECONDS" and an id is shown anew as often, until the page has none of it any more.
// data-then: the page is loaded anew once the element says something else there.
async function refresh(seconds) {
  const shown = [...document.querySelectorAll("[data-live]")];
  if (!shown.length) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.redirected || answer.status === 401) return location.reload();
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const old of shown) {
          const made = page.getElementById(old.id);
          if (!made) return location.reload();
          if (old.dataset.then !== made.dataset.then) return location.reload();
          if (!old.contains(document.activeElement) || document.activeElement === document.body) old.replaceWith(made);
        }
      }
    } catch { /* the server does not answer now: it is asked again */ }
  }
  setTimeout(refresh, 1000 * seconds, seconds);
}

// A button that asks first: data-sure="What will happen?"
function askFirst(event) {
  const said = event.submitter?.dataset.sure;
  if (said && !confirm(said)) event.preventDefault();
}

// A form with data-quiet is sent without leaving the page, and says so beside its buttons.
async function sendQuietly(event) {
  const form = event.target, button = event.submitter;
  if (!("quiet" in form.dataset) || event.defaultPrevented) return;
  event.preventDefault();
  const said = form.querySelector("[role=status]");
  try {
    const body = new URLSearchParams(new FormData(form, button));
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
    const done = answer.ok || answer.type === "opaqueredirect";
    for (const one of form.querySelectorAll("button")) one.setAttribute("aria-pressed", done && one === button);
    said.textContent = done ? "Noted." : "This was not taken.";
  } catch {
    said.textContent = "The server does not answer.";
  }
}

// A link with data-clicked="SEARCH RANK" tells the query log that the hit was opened.
function tellClick(event) {
  const link = event.target.closest?.("a[data-clicked]");
  if (!link) return;
  const [search, clicked] = link.dataset.clicked.split(" ");
  navigator.sendBeacon("/dashboard/search/feedback", new URLSearchParams({ search, clicked }));
}

function offerCopies() {
  if (!navigator.clipboard) return;
  for (const place of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(place.textContent);
      button.textContent = "Copied";
    });
    place.after(button);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  offerLooks();
  offerCopies();
  document.addEventListener("submit", askFirst);
  document.addEventListener("submit", sendQuietly);
  document.addEventListener("click", tellClick);
  const live = document.querySelector("[data-live]");
  if (live) setTimeout(refresh, 1000 * live.dataset.live, Number(live.dataset.live));
});
