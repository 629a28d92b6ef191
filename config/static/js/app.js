/* Keys, the undo toast, copying, and a Today that stays fresh. Every page works without it. */
(() => {
  "use strict";
  const GO = { t: "/", a: "/assets/", j: "/journeys/", s: "/suppliers/", d: "/door/" };
  const TOAST_MS = 8000;
  const KEYS = "steward-keys";
  let waitsForG = false;

  const cards = () => [...document.querySelectorAll("[data-card]")];
  const keysAreOn = () => localStorage.getItem(KEYS) !== "off";
  const isTyping = (target) =>
    target.closest("input, textarea, select, [contenteditable], dialog[open]") !== null;

  function move(step) {
    const all = cards();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement.closest("[data-card]"));
    const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
    next.focus();
  }

  function undo() {
    const form = document.querySelector("[data-undo]");
    if (form) form.requestSubmit();
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (!keysAreOn()) return;
    const key = event.key;
    if (waitsForG) {
      waitsForG = false;
      if (GO[key]) { event.preventDefault(); location.assign(GO[key]); }
      return;
    }
    if (key === "g") { waitsForG = true; setTimeout(() => { waitsForG = false; }, 1500); return; }
    if (key === "j" || key === "k") { event.preventDefault(); move(key === "j" ? 1 : -1); return; }
    if (key === "z") { undo(); return; }
    if (key === "m") { location.assign("/log/"); return; }
    if (key === "n") { location.assign("/assets/add/"); return; }
    if (key === "?") { document.getElementById("keys")?.showModal(); return; }
    if (key === "Enter" && event.target.matches("[data-card]")) {
      event.target.querySelector("h3 a")?.click();
    }
  }

  /* A toast leaves after eight seconds, but never while the pointer or the focus is in it. */
  function watchToasts() {
    for (const toast of document.querySelectorAll("[data-toast]:not([data-seen])")) {
      toast.dataset.seen = "";
      const leave = () => {
        if (toast.matches(":hover, :focus-within")) { setTimeout(leave, 1000); return; }
        toast.remove();
      };
      setTimeout(leave, TOAST_MS);
    }
  }

  function watchCopy() {
    for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  }

  async function onClick(event) {
    const button = event.target.closest("[data-copy]");
    if (button) {
      const source = document.getElementById(button.dataset.copy);
      await navigator.clipboard.writeText(source.textContent.trim());
      const words = button.querySelector("span") ?? button;
      const before = words.textContent;
      words.textContent = button.dataset.copied;
      setTimeout(() => { words.textContent = before; }, 2000);
      return;
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  }

  /* Fresh news must not pull a card from under the hand: wait while somebody is in the feed.
     Only an answer, which is a form, may always swap it. */
  const isInUse = (feed) =>
    feed.matches(":focus-within") || feed.querySelector("details[open]:not([data-fold])") !== null;

  function onBeforeRequest(event) {
    if (!event.detail.elt.matches("[data-poll]")) return;
    if (document.hidden || isInUse(document.getElementById("feed"))) event.preventDefault();
  }

  function onBeforeSwap(event) {
    const { target, requestConfig } = event.detail;
    if (target.id === "feed" && !requestConfig.elt.matches("form") && isInUse(target)) {
      event.detail.shouldSwap = false;
    }
  }

  function settle() { watchToasts(); watchCopy(); }

  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);
  document.addEventListener("htmx:beforeRequest", onBeforeRequest);
  document.addEventListener("htmx:beforeSwap", onBeforeSwap);
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("DOMContentLoaded", () => {
    settle();
    const box = document.getElementById("keys-on");
    if (box) {
      box.checked = keysAreOn();
      box.addEventListener("change", () => localStorage.setItem(KEYS, box.checked ? "on" : "off"));
    }
  });
})();
