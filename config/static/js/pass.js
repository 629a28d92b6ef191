/* The pass. For whoever reads one: asks every moment whether it may still be shown, and shows
   nothing once it may not. For its owner: shows who reads it as it happens. */
"use strict";
(() => {
  const BEAT_MS = 800, SLOW_MS = 4000, LOST_MS = 20000;

  /* ---- whoever reads it ---- */
  const place = document.querySelector("[data-pulse]");
  if (place) {
    let timer = 0, isAsking = false, heardAt = Date.now();
    // The link is a secret: it stays neither in the bar nor in the history.
    if (location.pathname !== place.dataset.pass) history.replaceState(null, "", place.dataset.pass);
    const end = () => {
      clearInterval(timer);
      document.body.replaceChildren(document.getElementById("pass-gone").content.cloneNode(true));
      document.querySelector("h1")?.setAttribute("tabindex", "-1");
      document.querySelector("h1")?.focus();
    };
    const renew = async (version) => {
      const answer = await fetch(place.dataset.pass, { cache: "no-store", headers: { Accept: "text/html" } });
      if (answer.status === 410) { end(); return; }
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("pass-shown");
      if (fresh) { document.getElementById("pass-shown").replaceWith(fresh); place.dataset.version = version; }
    };
    const ask = async () => {
      if (isAsking) return;
      isAsking = true;
      try {
        const answer = await fetch(place.dataset.pulse, { cache: "no-store", signal: AbortSignal.timeout(5000) });
        if (answer.status === 410) { end(); return; }
        if (answer.ok) heardAt = Date.now();
        const version = answer.headers.get("X-Pass-Version");
        if (version && version !== place.dataset.version) await renew(version);
      } catch {
        // Nobody can say any more whether it may be shown.
        if (Date.now() - heardAt > LOST_MS) end();
      } finally { isAsking = false; }
    };
    timer = setInterval(ask, BEAT_MS);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
    window.addEventListener("pageshow", (event) => { if (event.persisted) ask(); });
  }

  /* ---- its owner ---- */
  const live = document.getElementById("pass-live");
  if (live && window.htmx) {
    let waits = 0;
    const show = () => {
      clearTimeout(waits);
      waits = setTimeout(() => {
        if (live.contains(document.activeElement) && document.activeElement.matches("button:active")) return;
        window.htmx.ajax("GET", live.dataset.live, { target: "#pass-live", swap: "innerHTML" }).catch(() => {});
      }, 100);
    };
    // Who goes away says nothing: while somebody reads it is asked again.
    setInterval(() => { if (!document.hidden && live.querySelector("[data-read='1']")) show(); }, SLOW_MS);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) show(); });
    if (live.dataset.stream && window.EventSource) {
      const source = new EventSource(live.dataset.stream);
      source.addEventListener("passes", (event) => { if (JSON.parse(event.data).ids.includes(live.dataset.id)) show(); });
      source.addEventListener("error", () => setTimeout(show, SLOW_MS));
      window.addEventListener("pagehide", () => source.close());
    }
  }
})();
