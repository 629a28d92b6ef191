/* Steward on a device: what is kept, what waits to be sent, installing, and being woken. */
(() => {
  "use strict";
  if (!("serviceWorker" in navigator) || !window.isSecureContext) return;
  const root = document.documentElement;
  const owner = document.body.dataset.owner;
  const byId = (id) => document.getElementById(id);
  const LOGIN = "/accounts/login/";

  async function tell(message) { (await navigator.serviceWorker.ready).active?.postMessage(message); }

  /* ---- a kept page says when it was true ---- */
  function showAge() {
    const place = byId("kept");
    const at = root.dataset.keptAt;
    if (!place || !at) return;
    const when = new Date(at);
    const isToday = when.toDateString() === new Date().toDateString();
    const time = when.toLocaleTimeString(root.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const shown = isToday ? time : `${when.toLocaleDateString(root.lang, { day: "numeric", month: "short" })}, ${time}`;
    place.querySelector("[data-when]").textContent = place.dataset.words.replace("{when}", shown);
    place.hidden = false;
  }

  /* ---- what waits to be sent ---- */
  const named = (write) => {
    const fields = Object.fromEntries(write.fields.filter(([, value]) => typeof value === "string"));
    const file = write.fields.map(([, value]) => value.name).find(Boolean);
    return fields.text || fields.note || fields.answer || fields.name || file || write.path;
  };

  async function showQueue() {
    const place = byId("queued");
    if (!place) return;
    const writes = owner ? (await queue.all()).filter((write) => write.whose === owner) : [];
    place.hidden = !writes.length;
    place.querySelector("[data-count]").textContent = (writes.length === 1 ? place.dataset.one : place.dataset.many).replace("{n}", writes.length);
    place.querySelector("ul").replaceChildren(...writes.map((write) => {
      const row = document.createElement("li");
      const words = document.createElement("span");
      words.textContent = named(write).slice(0, 80).replaceAll("_", " ");
      const undo = document.createElement("button");
      undo.type = "button";
      undo.className = "button button--small";
      undo.textContent = place.dataset.undo;
      undo.addEventListener("click", async () => { await queue.drop(write.id); await showQueue(); });
      row.append(words, " ", undo);
      if (write.refused) row.append(" ", place.dataset.refused);
      return row;
    }));
  }

  /* Each write carries its key: sent twice, it happens once. What is refused stays, and says so. */
  const LATER = new Set([408, 409, 425, 429]);
  async function send(write) {
    const form = new FormData();
    for (const [name, value] of write.fields) form.append(name, value);
    form.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "");
    const response = await fetch(write.path, { method: "POST", body: form, headers: { "Idempotency-Key": write.key } });
    if (new URL(response.url).pathname.startsWith(LOGIN) || response.status >= 500 || LATER.has(response.status)) return false;
    write.refused = !response.ok;
    await (response.ok ? queue.drop(write.id) : queue.refuse(write));
    return true;
  }

  async function sendAll() {
    if (!owner || !navigator.onLine) return;
    await navigator.locks.request("steward-queue", async () => {
      let sent = 0;
      for (const write of await queue.all()) {
        if (write.whose !== owner) { await queue.drop(write.id); continue; }
        if (write.refused) continue;
        try { if (!(await send(write))) break; } catch { break; }
        if (!write.refused) sent += 1;
      }
      await showQueue();
      if (sent) location.reload();
    });
  }

  /* ---- installing: offered after the second useful visit, never at the first ---- */
  function watchInstalling() {
    const place = byId("install");
    if (!place || localStorage.getItem("steward-install") === "no") return;
    const today = new Date().toDateString();
    const days = new Set(JSON.parse(localStorage.getItem("steward-days") ?? "[]"));
    document.addEventListener("submit", () => {
      days.add(today);
      localStorage.setItem("steward-days", JSON.stringify([...days].slice(-2)));
    });
    window.addEventListener("beforeinstallprompt", (event) => {
      event.preventDefault();
      if (days.size < 2) return;
      place.hidden = false;
      place.querySelector("[data-install]").addEventListener("click", () => { place.hidden = true; event.prompt(); });
      place.querySelector("[data-not-now]").addEventListener("click", () => {
        place.hidden = true;
        localStorage.setItem("steward-install", "no");
      });
    });
  }

  /* ---- being woken: the toggle of the preferences ---- */
  const DEVICES = "/api/v1/push-devices/";
  const AT = "steward-push-at";
  async function watchPush() {
    if (!("PushManager" in window)) return;
    const worker = await navigator.serviceWorker.ready;
    const ask = (method, address, body) => fetch(address, {
      method, body: body && JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value },
    });
    let subscription = await worker.pushManager.getSubscription();
    const name = `${navigator.userAgentData?.platform || navigator.platform || ""} ${/Edg|OPR|Firefox|Chrome|Safari/.exec(navigator.userAgent)?.[0] ?? ""}`.trim();
    const keep = async () => {
      const answer = await ask("POST", DEVICES, { ...subscription.toJSON(), name });
      if (answer.ok) {
        localStorage.setItem(AT, subscription.endpoint);
        localStorage.setItem("steward-push", (await answer.json()).id);
      }
      return answer;
    };
    const toggle = document.querySelector("[data-push-key]");
    if (!toggle?.dataset.pushKey) {
      // Its address moved while the worker could not say so: any page says it.
      if (owner && subscription && navigator.onLine && localStorage.getItem(AT) !== subscription.endpoint) await keep();
      return;
    }
    // Said again each time: what was forgotten on the other side, or moved, is known again.
    if (subscription && !(await keep()).ok) await subscription.unsubscribe().then(() => { subscription = null; });
    toggle.checked = subscription !== null;
    toggle.closest("[hidden]")?.removeAttribute("hidden");
    toggle.addEventListener("change", async () => {
      if (toggle.checked) {
        subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: toggle.dataset.pushKey }).catch(() => null);
        const answer = subscription && (await keep());
        toggle.checked = Boolean(answer?.ok);
      } else {
        await subscription?.unsubscribe();
        await ask("DELETE", `${DEVICES}${localStorage.getItem("steward-push")}/`);
      }
    });
  }

  /* ---- what another app shared fills the form, and is read at once where there is a net ---- */
  async function takeShared() {
    const form = document.querySelector("form[data-takes-shared]");
    const fields = form && new URLSearchParams(location.search).has("shared") ? await queue.takeShared() : [];
    if (!fields.length) return;
    const words = ["title", "text", "url"].map((name) => fields.find(([key, value]) => key === name && value)?.[1]?.trim()).filter(Boolean);
    form.elements.note.value = [...new Set(words)].join("\n").slice(0, 8000);
    const files = new DataTransfer();
    for (const [, value] of fields) if (value instanceof File && value.size) files.items.add(value);
    form.elements.files.files = files.files;
    form.elements.files.dispatchEvent(new Event("change", { bubbles: true }));
    if (files.files.length && !form.elements.note.value) form.elements.medium.value = "letter";
    if (navigator.onLine) form.requestSubmit(form.querySelector("[name=read]"));
  }

  document.addEventListener("submit", (event) => {
    if (new URL(event.target.action, location.href).pathname === "/accounts/logout/") tell({ sign_out: true });
  });
  navigator.serviceWorker.addEventListener("message", showQueue);
  window.addEventListener("online", sendAll);
  navigator.serviceWorker.register("/sw.js", { scope: "/" }).then(async () => {
    if (owner) {
      const links = [...document.querySelectorAll("#feed a[href^='/journeys/']")].map((link) => new URL(link.href).pathname);
      await tell({ owner, pages: root.dataset.keptAt ? [] : [location.pathname, ...new Set(links)], forms: ["/log/", "/share/", "/documents/add/"] });
    }
    watchPush();
  });
  showAge();
  takeShared();
  showQueue().then(sendAll);
  watchInstalling();
})();
