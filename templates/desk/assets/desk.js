// What the pages gain with a script: words counted while typing, points added up, focus on what is to be mended,
// and a draft that saves itself. Nothing depends on it: without it, forms are sent by their buttons.
"use strict";
document.documentElement.classList.add("js");

// Words as labels/words/text.py counts them: an address is one, so are 3.5, l'école and peer-to-peer; marks, and joiners
// within a word, count for nothing.
const WORD = /(?:https?:\/\/|www\.)\S+|\p{Nd}+(?:[.,:]\p{Nd}+)+|[\p{L}\p{N}]+(?:['’ʼ‘`´\-‐‑·][\p{L}\p{N}]+)*/giu;
const NOTHING = /[\p{M}\u200c\u200d\u00ad]/gu;

function words(text) {
  return (text.normalize("NFC").replace(NOTHING, "").match(WORD) || []).length;
}

for (const area of document.querySelectorAll("textarea[data-most]")) {
  const output = document.querySelector(`output[data-words][for="${area.id}"]`);
  if (!output) continue;
  const place = output.querySelector("[data-count]") || output;
  const pattern = place.textContent, shown = (pattern.match(/\d+/) || ["0"])[0];
  const count = () => {
    const now = words(area.value);
    place.textContent = pattern.replace(shown, now);
    output.classList.toggle("over", now > Number(area.dataset.most));
  };
  area.addEventListener("input", count);
}

// A text without a limit: its words are counted all the same.
for (const area of document.querySelectorAll("textarea[data-counted]")) {
  const output = document.querySelector(`output[data-words][for="${area.id}"]`);
  const pattern = output.textContent, shown = (pattern.match(/\d+/) || ["0"])[0];
  area.addEventListener("input", () => { output.textContent = pattern.replace(shown, words(area.value)); });
}

// Points: the sum, what it is worth by the rules, and each minimum, as the server says them when it draws the page.
const sum = document.querySelector("#sum[data-pass]");
function addUp() {
  let total = 0, below = false;
  const missing = [...document.querySelectorAll("fieldset.points")].some((one) => !one.querySelector(":checked"));
  for (const one of document.querySelectorAll("[data-points]:checked")) {
    if (one.dataset.points === "total") total += Number(one.value);
    if (Number(one.value) < Number(one.dataset.minimum)) below = true;
  }
  sum.querySelector("[data-total]").textContent = total;
  const state = missing ? "missing" : below ? "below" : total < Number(sum.dataset.pass) ? "under" : "passes";
  for (const one of sum.querySelectorAll("[data-when]")) one.hidden = one.dataset.when !== state;
  for (const one of sum.querySelectorAll("[data-stop]")) {
    const given = document.querySelector(`[name="${CSS.escape(one.dataset.stop)}"]:checked`);
    one.className = !given ? "open" : Number(given.value) < Number(given.dataset.minimum) ? "bad" : "good";
  }
}
if (sum) {
  addUp();
  document.addEventListener("change", (event) => { if (event.target.matches("[data-points]")) addUp(); });
  // In a row of points, a digit chooses and goes on to the next row.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !event.target.matches("[data-points]")) return;
    const chosen = document.querySelector(`[name="${CSS.escape(event.target.name)}"][value="${CSS.escape(event.key)}"]`);
    if (!chosen) return;
    event.preventDefault();
    chosen.checked = true;
    chosen.dispatchEvent(new Event("input", { bubbles: true }));
    chosen.dispatchEvent(new Event("change", { bubbles: true }));
    const rows = [...document.querySelectorAll("fieldset.points")];
    const next = rows[rows.indexOf(chosen.closest("fieldset")) + 1];
    (next ? next.querySelector(":checked") || next.querySelector("input") : document.querySelector("#comment")).focus();
  });
}

document.querySelector("[data-focus]")?.focus();

const SIGNS = {
  saved: "M5 12.5l4.5 4.5L19 7.5",
  wait: "M12 7v5l3 2M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18",
  fail: "M12 8v5M12 16.5v.1M10.6 3.9L2.8 17.6a1.6 1.6 0 0 0 1.4 2.4h15.6a1.6 1.6 0 0 0 1.4-2.4L13.4 3.9a1.6 1.6 0 0 0-2.8 0",
};

// A form that several people write at once: each field carries the mark of what it was drawn with. What a colleague changed
// comes into fields in which nobody has typed since they were sent.
function together(form, told, sent) {
  for (const [name, mark] of Object.entries(told.was)) form.elements[`was.${name}`].value = mark;
  for (const [name, one] of Object.entries(told.theirs)) {
    const field = form.elements[name];
    const now = field.type === "checkbox" ? (field.checked ? "1" : "") : field.value;
    if (now !== (sent.get(name) || "")) continue;
    if (field.type === "checkbox") field.checked = one.value === "1";
    else if (field instanceof RadioNodeList) for (const choice of field) choice.checked = choice.value === one.value;
    else field.value = one.value;
    form.elements[`was.${name}`].value = one.was;
    const by = form.querySelector(`[data-by="${CSS.escape(name)}"]`);
    if (by) by.textContent = one.by;
  }
}

// A form with data-draft saves itself: two seconds after the last key, and again until it was taken. The answer is the
// page's line that says whether it is saved; where none comes, that line says so and nothing typed is lost.
for (const form of document.querySelectorAll("form[data-draft]")) {
  const line = document.querySelector(form.dataset.line);
  let timer = 0, changed = 0, saved = 0, running = false;
  const later = (wait) => { clearTimeout(timer); timer = setTimeout(save, wait); };
  const tell = (state, text) => {
    if (!line) return;
    line.className = `saved ${state}`;
    line.querySelector("path")?.setAttribute("d", SIGNS[state]);
    line.querySelector("span").textContent = text;
  };
  async function save() {
    if (running || saved === changed) return;
    running = true;
    const upTo = changed;
    tell("wait", form.dataset.saving);
    try {
      const fields = new FormData(form);
      for (const [name, value] of [...fields]) if (value instanceof File) fields.delete(name);
      fields.set("draft", "1");
      const answer = await fetch(form.dataset.draft, { method: "POST", body: new URLSearchParams(fields), headers: { "HX-Request": "true" }, redirect: "manual" });
      const told = answer.ok ? await answer.json() : null;
      if (!told) throw answer.status;
      saved = upTo;
      tell(told.state, told.text);
      if (told.was) together(form, told, fields);
      if (told.version) form.elements.version.value = told.version;
      // What stands beside the form, as it is after this save.
      const aside = document.querySelector("[data-aside]");
      if (aside && told.aside) aside.replaceChildren(...new DOMParser().parseFromString(told.aside, "text/html").body.childNodes);
    } catch {
      tell("fail", form.dataset.failed);
      later(10000);
    }
    running = false;
    if (saved !== changed && line?.classList.contains("saved") && !line.classList.contains("fail")) later(2000);
  }
  form.addEventListener("input", () => { changed += 1; later(2000); });
  form.addEventListener("submit", () => { clearTimeout(timer); saved = changed; });
  addEventListener("beforeunload", (event) => { if (saved !== changed && line?.classList.contains("fail")) event.preventDefault(); });
}

// Files are sent as soon as they are chosen, each with its progress; the answer is the list of files anew.
for (const chooser of document.querySelectorAll("input[data-upload]")) {
  const list = document.querySelector(chooser.dataset.list), bars = document.querySelector("#uploads");
  const send = (file) => new Promise((done) => {
    const line = document.createElement("div"), name = document.createElement("span"), told = document.createElement("span");
    line.className = "uploading";
    name.textContent = file.name;
    name.dir = "auto";
    line.append(name, told);
    bars.append(line);
    const fail = (text) => { line.className = "uploading bad"; told.textContent = text; line.querySelector("progress")?.remove(); done(); };
    if (file.size > Number(chooser.dataset.most) * 1048576) return fail(chooser.dataset.large);
    const bar = document.createElement("progress");
    bar.max = 100;
    bar.setAttribute("aria-label", file.name);
    line.append(bar);
    const fields = new FormData(chooser.form);
    for (const key of [...fields.keys()]) if (fields.get(key) instanceof File) fields.delete(key);
    fields.set("upload_only", "1");
    fields.append("upload", file);
    const request = new XMLHttpRequest(), began = performance.now();
    request.open("POST", chooser.dataset.upload);
    request.setRequestHeader("HX-Request", "true");
    request.upload.onprogress = (event) => {
      bar.value = 100 * event.loaded / event.total;
      const left = Math.round((performance.now() - began) / 1000 * (event.total / event.loaded - 1));
      told.textContent = `${(event.loaded / 1e6).toFixed(1)} / ${(event.total / 1e6).toFixed(1)} MB · ${left} s`;
    };
    request.onerror = () => fail(chooser.dataset.broken);
    request.onload = () => {
      if (request.status !== 200 && request.status !== 422) return fail(chooser.dataset.broken);
      const answer = new DOMParser().parseFromString(request.responseText, "text/html");
      list.replaceChildren(...answer.body.childNodes);
      const version = list.querySelector("[data-version]");
      if (version) chooser.form.elements.version.value = version.dataset.version;
      line.remove();
      done();
    };
    request.send(fields);
  });
  chooser.addEventListener("change", async () => {
    const files = [...chooser.files];
    chooser.value = "";
    for (const file of files) await send(file);
    chooser.form.dispatchEvent(new Event("input"));
  });
}

// Every moment is told in Brussels time; whose clock shows another one reads their own in brackets.
for (const moment of document.querySelectorAll("time[data-local]")) {
  const at = new Date(moment.dateTime), spoken = document.documentElement.lang;
  const locale = { en: "en-GB", ar: "ar-u-nu-latn" }[spoken] || spoken;
  const told = (timeZone, style) => new Intl.DateTimeFormat(locale, { ...style, timeZone, hourCycle: "h23" }).format(at);
  const day = { dateStyle: "long" }, hour = { timeStyle: "short" };
  const sameDay = told("Europe/Brussels", day) === told(undefined, day);
  if (sameDay && told("Europe/Brussels", hour) === told(undefined, hour)) continue;
  const own = document.createElement("span");
  own.className = "local";
  own.textContent = ` [${document.documentElement.dataset.own} ${sameDay ? told(undefined, hour) : told(undefined, { ...day, ...hour })}]`;
  moment.append(own);
}

// Where the picture of a process is wider than the screen, it begins where the case stands.
for (const figure of document.querySelectorAll(".process")) {
  const here = figure.querySelector(".here")?.getBoundingClientRect(), all = figure.getBoundingClientRect();
  if (here) figure.scrollLeft += here.left + here.width / 2 - all.left - all.width / 2;
}
