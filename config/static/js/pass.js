/* The pass. For whoever reads one: hears when it ends, and then shows nothing any more. For its
   owner: shows who reads it as it happens. */
"use strict";
(() => {
  const BEAT_MS = 800, QUIET_MS = 9000, LOST_MS = 20000, AGAIN_MS = 15000, SLOW_MS = 4000, REST_MS = 30000;

  /* ---- whoever reads it ---- */
  const place = document.querySelector("[data-pulse]");
  if (place) {
    let timer = 0, isAsking = false, heardAt = Date.now(), source = null;
    // The link is a secret: it stays neither in the bar nor in the history.
    if (location.pathname !== place.dataset.pass) history.replaceState(null, "", place.dataset.pass);
    const end = () => {
      if (place.dataset.ended) return;
      clearInterval(timer);
      clearInterval(watch);
      source?.close();
      place.dataset.ended = "1";
      document.body.replaceChildren(document.getElementById("pass-gone").content.cloneNode(true));
      document.querySelector("h1")?.setAttribute("tabindex", "-1");
      document.querySelector("h1")?.focus();
    };
    const renew = async (version) => {
      const answer = await fetch(place.dataset.pass, { cache: "no-store", headers: { Accept: "text/html" } });
      if (answer.status === 410) { end(); return; }
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("pass-shown");
      if (fresh && !place.dataset.ended) { document.getElementById("pass-shown").replaceWith(fresh); place.dataset.version = version; }
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
    const poll = () => { timer ||= setInterval(ask, BEAT_MS); };
    const listen = () => {
      if (place.dataset.ended) return;
      source = new EventSource(place.dataset.stream);
      const heard = () => { heardAt = Date.now(); clearInterval(timer); timer = 0; };
      source.addEventListener("gone", end);
      source.addEventListener("beat", heard);
      source.addEventListener("version", (event) => {
        heard();
        const { version } = JSON.parse(event.data);
        if (version !== place.dataset.version) renew(version).catch(() => {});
      });
      source.addEventListener("error", () => {
        ask();
        // Closed for good: there is no stream here, or not now. Until there is, it asks.
        if (source.readyState === EventSource.CLOSED) { poll(); setTimeout(listen, AGAIN_MS); }
      });
    };
    // A stream that says nothing may be dead: ask, and end where nobody answers.
    const watch = setInterval(() => { if (Date.now() - heardAt > QUIET_MS) ask(); }, 2000);
    if (window.EventSource && place.dataset.stream) listen(); else poll();
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
    // Hints may be lost: while somebody reads it is asked again, without a stream more often.
    const rest = live.dataset.stream && window.EventSource ? REST_MS : SLOW_MS;
    setInterval(() => { if (!document.hidden && live.querySelector("[data-read='1']")) show(); }, rest);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) show(); });
    if (live.dataset.stream && window.EventSource) {
      const source = new EventSource(live.dataset.stream);
      source.addEventListener("passes", (event) => { if (JSON.parse(event.data).ids.includes(live.dataset.id)) show(); });
      source.addEventListener("error", () => setTimeout(show, SLOW_MS));
      window.addEventListener("pagehide", () => source.close());
    }
  }
})();
