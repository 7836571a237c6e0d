// SPDX-License-Identifier: ISC
// The page asks for status.json every two seconds and shows it. All it shows goes through
// textContent: what peers wrote stays text.
"use strict";

const EVERY_MS = 2000;
const KEPT = 90; // samples of a plot: three minutes

const history = new Map(); // service -> [{up, down}], octets a second
let before = null; // the last answer
let answered = 0;

// -- text ------------------------------------------------------------------

function amount(n, unit) {
  const units = ["", "k", "M", "G", "T", "P"];
  let i = 0;
  while (n >= 999.5 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  const digits = i === 0 || n >= 99.5 ? 0 : n >= 9.95 ? 1 : 2;
  return `${n.toFixed(digits)}${i || unit ? "\u00a0" : ""}${units[i]}${unit}`;
}

function octets(n) {
  return amount(n, "B");
}

function span(ms) {
  const s = ms / 1000;
  if (s < 1) return `${Math.round(ms)}\u00a0ms`;
  if (s < 60) return `${s.toFixed(s < 10 ? 1 : 0)}\u00a0s`;
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => s >= size);
  const [a, b] = [parts[first], parts[first + 1]];
  const rest = b ? Math.floor((s % a[0]) / b[0]) : 0;
  return `${Math.floor(s / a[0])}\u00a0${a[1]}` + (rest ? `\u00a0${rest}\u00a0${b[1]}` : "");
}

// -- elements --------------------------------------------------------------

function element(name, className, ...children) {
  const e = document.createElement(name);
  if (className) e.className = className;
  e.append(...children.filter((c) => c !== null && c !== undefined && c !== ""));
  return e;
}

// A cell: text or an element; class names; one that is empty is left out on small screens.
function cell(content, className) {
  const e = element("td", className, content);
  if (!e.hasChildNodes()) e.classList.add("empty");
  return e;
}

function fill(id, rows, nothing) {
  const table = document.getElementById(id);
  const heads = Array.from(table.querySelectorAll("th"), (th) => th.textContent);
  const body = table.tBodies[0];
  const lines = rows.map((cells) => {
    cells.forEach((td, i) => { td.dataset.label = heads[i]; });
    return element("tr", "", ...cells);
  });
  if (lines.length === 0) {
    const td = element("td", "nothing", nothing);
    td.colSpan = heads.length;
    lines.push(element("tr", "", td));
  }
  body.replaceChildren(...lines);
}

function badge(text, className) {
  return element("span", `badge ${className}`, text);
}

function svg(name, attributes) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  return e;
}

function plot(samples) {
  const [width, height] = [160, 34];
  const most = Math.max(1, ...samples.map((s) => Math.max(s.up, s.down)));
  const picture = svg("svg", {
    class: "plot", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img",
    "aria-label": `octets a second, at most ${octets(most)}`,
  });
  picture.append(svg("path", { class: "floor", d: `M0 ${height - 1}H${width}` }));
  for (const which of ["down", "up"]) {
    const points = samples.map((s, i) => {
      const x = width - (samples.length - 1 - i) * (width / (KEPT - 1));
      const y = height - 1.5 - (s[which] / most) * (height - 4);
      return `${x.toFixed(1)} ${y.toFixed(1)}`;
    });
    if (points.length > 1) picture.append(svg("path", { class: which, d: `M${points.join("L")}` }));
  }
  const title = svg("title", {});
  title.textContent = `up and down, at most ${octets(most)}/s`;
  picture.prepend(title);
  return picture;
}

// -- rates -----------------------------------------------------------------

// Octets a second between two answers; null where there is nothing to compare with.
function rates(now, then, seconds) {
  const result = new Map();
  if (then === null || seconds <= 0) return result;
  const old = new Map(then.services.map((s) => [s.name, s]));
  for (const s of now.services) {
    const o = old.get(s.name);
    if (o === undefined || s.bytes_up < o.bytes_up || s.bytes_down < o.bytes_down) continue;
    result.set(s.name, { up: (s.bytes_up - o.bytes_up) / seconds, down: (s.bytes_down - o.bytes_down) / seconds });
  }
  return result;
}

function remember(current, services) {
  for (const s of services) {
    const samples = history.get(s.name) ?? [];
    const rate = current.get(s.name);
    if (rate !== undefined) samples.push(rate);
    history.set(s.name, samples.slice(-KEPT));
  }
  const names = new Set(services.map((s) => s.name));
  for (const name of history.keys()) if (!names.has(name)) history.delete(name);
}

// -- the parts -------------------------------------------------------------

function reasonClass(reason) {
  if (reason === "end") return "good";
  return /resource|internal/.test(reason) ? "bad" : /failed|refused|timeout|truncated|limit/.test(reason) ? "bad" : "warn";
}

function ended(counts) {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}

function showTiles(now, current, cpu) {
  let up = 0, down = 0;
  for (const rate of current.values()) {
    up += rate.up;
    down += rate.down;
  }
  const half = now.services.reduce((n, s) => n + s.half_closed, 0);
  const total = now.services.reduce((n, s) => n + ended(s.ended), 0);
  const limit = now.max_connections > 0 ? `of ${amount(now.max_connections, "")} at most` : "";
  const tiles = [
    ["Connections", amount(now.connections, ""), [limit, half > 0 ? `${half} half-closed` : ""].filter(Boolean).join(", ")],
    ["Up", `${octets(up)}/s`, "to upstreams"],
    ["Down", `${octets(down)}/s`, "to clients"],
    ["Ended", amount(total, ""), "since the start"],
    ["Buffered", octets(now.buffered_bytes), `of ${octets(now.buffered_limit_bytes)}`],
    ["CPU", cpu === null ? "\u2013" : `${cpu.toFixed(1)}\u00a0%`, `${now.workers} worker${now.workers === 1 ? "" : "s"}`],
    ["Memory", octets(now.process.resident_bytes), "resident"],
    ["Descriptors", amount(now.process.open_fds, ""), `of ${amount(now.process.max_fds, "")}`],
  ];
  document.getElementById("tiles").replaceChildren(...tiles.map(([name, value, note]) =>
    element("div", "", element("dt", "", name), element("dd", "", value, note ? element("small", "", note) : null))));
}

function others(counts) {
  const e = element("span", "");
  for (const [reason, n] of Object.entries(counts).sort((a, b) => b[1] - a[1])) {
    if (reason !== "end") e.append(badge(`${reason} ${amount(n, "")}`, reasonClass(reason)), " ");
  }
  return e.hasChildNodes() ? e : null;
}

function showServices(now, current) {
  fill("services", now.services.map((s) => {
    const rate = current.get(s.name);
    const open = s.max_connections > 0 ? `${s.connections} / ${s.max_connections}` : `${s.connections}`;
    const half = s.half_closed > 0 ? element("div", "detail", `${s.half_closed} half-closed`) : null;
    return [
      cell(element("span", "", s.name, s.state === "open" ? null : " ",
        s.state === "open" ? null : badge(s.state, "warn")), "main"),
      cell(s.listen.join(", ") + (s.listen_tls ? " (TLS)" : ""), "address"),
      cell(s.connect.join(", ") + (s.connect_tls ? " (TLS)" : ""), "address"),
      cell(element("span", "", open, half), "n"),
      cell(rate ? element("span", "swatch-up", `${octets(rate.up)}/s`) : "\u2013", "n"),
      cell(rate ? element("span", "swatch-down", `${octets(rate.down)}/s`) : "\u2013", "n"),
      cell(plot(history.get(s.name) ?? []), "wide"),
      cell(amount(ended(s.ended), ""), "n"),
      cell(others(s.ended), "rest"),
    ];
  }), "There are no services.");
}

function showEnds(now) {
  const at = Date.parse(now.now);
  fill("ends", now.ends.map((e) => {
    const when = element("time", "", `${span(Math.max(0, at - Date.parse(e.ended)))} ago`);
    when.dateTime = when.title = e.ended;
    return [
      cell(when, "when"), cell(e.service, "main"), cell(e.client, "address"), cell(e.upstream, "address"),
      cell(element("span", "", badge(e.reason, reasonClass(e.reason)), ` by ${e.ended_by}`,
        e.detail ? element("div", "detail", e.detail) : null), "why"),
      cell(octets(e.bytes_up), "n"), cell(octets(e.bytes_down), "n"), cell(span(e.duration_ms), "n"),
    ];
  }), "Nothing has ended yet.");
}

function tlsOf(s) {
  return [s.tls, s.connect_tls].filter(Boolean)
    .map((t) => [t.version, t.sni, t.alpn].filter(Boolean).join(" ")).filter(Boolean).join(" / ");
}

function stateOf(s) {
  if (s.phase !== "relay") return badge(s.phase, "warn");
  return s.half_closed_ms > 0 ? badge(`half-closed ${span(s.half_closed_ms)}`, "warn") : badge("open", "good");
}

function showSessions(now) {
  const shown = now.sessions.length;
  document.getElementById("sessions-shown").textContent =
    shown < now.sessions_total ? `(${shown} of ${now.sessions_total})` : "";
  fill("sessions", now.sessions.sort((a, b) => a.id - b.id).map((s) => [
    cell(String(s.id), "id"), cell(s.service, "main"), cell(s.client, "address"), cell(s.upstream, "address"),
    cell(stateOf(s)), cell(tlsOf(s)), cell(octets(s.bytes_up), "n"), cell(octets(s.bytes_down), "n"),
    cell(span(s.duration_ms), "n"),
  ]), "Nobody is connected.");
}

function showCertificates(now) {
  const classes = { valid: "good", "expires-soon": "warn", expired: "bad", "not-yet-valid": "bad" };
  fill("certificates", now.certificates.map((c) => [
    cell(c.names.length > 0 ? c.names.join(", ") : c.subject, "main"),
    cell(element("span", "", badge(c.state.replaceAll("-", " "), classes[c.state] ?? "warn"), " ",
      c.not_after === null ? "" : c.not_after.slice(0, 10)), "when"),
    cell(String(c.days_left), "n days"), cell(c.key, "key"), cell(c.file, "address wide"),
    cell(c.used_by.map((u) => `${u.service} (${u.as})`).join(", "), "wide"),
  ]), "No service presents one.");
}

function show(now) {
  // By the daemon's clock: what the answers took to come is of no account.
  const seconds = before === null ? 0 : (Date.parse(now.now) - Date.parse(before.now)) / 1000;
  const current = rates(now, before, seconds);
  const cpu = seconds > 0 ? (now.process.cpu_seconds - before.process.cpu_seconds) * 100 / seconds : null;
  remember(current, now.services);
  const state = document.getElementById("state");
  state.textContent = now.state;
  state.className = `badge ${now.state === "running" ? "good" : "warn"}`;
  const failed = now.reloads.last_successful ? "" : ", the last reload failed";
  document.getElementById("about").textContent =
    `${now.version}, process ${now.pid}, up ${span(now.uptime_ms)}${failed}`;
  showTiles(now, current, cpu);
  showServices(now, current);
  showEnds(now);
  showSessions(now);
  showCertificates(now);
  before = now;
}

// -- asking ----------------------------------------------------------------

function showAge(failed) {
  const age = Date.now() - answered;
  document.body.classList.toggle("stale", failed);
  document.getElementById("age").textContent =
    !failed ? "" : answered === 0 ? "no answer" : `no answer for ${span(age)}`;
}

async function ask() {
  try {
    const answer = await fetch("status.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const now = await answer.json();
    answered = Date.now();
    show(now);
    showAge(false);
  } catch {
    showAge(true);
  }
}

async function keepAsking() {
  for (;;) {
    if (!document.hidden) await ask();
    await new Promise((done) => setTimeout(done, EVERY_MS));
  }
}

keepAsking();
