// What pages do beyond HTML: drafts that survive, keys, countdowns, and saying that nothing answers.

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Drafts: what is typed is kept in this tab until it has been sent.

const PREFIX = "outcry draft ";

function restoreDrafts(root) {
  for (const field of all("[data-draft]", root)) {
    const kept = sessionStorage.getItem(PREFIX + field.dataset.draft);
    if (kept !== null && field.value === "") field.value = kept;
  }
}

function keepDraft(field) {
  const key = field?.dataset?.draft;
  if (!key) return;
  if (field.value) sessionStorage.setItem(PREFIX + key, field.value);
  else sessionStorage.removeItem(PREFIX + key);
}

// A form that was done leads to a page that says so; its fields need not be kept any longer.
function noteSending(form) {
  const sending = [...form.elements].map((field) => field.dataset?.draft).filter(Boolean);
  sessionStorage.setItem(PREFIX + "sending", JSON.stringify(sending));
}

function settleSending() {
  const keys = JSON.parse(sessionStorage.getItem(PREFIX + "sending") ?? "[]");
  sessionStorage.removeItem(PREFIX + "sending");
  const here = new URL(location.href);
  if (!here.searchParams.has("done")) return;
  for (const key of keys) sessionStorage.removeItem(PREFIX + key);
  // Said once: who comes back to this address has done nothing anew.
  here.searchParams.delete("done");
  history.replaceState(history.state, "", here);
}

document.addEventListener("input", (event) => keepDraft(event.target));
document.addEventListener("submit", (event) => {
  // Who signs out leaves nothing behind for the next one.
  if (event.target.getAttribute("action") === "/sign-out") sessionStorage.clear();
  else noteSending(event.target);
}, true);

// Countdowns.

function span(ms) {
  const minutes = Math.floor(Math.abs(ms) / 60000);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 72 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

// The desk's clock may differ from this machine's: each count goes on from what the page said.
let shift = 0;

function setClock() {
  const page = one("main[data-now]");
  if (!page) return;
  shift = Date.now() - Date.parse(page.dataset.now);
  page.removeAttribute("data-now");
}

function countDown() {
  for (const time of all("time[data-due]")) {
    const left = Date.parse(time.dateTime) - (Date.now() - shift);
    const words = `${span(left)} ${left <= 0 ? "late" : "left"}`;
    if (time.textContent !== words) time.textContent = words;
    if (left <= 0) {
      const state = time.closest(".state");
      if (state && !state.classList.contains("overdue")) {
        state.className = "state overdue";
        const label = one("small", state);
        if (label) label.textContent = "overdue";
      }
    }
  }
}

// Trouble: what cannot be reached is said where one looks, and nothing typed is touched.

function trouble(words) {
  const place = one("#trouble");
  if (!place) return;
  place.replaceChildren();
  if (!words) return;
  const line = document.createElement("p");
  line.textContent = words;
  place.append(line);
}

const KEPT = " What you typed is still here; try again in a moment.";

document.addEventListener("htmx:sendError", () => trouble("The desk does not answer." + KEPT));
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  if (xhr.status !== 429 && xhr.status < 500) return;
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  trouble((one("[role=alert].alert", page)?.textContent ?? "The desk is in trouble.") + KEPT);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status < 500) trouble("");
});

// Live updates: which case is chosen survives the new list.

let chosen = null;

document.addEventListener("htmx:sseOpen", (event) => {
  const { source } = event.detail;
  trouble("");
  source.addEventListener("down", () => trouble(
    "The store does not answer. The list is as it was; it comes back by itself."));
  source.addEventListener("up", () => trouble(""));
  source.addEventListener("ended", () => {
    source.close();
    trouble("You are signed out: sign in again to go on.");
  });
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target?.id !== "list") return;
  const item = document.activeElement?.closest?.("[data-ticket]");
  chosen = item ? item.dataset.ticket : null;
});
document.addEventListener("htmx:afterSettle", () => {
  if (chosen === null) return;
  const again = one(`[data-ticket="${CSS.escape(chosen)}"] [data-item]`);
  chosen = null;
  (again ?? one("[data-item]"))?.focus();
});

// What stands as it stood is not put there again: a screen reader would say it again.
let stood = "";

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr, serverResponse } = event.detail;
  if (target?.id !== "state" || xhr.status !== 200) return;
  if (serverResponse === stood) event.detail.shouldSwap = false;
  stood = serverResponse;
});

// While somebody works on a case of theirs, it stays theirs.

let active = 0;
for (const kind of ["keydown", "pointerdown", "input", "scroll"])
  document.addEventListener(kind, () => (active = Date.now()), { passive: true, capture: true });

const BEAT = 60000;

function beat() {
  const mine = one("[data-beat]");
  if (!mine || Date.now() - active > BEAT * 2) return;
  htmx.ajax("POST", mine.dataset.beat, {
    source: mine, target: "#state", swap: "outerHTML",
    values: { mark: mine.dataset.mark, last: mine.dataset.last },
  });
}

setInterval(beat, BEAT);
document.addEventListener("outcry:beat", beat);
setInterval(countDown, 15000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    countDown();
    if (one("#state")) htmx.trigger(document.body, "look");
  }
});

// Keys.

const OFF = "outcry keys off";
const typing = (node) => node?.closest?.("input, textarea, select, [contenteditable]");

function step(by) {
  const items = all("[data-item]").length ? all("[data-item]") : all("[data-post]");
  if (!items.length) return;
  const at = items.findIndex((item) => item === document.activeElement);
  const next = items[at < 0 ? (by > 0 ? 0 : items.length - 1) : Math.min(Math.max(at + by, 0), items.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function press(key) {
  if (key === "j") return step(1);
  if (key === "k") return step(-1);
  if (key === "?") return one("#keys")?.showModal();
  if (key === "q") return one("a[href='/queue']")?.click();
  if (key === "c") {
    const item = document.activeElement?.closest?.("[data-ticket]");
    const button = item && one("[data-claim]", item);
    if (button) return button.click();
  }
  const wanted = one(`[data-key="${CSS.escape(key)}"]`);
  if (!wanted) return undefined;
  if (wanted.matches("textarea, input")) return wanted.focus();
  return wanted.click();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && !"jk".includes(event.key)) return;
  if (event.key === "Escape" && typing(event.target)) return event.target.blur();
  if (typing(event.target) || one("dialog[open]") || localStorage.getItem(OFF)) return;
  if (!/^[jkncrmq1-5?]$/.test(event.key)) return;
  event.preventDefault();
  press(event.key);
});

// What each fresh part of a page needs.

function prepare(root) {
  restoreDrafts(root);
  for (const button of all("[data-sends-by-itself]", root)) button.classList.add("unseen");
  for (const button of all("[data-copies]", root)) button.hidden = false;
  const keys = one("#keys-on");
  if (keys) keys.checked = !localStorage.getItem(OFF);
  setClock();
  countDown();
}

document.addEventListener("click", (event) => {
  const opens = event.target.closest("[data-opens]");
  if (opens) one(`#${opens.dataset.opens}`)?.showModal();
  const copies = event.target.closest("[data-copies]");
  if (copies) {
    const field = one(`#${copies.dataset.copies}`);
    const done = () => (copies.textContent = "Copied");
    if (navigator.clipboard) navigator.clipboard.writeText(field.value).then(done, () => field.select());
    else field.select();
  }
});

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.id === "keys-on") {
    if (field.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  }
  if (field.matches("[data-sends]")) field.form.requestSubmit();
  if (field.dataset.fills && field.value) {
    const target = one(`#${field.dataset.fills}`);
    target.value = target.value ? `${target.value}\n\n${field.value}` : field.value;
    field.value = "";
    keepDraft(target);
    target.focus();
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  // At once: whoever goes on by keys sends the next form before the page has settled.
  if (event.detail.target?.tagName === "BODY") settleSending();
  prepare(document);
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.tagName !== "BODY") return;
  // Whoever has gone on by keys already is not called back.
  if (document.activeElement === document.body) (one("[data-focus]") ?? one("#main"))?.focus();
});

settleSending();
prepare(document);
