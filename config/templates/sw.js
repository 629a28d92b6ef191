{% autoescape off %}/* Keeps the shell and what was last read on this device, and what could not be sent. */
"use strict";
importScripts("{{ queue }}");
const SHELL = "steward-shell-{{ version }}";
const PAGES = "steward-pages";
const DEVICE = "steward-device";
const OFFLINE = "/offline/";
const KEPT_MOST = 60;
const FILES = [{% for path in shell %}"{{ path }}", {% endfor %}];
// What is read again without a net: Today, journeys with their call cards, the calendar, assets.
const READ = /^\/(?:$|journeys\/|calendar\/(?!.*\.ics$)|assets\/(?!add)|log\/|share\/(?!in)|documents\/add\/|suppliers\/(?!add)|more\/)/;
// Today and the empty forms are the same page whatever stands behind the question mark.
const FORMS = /^\/(?:log\/|share\/|documents\/add\/)?$/;
// What is sent later: answers, notes and photos; see queue.js.
const IN = /^\/accounts\/|^\/_allauth\//;

self.addEventListener("install", (event) => event.waitUntil((async () => {
  const cache = await caches.open(SHELL);
  await cache.addAll([...FILES, OFFLINE].map((path) => new Request(path, { cache: "reload", credentials: "same-origin" })));
  await self.skipWaiting();
})()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (![SHELL, PAGES, DEVICE].includes(name)) await caches.delete(name);
  await self.clients.claim();
})()));

/* Nobody's words stay on a device after its owner has signed out; what is still on its way then
   belongs to an era that is over. */
let era = 0;
async function forget() {
  era += 1;
  await caches.delete(PAGES);
  await caches.delete(DEVICE);
  await queue.clear();
  try { await (await self.registration.pushManager?.getSubscription())?.unsubscribe(); } catch { /* none to end */ }
}

async function keep(request, response, since) {
  const headers = new Headers(response.headers);
  headers.set("x-kept-at", new Date().toISOString());
  const body = await response.blob();
  const cache = await caches.open(PAGES);
  if (since !== era) return;
  await cache.put(request.url, new Response(body, { status: 200, headers }));
  const kept = await cache.keys();
  for (const old of kept.slice(0, Math.max(0, kept.length - KEPT_MOST))) await cache.delete(old);
}

/* A kept page says when it was true. */
async function kept(request) {
  const cache = await caches.open(PAGES);
  const found = (await cache.match(request.url)) ?? (FORMS.test(new URL(request.url).pathname) ? await cache.match(request.url, { ignoreSearch: true }) : undefined);
  if (!found) return (await caches.match(OFFLINE)) ?? Response.error();
  // A form kept once and filled in twice is two forms.
  const html = (await found.text()).replace("<html ", `<html data-kept-at="${found.headers.get("x-kept-at")}" `)
    .replace(/(name="event_id" value=")[^"]*/, `$1${crypto.randomUUID()}`);
  return new Response(html, { headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": found.headers.get("content-security-policy") ?? "default-src 'self'" } });
}

async function page(event) {
  const { request } = event;
  const since = era;
  try {
    const response = await fetch(request);
    const path = new URL(response.url).pathname;
    if (IN.test(path) && response.redirected) event.waitUntil(forget());
    else if (response.ok && !response.redirected && READ.test(path) && response.headers.get("content-type")?.startsWith("text/html")) {
      event.waitUntil(keep(request, response.clone(), since));
    }
    return response;
  } catch {
    return kept(request);
  }
}

async function write(event) {
  const { request } = event;
  const copy = request.clone();
  const path = new URL(request.url).pathname;
  try {
    const response = await fetch(request);
    if (path === "/accounts/logout/") await forget();
    return response;
  } catch {
    if (!queue.takes(path)) return (request.mode === "navigate" && (await caches.match(OFFLINE))) || Response.error();
    const form = await copy.formData();
    form.delete("read");  // nobody is there to read it for the form: it is kept as it is
    await queue.add(path, form);
    for (const client of await self.clients.matchAll()) client.postMessage("queued");
    if (request.mode !== "navigate") return new Response(null, { status: 204 });
    return Response.redirect(path.startsWith("/journeys/") ? path.replace(/act\/$/, "") : "/", 303);
  }
}

/* What another app shares waits on this device until the form has taken it, net or no net. */
async function shared(event) {
  await queue.share([...(await event.request.formData()).entries()]);
  return Response.redirect("/share/?shared=1", 303);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin || url.pathname.startsWith("/admin/")) return;
  if (request.method === "POST" && url.pathname === "/share/in/") event.respondWith(shared(event));
  else if (request.method === "POST" && !url.pathname.startsWith("/api/")) event.respondWith(write(event));
  else if (request.method !== "GET") return;
  else if (FILES.includes(url.pathname)) event.respondWith(caches.match(request, { cacheName: SHELL }).then((found) => found ?? fetch(request)));
  else if (request.mode === "navigate") event.respondWith(page(event));
});

self.addEventListener("message", (event) => event.waitUntil((async () => {
  const { owner, pages, forms, sign_out } = event.data ?? {};
  if (sign_out) await forget();
  if (owner && !(await queue.belongsTo(owner))) {
    await forget();
    await queue.setOwner(owner);
  }
  // Only now: what is read for this owner belongs to the era that has begun.
  const since = era;
  const cache = await caches.open(PAGES);
  const missing = [];
  for (const path of forms ?? []) if (!(await cache.match(path))) missing.push(path);
  // Only what may be kept is read again: a page that makes a secret would make another one,
  // and no page of one's account stays on a device.
  const wanted = (pages ?? []).filter((path) => READ.test(path));
  for (const path of [...wanted.slice(0, 20), ...missing]) {
    const response = await fetch(path, { credentials: "same-origin" }).catch(() => null);
    if (response?.ok && !response.redirected) await keep(new Request(path), response, since);
  }
})()));

/* Being woken. The message says who it is for; what it does not carry is read over our own line. */
const WAKES = {{ wakes|safe }};
async function say(path, fields) {
  return fetch(path, { method: "POST", body: new URLSearchParams(fields), credentials: "same-origin" });
}

/* Systems show so many of one app and silently drop what comes after: the oldest make room. */
const LIVE_MOST = 20;
function surplus(shown) {
  return [...shown].sort((one, other) => one.timestamp - other.timestamp).slice(0, -LIVE_MOST);
}

async function woken(said) {
  let { title, body, url } = said;
  if (said.code) { title = "Steward"; body = WAKES.ready; }
  if (said.is_bare) {
    const answer = await say("/push/words/", { ref: said.ref }).catch(() => null);
    if (answer?.ok) ({ title, body, url } = await answer.json());
  }
  await self.registration.showNotification(title || "Steward", {
    body, tag: said.tag, renotify: Boolean(said.tag), icon: "{{ icon }}", badge: "{{ icon }}", actions: said.actions ?? [], data: { url, ref: said.ref },
  });
  for (const old of surplus(await self.registration.getNotifications())) old.close();
  const fields = said.code ? { ref: said.ref, code: said.code } : { ref: said.ref };
  if (said.ref) await say("/push/shown/", fields).catch(() => null);
  await remember();
}

/* A push service may give this browser another address. Where it was known by the old one is kept,
   as not every browser says it again. What cannot be said now, the next page says. */
async function remember() {
  const known = await self.registration.pushManager?.getSubscription();
  if (known) await (await caches.open(DEVICE)).put("/push/", new Response(JSON.stringify(known)));
}

async function moved(before, after) {
  const old = before?.toJSON() ?? await (await caches.match("/push/", { cacheName: DEVICE }))?.json();
  const now = (after ?? await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: "{{ push_key }}" })).toJSON();
  if (!old || old.endpoint === now.endpoint) return;
  await say("/push/moved/", { old_endpoint: old.endpoint, old_auth: old.keys.auth, endpoint: now.endpoint, ...now.keys }).catch(() => null);
}

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(moved(event.oldSubscription, event.newSubscription)));

self.addEventListener("push", (event) => {
  let said = {};
  try { said = event.data?.json() ?? {}; } catch { /* nothing that we sent: say at least that there is news */ }
  event.waitUntil(woken(said));
});

async function open(url) {
  for (const client of await self.clients.matchAll({ type: "window" })) {
    if (new URL(client.url).pathname === url) return client.focus();
  }
  return self.clients.openWindow(url);
}

self.addEventListener("notificationclick", (event) => {
  const { url = "/", ref } = event.notification.data ?? {};
  event.notification.close();
  event.waitUntil((async () => {
    // A button does its thing at once; what cannot be done any more is shown instead.
    const answer = event.action && ref ? await say("/push/tapped/", { ref, action: event.action }).catch(() => null) : null;
    if (answer?.ok) await self.registration.showNotification("Steward", { body: WAKES.done, tag: event.notification.tag, data: { url }, silent: true });
    else await open(url);
  })());
});

{% endautoescape %}
