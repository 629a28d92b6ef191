/* Keys, the palette, undo, drafts that survive a killed tab, and a Today that stays fresh.
   Every page works without it; nothing here knows a rule of the product. */
(() => {
  "use strict";
  const GO = { t: "/", a: "/assets/", j: "/journeys/", c: "/calendar/", s: "/suppliers/", d: "/door/" };
  const TOAST_MS = 8000, POLL_MS = 15000, DRAFT_MS = 300, YEAR_S = 31536000;
  const KEYS = "steward-keys", DRAFT = "steward-draft:", REFUSED = "steward-here-refused";
  const root = document.documentElement;
  const all = (css, within = document) => [...within.querySelectorAll(css)];
  const byId = (id) => document.getElementById(id);
  root.classList.add("scripted");

  const say = (words) => { const place = byId("said"); if (place && words) place.textContent = words; };

  /* ---- dialogs, sheets, menus ---- */
  function open(dialog, event) {
    if (!dialog || dialog.open) return;
    event?.preventDefault();
    dialog.showModal();
  }

  function openPalette(event) {
    const palette = byId("palette");
    if (!palette) return;
    open(palette, event);
    const words = byId("palette-words");
    words.select();
    if (!byId("palette-found").childElementCount) window.htmx?.trigger(words, "palette-open");
  }

  /* The focus itself moves over what was found: what is announced is what Enter opens. */
  function onPaletteKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const words = byId("palette-words");
    if (step) {
      const stops = [words, ...all("a[href], button", byId("palette-found"))];
      const at = stops.indexOf(document.activeElement);
      event.preventDefault();
      stops[(at + step + stops.length) % stops.length].focus();
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && document.activeElement !== words) {
      words.focus();
    } else if (event.key === "Enter" && document.activeElement === words) {
      const first = byId("palette-found").querySelector("a[href], button");
      if (first) { event.preventDefault(); first.click(); }
    }
  }

  /* ---- single keys ---- */
  const keysAreOn = () => localStorage.getItem(KEYS) !== "off";
  const isTyping = (target) => target.closest("input, textarea, select, [contenteditable], dialog[open]") !== null;
  const present = () => document.activeElement.closest("[data-card]");
  let waitsForG = false;

  function move(step) {
    const cards = all("[data-card]").filter((card) => card.checkVisibility());
    if (!cards.length) return;
    const at = cards.indexOf(present());
    cards[Math.min(cards.length - 1, Math.max(0, at < 0 ? 0 : at + step))].focus();
  }

  const follow = (path) => { if (document.querySelector(`.side a[href="${path}"], .sheet a[href="${path}"]`)) location.assign(path); };
  const SINGLE = {
    g: () => { waitsForG = true; setTimeout(() => { waitsForG = false; }, 1500); },
    j: () => move(1),
    k: () => move(-1),
    e: () => present()?.querySelector(".actions > form button")?.click(),
    h: () => { const later = present()?.querySelector("[data-later]"); if (later) { later.closest("details").open = true; later.focus(); } },
    x: () => present()?.querySelector("[data-bulk]")?.click(),
    z: () => document.querySelector("[data-undo]")?.requestSubmit(),
    m: () => follow("/log/"),
    n: () => follow("/assets/add/"),
    p: () => document.querySelector("a[data-give-pass]")?.click(),
    "/": (event) => openPalette(event),
    "?": () => open(byId("keys")),
  };

  function onKey(event) {
    const key = event.key;
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "k" && byId("palette")) { openPalette(event); return; }
    // Chromium's Escape would only empty the field first.
    if (key === "Escape" && byId("palette")?.open) { event.preventDefault(); byId("palette").close(); return; }
    if (byId("palette")?.open) { onPaletteKey(event); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || !keysAreOn()) return;
    if (waitsForG) { waitsForG = false; if (GO[key]) { event.preventDefault(); follow(GO[key]); } return; }
    if (key === "Enter" && event.target.matches("[data-card]")) { event.target.querySelector("h2 a, h3 a, h4 a")?.click(); return; }
    const act = Object.hasOwn(SINGLE, key) ? SINGLE[key] : null;
    if (act) { event.preventDefault(); act(event); }
  }

  /* ---- toasts: they leave after eight seconds, never while the pointer or the focus is in them ---- */
  function watchToasts() {
    for (const toast of all("[data-toast]:not([data-seen])")) {
      toast.dataset.seen = "";
      const leave = () => {
        if (toast.matches(":hover, :focus-within")) { setTimeout(leave, 1000); return; }
        toast.remove();
      };
      setTimeout(leave, TOAST_MS);
    }
  }

  /* ---- drafts: each member's own; kept until the server took the form ---- */
  const draftKey = (form) => `${DRAFT}${document.body.dataset.owner ?? ""}:${form.dataset.autosave}`;
  const isKept = (field) => field.name && !["password", "file", "hidden", "submit"].includes(field.type) && !field.closest("[data-no-draft]");
  const valuesOf = (form) => [...form.elements].filter(isKept).map((field) => [field.name, field.value, field.checked === true]);

  function keep(form) {
    try { localStorage.setItem(draftKey(form), JSON.stringify({ at: Date.now(), values: valuesOf(form) })); }
    catch { say(form.dataset.full); }  // a full store must not stop the typing
  }

  function fill(form, values) {
    const fields = [...form.elements].filter(isKept);
    values.forEach(([name, value, checked], at) => {
      const field = fields[at]?.name === name ? fields[at] : fields.find((one) => one.name === name);
      if (!field) return;
      if (field.type === "checkbox" || field.type === "radio") field.checked = checked; else field.value = value;
    });
  }

  function watchDrafts() {
    for (const form of all("form[data-autosave]:not([data-watched])")) {
      form.dataset.watched = "";
      let timer = 0;
      let isDirty = false;
      const now = () => { clearTimeout(timer); if (isDirty) { isDirty = false; keep(form); } };
      const later = () => { isDirty = true; clearTimeout(timer); timer = setTimeout(now, DRAFT_MS); };
      form.addEventListener("input", later);
      form.addEventListener("change", later);
      document.addEventListener("visibilitychange", now);
      window.addEventListener("pagehide", now);
      form.addEventListener("submit", () => { now(); sessionStorage.setItem("steward-sent", draftKey(form)); });
      const kept = localStorage.getItem(draftKey(form));
      const hasErrors = form.querySelector(".errorlist, [aria-invalid='true']");
      if (!kept || hasErrors) continue;
      const before = JSON.stringify(valuesOf(form));
      fill(form, JSON.parse(kept).values);
      if (JSON.stringify(valuesOf(form)) === before) continue;
      const fold = form.closest("details");
      if (fold) fold.open = true;
      say(form.dataset.restored);
      const note = form.querySelector("[data-draft-note]");
      if (note) {
        note.hidden = false;
        note.querySelector("button")?.addEventListener("click", () => { isDirty = false; localStorage.removeItem(draftKey(form)); location.reload(); });
      }
    }
  }

  /* A sent draft goes once the server answered with something else than the form's own errors. */
  function dropSent() {
    const sent = sessionStorage.getItem("steward-sent");
    if (!sent || document.body.dataset.offline !== undefined) return;
    sessionStorage.removeItem("steward-sent");
    const again = all("form[data-autosave]").find((form) => draftKey(form) === sent);
    if (!again?.querySelector(".errorlist, [aria-invalid='true']")) localStorage.removeItem(sent);
  }

  function forgetDrafts() {
    for (const key of Object.keys(localStorage)) if (key.startsWith(DRAFT)) localStorage.removeItem(key);
  }

  /* ---- Today stays fresh: hints come by stream, else by asking; the page decides when to show ---- */
  let isStreaming = false;
  let isAsking = false;
  const feed = () => byId("feed");
  const isInUse = (place) =>
    place.matches(":focus-within") || (matchMedia("(hover: hover)").matches && place.matches(":hover")) ||
    place.querySelector("details[open]:not([data-fold])") !== null;
  const cardsOf = (place) => new Map(all("[data-card][data-version]", place).map((card) => [card.id, card]));
  const words = (place, count) => (count === 1 ? place.dataset.one : place.dataset.many)?.replace("{n}", String(count)) ?? "";

  function ask() {
    const place = feed();
    if (!place?.dataset.fresh || document.hidden || isAsking || !window.htmx) return;
    isAsking = true;
    const address = new URL(place.dataset.fresh, location.href);
    address.searchParams.set("shown", String(cardsOf(place).size));
    window.htmx.ajax("GET", address.pathname + address.search, {
      source: place, target: "#feed", swap: "innerHTML", headers: { "X-Feed-Version": place.firstElementChild?.dataset.feedVersion ?? "" },
    }).catch(() => {}).finally(() => { isAsking = false; });
  }

  /* In use, cards are renewed where they stand; anything that would move them waits behind a pill. */
  function renew(place, text) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const [shown, news] = [cardsOf(place), cardsOf(fresh)];
    const changed = [...news.values()].filter((card) => shown.get(card.id)?.dataset.version !== card.dataset.version);
    if (!isInUse(place)) { if (changed.length) say(words(place, changed.length)); return true; }
    const isSameOrder = [...shown.keys()].join() === [...news.keys()].join();
    const isTouched = (card) => card.matches(":focus-within, :hover") || card.querySelector("details[open]");
    if (isSameOrder && !changed.some((card) => isTouched(shown.get(card.id)))) {
      for (const card of changed) { shown.get(card.id).replaceWith(card); window.htmx.process(card); }
      if (changed.length) say(words(place, changed.length));
      return false;
    }
    const pill = byId("fresh");
    if (pill) { pill.hidden = false; pill.querySelector("span").textContent = words(place, Math.max(1, changed.length)); }
    say(words(place, Math.max(1, changed.length)));
    return false;
  }

  function onBeforeSwap(event) {
    const { target, requestConfig, xhr } = event.detail;
    if (target.id === "palette-found") return;
    if (target.id === "feed" && requestConfig.headers["X-Feed-Version"] !== undefined && xhr.status === 200) {
      event.detail.shouldSwap = renew(target, xhr.responseText);
    } else if (target.id === "feed" && requestConfig.elt.matches("[data-looked]") && isInUse(target)) {
      event.detail.shouldSwap = false;
    }
  }

  function onAfterSwap(event) {
    if (event.detail.target.id !== "feed") return;
    const pill = byId("fresh");
    if (pill) pill.hidden = true;
    // The pressed button is gone with its card: the focus goes to the sentence, not to nowhere.
    if (event.detail.requestConfig?.elt.matches("form") && document.activeElement === document.body) {
      event.detail.target.querySelector("h1")?.focus({ preventScroll: true });
    }
  }

  function watchFeed() {
    const place = feed();
    if (!place?.dataset.fresh) return;
    setInterval(() => { if (!isStreaming) ask(); }, POLL_MS);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
    byId("fresh")?.addEventListener("click", () => {
      window.htmx.ajax("GET", place.dataset.fresh, { target: "#feed", swap: "innerHTML" });
      place.scrollIntoView({ block: "start" });
    });
    if (!place.dataset.stream || !window.EventSource) return;
    const source = new EventSource(place.dataset.stream);
    let timer = 0;
    const hint = () => { clearTimeout(timer); timer = setTimeout(ask, 250); };
    source.addEventListener("open", () => { isStreaming = true; });
    source.addEventListener("error", () => { isStreaming = false; });
    source.addEventListener("cards", hint);
    window.addEventListener("pagehide", () => source.close());
  }

  /* ---- bulk, files, copying, the theme ---- */
  let lastBox = null;
  function onBulk(event) {
    const box = event.target.closest("[data-bulk]");
    if (!box) return;
    const boxes = all("[data-bulk]", box.form ?? document);
    if (event.shiftKey && lastBox) {
      const [from, to] = [boxes.indexOf(lastBox), boxes.indexOf(box)].sort((a, b) => a - b);
      if (from >= 0) for (const other of boxes.slice(from, to + 1)) other.checked = box.checked;
    }
    lastBox = box;
    countBulk();
  }

  function countBulk() {
    for (const place of all("[data-bulk-count]")) {
      const boxes = all("[data-bulk]", place.closest("form") ?? document);
      place.textContent = `${boxes.filter((box) => box.checked).length} / ${boxes.length}`;
    }
  }

  function onDrag(event) {
    for (const zone of all("[data-drop]")) zone.classList.toggle("is-over", event.type === "dragover" && zone.contains(event.target));
  }

  function onChange(event) {
    const zone = event.target.closest("[data-drop]");
    if (zone) zone.querySelector("[data-drop-names]").textContent = [...event.target.files].map((file) => file.name).join(", ");
    if (event.target.id === "keys-on") localStorage.setItem(KEYS, event.target.checked ? "on" : "off");
    if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
  }

  function onProgress({ target, detail }) {
    const bar = target.closest("[data-progress]")?.querySelector("progress");
    if (!bar || !detail.lengthComputable) return;
    bar.closest("[hidden]")?.removeAttribute("hidden");
    bar.value = 100 * detail.loaded / detail.total;
  }

  async function copy(button) {
    const source = byId(button.dataset.copy);
    await navigator.clipboard.writeText((source.value ?? source.textContent).trim());
    const place = button.querySelector("span") ?? button;
    const before = place.textContent;
    place.textContent = button.dataset.copied;
    button.classList.add("is-copied");
    say(button.dataset.copied);
    setTimeout(() => { place.textContent = before; button.classList.remove("is-copied"); }, 2000);
  }

  function onClick(event) {
    onBulk(event);
    const target = event.target;
    const button = target.closest("[data-copy]");
    if (button) { copy(button); return; }
    if (target.closest("[data-palette-open]") && !event.ctrlKey && !event.metaKey) { openPalette(event); return; }
    const opener = target.closest("[data-dialog]");
    if (opener) { open(byId(opener.dataset.dialog), event); return; }
    if (target.closest("[data-close]") || target.matches("dialog[open]")) target.closest("dialog")?.close();
    if (target.closest("[data-print]")) window.print();
    for (const menu of all("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  }

  function onSubmit(event) {
    const form = event.target;
    if (form.action.includes("/logout/")) forgetDrafts();
    if (!form.matches("[data-scheme-form]") || !event.submitter) return;
    event.preventDefault();
    const chosen = event.submitter.value;
    document.cookie = `scheme=${chosen};path=/;max-age=${YEAR_S};samesite=lax${location.protocol === "https:" ? ";secure" : ""}`;
    if (chosen === "auto") delete root.dataset.scheme; else root.dataset.scheme = chosen;
    for (const one of all("[data-scheme-form] button")) one.setAttribute("aria-pressed", String(one.value === chosen));
  }

  /* Who never said where they are is probably where the browser is. */
  function guessZone() {
    for (const field of all("[data-zone]")) {
      const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
      if (!field.options || (field.value === "UTC" && [...field.options].some((one) => one.value === here))) field.value = here;
    }
  }

  /* Who travelled is asked once for each place whether quiet hours shall follow. */
  function offerHere() {
    const offer = byId("here");
    if (!offer) return;
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone, now = new Date();
    const clock = (timeZone) => now.toLocaleString("en", { timeZone });
    try { if (clock(here) === clock(offer.dataset.at)) return; } catch { return; } // a zone unknown to this browser
    if (localStorage.getItem(REFUSED) === here) return;
    offer.querySelector("p").textContent = offer.dataset.asks.replace("{place}", here.split("/").pop().replaceAll("_", " "));
    offer.elements.zone.value = here;
    offer.querySelector("[type=button]").addEventListener("click", () => { offer.hidden = true; localStorage.setItem(REFUSED, here); });
    offer.hidden = false;
  }

  function settle() {
    watchToasts();
    watchDrafts();
    countBulk();
    for (const button of all("[data-copy][hidden]")) button.hidden = false;
  }

  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);
  document.addEventListener("change", onChange);
  document.addEventListener("submit", onSubmit);
  for (const name of ["dragover", "dragleave", "drop"]) document.addEventListener(name, onDrag);
  document.addEventListener("htmx:xhr:progress", onProgress);
  document.addEventListener("htmx:beforeSwap", onBeforeSwap);
  document.addEventListener("htmx:afterSwap", onAfterSwap);
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("DOMContentLoaded", () => {
    guessZone();
    offerHere();
    dropSent();
    settle();
    watchFeed();
    if (/Mac|iP(hone|ad)/.test(navigator.platform)) for (const key of all("[data-mod-key]")) key.textContent = "⌘ K";
    const box = byId("keys-on");
    if (box) box.checked = keysAreOn();
  });
})();
