/* What could not be sent: kept in order on the device, for the page and the service worker. */
"use strict";
const queue = (() => {
  const TAKEN = /^\/(?:(?:journeys|contacts)\/[^/]+\/act\/|log\/|share\/|documents\/add\/)$/;
  const open = () => new Promise((done, fail) => {
    const asked = indexedDB.open("steward", 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("writes", { keyPath: "id", autoIncrement: true });
      asked.result.createObjectStore("about");
    };
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  const run = async (store, mode, work) => {
    const base = await open();
    try {
      return await new Promise((done, fail) => {
        const change = base.transaction(store, mode);
        const asked = work(change.objectStore(store));
        change.oncomplete = () => done(asked.result);
        change.onerror = () => fail(change.error);
      });
    } finally { base.close(); }
  };
  const owner = () => run("about", "readonly", (about) => about.get("owner"));
  return {
    takes: (path) => TAKEN.test(path),
    all: () => run("writes", "readonly", (writes) => writes.getAll()),
    refuse: (write) => run("writes", "readwrite", (writes) => writes.put({ ...write, refused: true })),
    drop: (id) => run("writes", "readwrite", (writes) => writes.delete(id)),
    add: async (path, form) => run("writes", "readwrite", ((whose) => (writes) => writes.add({
      path, whose, key: crypto.randomUUID(), at: new Date().toISOString(), fields: [...form.entries()],
    }))(await owner())),
    clear: async () => {
      await run("writes", "readwrite", (writes) => writes.clear());
      await run("about", "readwrite", (about) => about.clear());
    },
    share: (fields) => run("about", "readwrite", (about) => about.put(fields, "shared")),
    takeShared: async () => {
      const found = await run("about", "readonly", (about) => about.get("shared"));
      if (found) await run("about", "readwrite", (about) => about.delete("shared"));
      return found ?? [];
    },
    owner,
    setOwner: (whose) => run("about", "readwrite", (about) => about.put(whose, "owner")),
    belongsTo: async (whose) => (await owner()) === whose,
  };
})();
