// The page of the console. All its data comes from the control interface beside
// it (specs/console.yaml). Data of callers goes into the page as text, never as
// HTML.

const kept = 200; // rows on the page; the interface keeps more
// The address without a password: fetch refuses an address that has one.
const base = location.origin + location.pathname.replace(/[^/]*$/, "");
const $ = (id) => document.getElementById(id);

/** Makes an element. Children are elements or text. */
function el(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

/** Calls the control interface. The error of a refusal is the interface's sentence. */
async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(base + path, options);
  const text = await answer.text();
  if (!answer.ok) {
    let said = `the server answered ${answer.status}`;
    try { said = JSON.parse(text).error || said; } catch { /* not ours */ }
    throw new Error(said);
  }
  return text === "" ? null : JSON.parse(text);
}

// Words and numbers

const plural = (n, one, many = one + "s") => `${n} ${n === 1 ? one : many}`;

function bytes(n) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
  return i === 0 ? (n === 1 ? "1 byte" : `${n} bytes`) : `${n.toFixed(n < 10 ? 1 : 0)} ${units[i]}`;
}

const took = (ms) => (ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

function clock(time) {
  const t = new Date(time), two = (n) => String(n).padStart(2, "0");
  return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}.${String(t.getMilliseconds()).padStart(3, "0")}`;
}

function verdict(x) {
  if (x.violations.length > 0) return ["bad", `✗ ${plural(x.violations.length, "rule")} broken`];
  if (x.operation === "") return ["", "– no contract"];
  return ["good", "✓ contract kept"];
}

const statusClass = (status) => (status === 0 || status >= 500 ? "bad" : status >= 400 ? "warn" : "good");
const statusText = (status) => (status === 0 ? "cut" : String(status));

// Exchanges

let exchanges = []; // newest first
let waiting = false; // a redraw is due

const filters = $("filters").elements;
const filtered = () => filters.provider.value !== "" || filters.operation.value !== "" || filters.broken.checked;

function query() {
  const q = new URLSearchParams();
  for (const name of ["provider", "operation"]) if (filters[name].value) q.set(name, filters[name].value);
  if (filters.broken.checked) q.set("broken", "true");
  return q;
}

function matches(x) {
  return (!filters.provider.value || x.provider === filters.provider.value) &&
    (!filters.operation.value || x.operation === filters.operation.value) &&
    (!filters.broken.checked || x.violations.length > 0);
}

function row(x, fresh) {
  const [kind, words] = verdict(x);
  const notes = [
    ...x.violations.map((v) => el("span", { class: "bad-text" }, `${v.rule}: ${v.detail}`)),
    x.refusal && el("span", { class: "warn-text" }, `refused: ${x.refusal}`),
    x.fault && el("span", { class: "chip warn" }, `fault: ${x.fault.kind}`),
  ].filter(Boolean);
  return el("li", { class: fresh ? "fresh" : null },
    el("button", { type: "button", class: "row", "data-id": x.id, onclick: () => show(x) },
      el("span", { class: "time" }, clock(x.time)), " ",
      el("span", { class: `chip ${kind}` }, words), " ",
      el("span", { class: "what" }, el("strong", {}, x.operation || "unknown"), " ", el("span", { class: "path" }, `${x.method} ${x.path}`)), " ",
      el("span", { class: `status ${statusClass(x.status)}` }, statusText(x.status)), " ",
      el("span", { class: "size" }, bytes(x.requestBytes)), " ",
      el("span", { class: "took" }, took(x.durationMs)),
      notes.length > 0 && " ",
      notes.length > 0 && el("span", { class: "note" }, ...notes)));
}

const drawn = new Set(); // ids that were on the page before

function draw() {
  waiting = false;
  const list = $("exchange-list");
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.id : null;
  const first = drawn.size === 0;
  const shown = exchanges.filter(matches);
  list.replaceChildren(...shown.map((x) => row(x, !first && !drawn.has(x.id))));
  drawn.clear();
  for (const x of exchanges) drawn.add(x.id);
  if (focused) list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  $("exchange-count").textContent = exchanges.length === 0 ? "" : exchanges.length === kept ? `last ${kept}` : String(exchanges.length);
  $("empty").hidden = exchanges.length > 0 || filtered();
  $("no-match").hidden = shown.length > 0 || !filtered();
}

/** Redraws once a frame, however many exchanges arrive. */
function redraw() {
  if (!waiting) {
    waiting = true;
    requestAnimationFrame(draw);
  }
}

async function loadExchanges() {
  const q = query();
  q.set("limit", kept);
  exchanges = (await call("GET", `exchanges?${q}`)).exchanges;
  redraw();
}

let announced = 0;
function arrived(x) {
  if (exchanges.some((other) => other.id === x.id)) return;
  exchanges = [x, ...exchanges].slice(0, kept);
  redraw();
  if (x.fault) soon(loadFaults);
  if (x.fileIds.length > 0 && x.method !== "GET") soon(loadFiles);
  if (Date.now() - announced > 2000) { // a screen reader hears the newest, not all
    announced = Date.now();
    $("announce").textContent = `${x.operation || "unknown request"}, ${statusText(x.status)}, ${verdict(x)[1].slice(2)}`;
  }
}

// Up and down go from row to row.
$("exchange-list").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const rows = [...$("exchange-list").querySelectorAll(".row")];
  const next = rows[rows.indexOf(document.activeElement) + step];
  if (next) {
    event.preventDefault();
    next.focus();
  }
});

$("filters").addEventListener("change", (event) => {
  if (event.target.name === "provider") offerOperations(filters.operation, filters.provider.value, true);
  loadExchanges().catch(failed);
});
$("filters").addEventListener("submit", (event) => event.preventDefault());

// One exchange

function code(title, text) {
  const copy = el("button", {
    type: "button", class: "quiet small",
    onclick: async () => {
      try {
        await navigator.clipboard.writeText(text);
        copy.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(pre);
        copy.textContent = "Selected";
      }
      setTimeout(() => { copy.textContent = "Copy"; }, 1500);
    },
  }, "Copy");
  const pre = el("pre", { tabindex: "0", "aria-label": title }, text);
  return el("div", { class: "code" }, el("div", { class: "bar" }, el("strong", {}, title), copy), pre);
}

function show(x) {
  const [kind, words] = verdict(x);
  const facts = [
    ["Verdict", el("span", { class: `chip ${kind}` }, words)],
    ["Answer", el("span", { class: `status ${statusClass(x.status)}` }, x.status === 0 ? "none: the connection was cut" : String(x.status))],
    x.refusal && ["Refused", x.refusal],
    x.fault && ["Fault", `${x.fault.kind} (fault ${x.fault.id})`],
    ["Request", el("code", {}, `${x.method} ${x.path}`)],
    ["Provider", x.provider || "none"],
    ["Operation", x.operation || "not in the contract"],
    ["Time", `${clock(x.time)}, took ${took(x.durationMs)}`],
    ["Sizes", `${bytes(x.requestBytes)} sent, ${bytes(x.responseBytes)} answered`],
    x.traceId && ["Trace id", el("code", {}, x.traceId)],
    x.fileIds.length > 0 && ["Files", el("span", {}, ...x.fileIds.flatMap((id) => [el("a", { href: fileURL(x.provider, id) + "/content", download: true }, id), " "]))],
  ].filter(Boolean);
  $("detail-title").textContent = x.operation || "Unknown request";
  $("detail-body").replaceChildren(
    ...x.violations.map((v) => el("div", { class: "violation" },
      el("p", {}, el("strong", {}, v.rule), ": ", v.meaning),
      el("p", {}, "Found: ", el("code", {}, v.detail)))),
    el("dl", {}, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    ...(x.curl ? [code("Repeat it", x.curl)] : []));
  if (!$("detail").open) $("detail").showModal();
}

// A click beside a dialog closes it.
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close("cancel"); });
}

// Files

const fileURL = (provider, id) => `files/${encodeURIComponent(provider)}/${encodeURIComponent(id)}`;

async function loadFiles() {
  let files = [];
  $("file-error").textContent = "";
  try {
    ({ files } = await call("GET", `files?limit=${kept}`));
  } catch (err) { $("file-error").textContent = err.message; } // a bucket is not listed
  $("file-count").textContent = files.length === 0 ? "" : files.length === kept ? `last ${kept}` : String(files.length);
  $("no-files").hidden = files.length > 0;
  const open = new Set([...$("file-list").querySelectorAll("li:has(details[open])")].map((li) => li.dataset.id));
  $("file-list").replaceChildren(...files.map((f) => {
    const li = file(f);
    li.dataset.id = f.fileId;
    li.querySelector("details").open = open.has(f.fileId);
    return li;
  }));
}

function file(f) {
  const name = f.name || f.fileId;
  const sum = el("p", { class: "mono facts" }, f.sha256 ? `SHA-256 ${f.sha256}` : "");
  const more = el("details", { class: "more wide" },
    el("summary", { "aria-label": `More about ${name}` }, "More"),
    el("p", { class: "mono facts" }, `fileId ${f.fileId}`),
    sum,
    hasStatus(f.provider) && statusForm(f));
  more.addEventListener("toggle", async () => {
    if (!more.open || f.sha256) return;
    sum.textContent = "working out the SHA-256";
    try {
      f.sha256 = (await call("GET", fileURL(f.provider, f.fileId))).sha256;
      sum.textContent = `SHA-256 ${f.sha256}`;
    } catch (err) { sum.textContent = err.message; }
  });
  return el("li", {},
    el("strong", { class: f.name ? null : "mono" }, name),
    el("a", { href: fileURL(f.provider, f.fileId) + "/content", download: name, "aria-label": `Download ${name}` }, "Download"),
    el("span", { class: "facts wide" }, `${f.contentType}, ${bytes(f.size)}, ${clock(f.time)}, ${f.provider}`),
    more);
}

function statusForm(f) {
  const said = el("span", { role: "status" });
  const input = el("input", { name: "status", list: "statuses", required: true, maxlength: "100", "aria-label": `Status of ${f.name || f.fileId}`, placeholder: "Completed" });
  return el("form", {
    class: "status-form wide",
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        await call("PUT", fileURL(f.provider, f.fileId) + "/status", { status: input.value });
        said.textContent = "set";
      } catch (err) { said.textContent = err.message; }
    },
  }, input, el("button", { class: "quiet small" }, "Set status"), said);
}

// Faults

const inject = $("inject").elements;

async function loadFaults() {
  const { faults } = await call("GET", "faults");
  $("fault-count").textContent = faults.length === 0 ? "" : String(faults.length);
  $("no-faults").hidden = faults.length > 0;
  $("fault-list").replaceChildren(...faults.slice(0, kept).map((f) => el("li", {},
    el("strong", {}, f.kind + (f.status ? ` ${f.status}` : "") + (f.delayMs ? ` ${f.delayMs} ms` : "")),
    el("button", {
      type: "button", class: "quiet small", "aria-label": `Remove the fault ${f.kind} of ${f.operation}`,
      onclick: () => call("DELETE", `faults/${encodeURIComponent(f.id)}`).then(loadFaults, faultFailed),
    }, "Remove"),
    el("span", { class: "facts wide" }, `${f.operation} of ${f.provider}, ${f.times ? `${f.times - f.met} of ${f.times} left` : `until removed, met ${f.met}`}`))));
}

function faultFailed(err) {
  $("fault-error").textContent = err.message;
  loadFaults().catch(() => {});
}

function fitForm() {
  for (const part of $("inject").querySelectorAll("[data-kind]")) part.hidden = part.dataset.kind !== inject.kind.value;
}

$("inject").addEventListener("change", (event) => {
  if (event.target.name === "provider") offerOperations(inject.operation, inject.provider.value, false);
  fitForm();
});

$("inject").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("fault-error").textContent = "";
  const kind = inject.kind.value;
  const fault = { provider: inject.provider.value, operation: inject.operation.value, kind, times: Number(inject.times.value) };
  if (kind === "delay") fault.delayMs = Number(inject.delayMs.value);
  if (kind === "answer") {
    fault.status = Number(inject.status.value);
    fault.body = inject.body.value;
    fault.headers = {};
    for (const line of inject.headers.value.split("\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) fault.headers[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
    }
  }
  try {
    await call("POST", "faults", fault);
    await loadFaults();
  } catch (err) { faultFailed(err); }
});

// Reset

$("reset").addEventListener("click", () => {
  $("confirm-text").textContent = "This forgets all exchanges and faults, and deletes the files that arrived. An upload that is under way goes on.";
  $("confirm").returnValue = "";
  $("confirm").showModal();
});
$("confirm").addEventListener("close", () => {
  if ($("confirm").returnValue === "reset") call("POST", "reset", {}).then(loadAll).catch(failed);
});

// Providers

let providers = [];
const hasStatus = (name) => providers.some((p) => p.name === name && p.setsStatus);

function offerOperations(select, provider, all) {
  const names = providers.filter((p) => provider === "" || p.name === provider).flatMap((p) => p.operations);
  select.replaceChildren(all && el("option", { value: "" }, "all"), ...[...new Set(names)].map((name) => el("option", {}, name)));
}

async function loadProviders() {
  const health = await call("GET", "health");
  $("server").textContent = `${health.version}, files in ${health.store}`;
  providers = (await call("GET", "providers")).providers;
  filters.provider.append(...providers.map((p) => el("option", {}, p.name)));
  inject.provider.append(...providers.map((p) => el("option", {}, p.name)));
  offerOperations(filters.operation, "", true);
  offerOperations(inject.operation, inject.provider.value, false);
  fitForm();
  $("first-uploads").replaceChildren(...providers.map((p) => code(`To ${p.name}`, p.firstUpload)));
}

// All of it, and what changes

function failed(err) {
  const live = $("live");
  live.className = "live off";
  live.textContent = err.message;
}

const soonTimers = new Map();
/** Calls load soon, and only once for several requests. */
function soon(load) {
  if (soonTimers.has(load)) return;
  soonTimers.set(load, setTimeout(() => {
    soonTimers.delete(load);
    load().catch(failed);
  }, 250));
}

const loadAll = () => Promise.all([loadExchanges(), loadFaults(), loadFiles()]);

function listen() {
  const events = new EventSource(base + "events");
  events.onopen = () => {
    $("live").className = "live on";
    $("live").textContent = "live";
    loadAll().catch(failed); // in case some were missed
  };
  events.onerror = () => failed(new Error("not connected"));
  events.onmessage = (event) => arrived(JSON.parse(event.data));
  events.addEventListener("lost", () => soon(loadExchanges));
  events.addEventListener("reset", () => { loadAll().catch(failed); });
  events.addEventListener("faults", () => soon(loadFaults));
}

loadProviders().then(listen).catch(failed);
